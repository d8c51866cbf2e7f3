# SPDX-License-Identifier: MIT
"""The tests, one folder per room of the house, and ``support`` for what they share."""
