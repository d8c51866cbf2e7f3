# SPDX-License-Identifier: MIT
"""What several test rooms share."""
