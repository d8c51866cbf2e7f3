# SPDX-License-Identifier: MIT
"""Tests of the acts and of what they leave in the databases, on SQLite and on PostgreSQL."""
