# SPDX-License-Identifier: MIT
"""The pages of an authority's early-years team: the inbox, one notification, and what is done with it. Identity is on one page alone."""
