# SPDX-License-Identifier: MIT
"""What the audit log does in a second, how soon an entry is signed for, and what the log costs the service."""
