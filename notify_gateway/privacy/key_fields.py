# SPDX-License-Identifier: MIT
"""The checks that every kind of key makes of its fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from notify_gateway.privacy.encoding import Json

_KID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_GSS = re.compile(r"E[0-9]{8}")


def derived_kid(purpose: str, raw: bytes) -> str:
    """Return a key id that says the purpose and the start of the digest of the public half."""
    return f"{purpose}-{sha256(raw).hexdigest()[:12]}"


def check_kid(kid: str) -> str:
    """Return ``kid``; raises ``ValueError`` unless it is a key id: safe in URLs, file names and logs."""
    if _KID.fullmatch(kid) is None:
        raise ValueError("a key id is 1 to 64 letters, digits, dots, underscores and hyphens")
    return kid


def check_authority(gss: str) -> str:
    """Return ``gss``; raises ``ValueError`` unless it has the shape of an English authority's GSS code."""
    if _GSS.fullmatch(gss) is None:
        raise ValueError("an authority is named by its GSS code")
    return gss


def check_length(raw: bytes, expected: int) -> None:
    """Raises ``ValueError`` unless ``raw`` has ``expected`` bytes."""
    if len(raw) != expected:
        raise ValueError(f"the key is not {expected} bytes long")


def text(document: Mapping[str, Json], name: str) -> str:
    """Return a field that must be text; raises ``KeyError`` or ``ValueError``."""
    value = document[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text")
    return value
