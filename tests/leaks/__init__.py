# SPDX-License-Identifier: MIT
"""Nobody in the middle can read a child: canaries go through, and everything that is kept or said is searched for them."""
