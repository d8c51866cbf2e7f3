# SPDX-License-Identifier: MIT
"""The notify-gateway command."""
