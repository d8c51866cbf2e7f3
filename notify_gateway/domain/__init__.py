# SPDX-License-Identifier: MIT
"""The child, the opinion, section 23, school age, routing, life cycle, errors: pure, clock passed in."""
