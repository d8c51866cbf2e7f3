# SPDX-License-Identifier: MIT
"""What a system proves itself with: public keys as JWKs (RFC 7517) and assertions signed with them (RFC 7523)."""
