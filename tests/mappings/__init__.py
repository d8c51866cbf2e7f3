# SPDX-License-Identifier: MIT
"""Tests of the code tables."""
