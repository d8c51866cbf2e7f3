# SPDX-License-Identifier: MIT
"""Migrations, one folder per database."""
