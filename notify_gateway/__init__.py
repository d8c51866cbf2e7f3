# SPDX-License-Identifier: MIT
"""Section 23 notifications from NHS trusts to English local authorities, sealed, delivered and proved."""

__version__ = "0.1.0"
