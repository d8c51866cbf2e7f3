# SPDX-License-Identifier: MIT
"""Where people come in: signing in by their organisation's identity provider, and the door that every page of theirs has."""
