# SPDX-License-Identifier: MIT
"""``make bench``: the service measured beside a plain baseline, in the same run and under the same load."""
