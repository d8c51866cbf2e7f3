# SPDX-License-Identifier: MIT
"""The inbox: a page of twenty thousand notifications beside one of two hundred."""
