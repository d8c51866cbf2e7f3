# SPDX-License-Identifier: MIT
"""An identity provider for practice: made-up people at one click, on this machine alone. A live deployment takes nothing from it."""
