# SPDX-License-Identifier: MIT
"""Tests of engines, migrations and settings."""
