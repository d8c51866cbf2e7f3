# SPDX-License-Identifier: MIT
"""The journey of a notification over real HTTP, and what the front door answers on the way."""
