# SPDX-License-Identifier: MIT
"""Tests of the repository itself: what may stand in it, how large things are, whether its test services hold."""
