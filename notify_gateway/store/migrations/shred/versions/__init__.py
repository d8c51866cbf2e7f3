# SPDX-License-Identifier: MIT
"""Migrations of the shred database."""
