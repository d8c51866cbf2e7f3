# SPDX-License-Identifier: MIT
"""Delivery channels, one small module each behind one protocol."""
