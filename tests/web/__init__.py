# SPDX-License-Identifier: MIT
"""Tests in a real browser."""
