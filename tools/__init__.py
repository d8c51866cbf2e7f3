# SPDX-License-Identifier: MIT
"""What the Makefile calls: set-up, checks, pins, generated files. Run from the checkout's root as ``python -m tools.<name>``."""
