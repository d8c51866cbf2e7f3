# SPDX-License-Identifier: MIT
"""What officers take away: rows as a file, a sheet, a copy for the parent, a pack for a panel. None of it holds identity."""
