# SPDX-License-Identifier: MIT
"""Tables, repositories and migrations, on PostgreSQL and SQLite."""
