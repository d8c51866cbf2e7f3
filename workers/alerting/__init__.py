# SPDX-License-Identifier: MIT
"""Alerts beside the custody channels: one sender for each kind, and the loop that finds what is due."""
