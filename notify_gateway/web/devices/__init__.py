# SPDX-License-Identifier: MIT
"""Pages of keys that an authority holds itself: its devices, its recovery key's drill, and the page on which a card is opened."""
