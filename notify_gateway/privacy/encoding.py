# SPDX-License-Identifier: MIT
"""The few encodings that this room shares: canonical JSON, strict base64 and Crockford base32."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TypeAlias

import orjson

from notify_gateway.domain.refs import ALPHABET

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
_QUICK = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET.encode())


def canonical_json(value: Json) -> bytes:
    """Return the one form that is signed and digested: sorted keys, no spaces, ASCII only.

    Raises ``ValueError`` on a float, whose text differs between languages, and on anything that is not JSON.
    """
    _refuse_floats(value)
    with suppress(orjson.JSONEncodeError):
        text = orjson.dumps(value, option=_QUICK)
        # The quick encoder writes UTF-8 and DEL as they are: what it wrote is taken only where none of that can have happened.
        if text.isascii() and b"\x7f" not in text:
            return text
    try:
        return _CANONICAL.encode(value).encode("ascii")
    except TypeError:
        raise ValueError("not a JSON value") from None


def parse_canonical(data: bytes) -> dict[str, Json]:
    """Return the object that ``data`` is the canonical form of; raises ``ValueError`` on any other bytes.

    Re-encoding must give the same bytes, which rules out doubled keys, floats and second spellings in one stroke.
    """
    with suppress(ValueError, RecursionError):  # the parser's own errors quote their input
        value = json.loads(data)
        if isinstance(value, dict) and canonical_json(value) == data:
            return value
    raise ValueError("not canonical JSON")


def _refuse_floats(value: Json) -> None:
    if isinstance(value, float):
        raise ValueError("canonical JSON holds no floats")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of ``data`` as 64 lower-case hexadecimal digits."""
    return sha256(data).hexdigest()


def to_base64(data: bytes) -> str:
    """Return standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: object) -> bytes:
    """Return the bytes of ``text``; raises ``ValueError`` unless it is exactly what ``to_base64`` would have written."""
    if isinstance(text, str):
        with suppress(ValueError):
            data = base64.b64decode(text, validate=True)
            if to_base64(data) == text:
                return data
    raise ValueError("not base64")


def to_crockford(data: bytes) -> str:
    """Return ``data`` (a multiple of five bytes) in Crockford's base32 alphabet, most significant bit first."""
    if len(data) % 5:
        raise ValueError("length is not a multiple of five bytes")
    return base64.b32encode(data).translate(_TO_CROCKFORD).decode("ascii")
