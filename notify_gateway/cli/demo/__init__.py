# SPDX-License-Identifier: MIT
"""The demonstration: the whole service in one process, and one child's notification through its real front door."""
