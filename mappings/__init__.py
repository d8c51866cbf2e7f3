# SPDX-License-Identifier: MIT
"""Code tables as data, effective-dated, with the functions that read them."""
