# SPDX-License-Identifier: MIT
"""Nothing accepted is lost: parts are killed while notifications are posted."""
