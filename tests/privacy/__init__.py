# SPDX-License-Identifier: MIT
"""Pseudonyms, sealing, key files and disclosure control, tested on made-up children."""
