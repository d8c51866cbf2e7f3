# SPDX-License-Identifier: MIT
"""Migrations of the main database."""
