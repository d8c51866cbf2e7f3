# SPDX-License-Identifier: MIT
"""What somebody may put into a queue of the broker that is no message, each of a kind that ends a consumer which is not guarded."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

_BODY = b64encode(b"[]").decode()
_PLACE = {"exchange": "", "routing_key": "deliver"}
_PROPERTIES: dict[str, Any] = {"body_encoding": "base64", "delivery_tag": "a-tag", "delivery_info": _PLACE}
_WHOLE: dict[str, Any] = {
    "body": _BODY,
    "content-type": "application/json",
    "content-encoding": "utf-8",
    "headers": {},
    "properties": _PROPERTIES,
}


def _with(**changed: object) -> bytes:
    return json.dumps({name: value for name, value in (_WHOLE | changed).items() if value is not None}).encode()


NO_MESSAGES: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"no json",
    "no text": b"\xff\xfe",
    "a list": b"[]",
    "a number": b"7",
    "an empty object": b"{}",
    "nested too deep": b"[" * 30_000,
    "a number too long to read": b"9" * 5_000,
    "what kombu takes for a date": b'{"__type__": "datetime", "__value__": "no date"}',
    "no body": _with(body=None),
    "a body that is not base64": _with(body="*"),
    "a body that is no text": _with(body=b64encode(b"\xff\xfe").decode()),
    "no headers": _with(headers=None),
    "no content type": _with(**{"content-type": None}),
    "no properties": _with(properties=None),
    "no tag": _with(properties=_PROPERTIES | {"delivery_tag": None}),
    "a tag that is a list": _with(properties=_PROPERTIES | {"delivery_tag": []}),
    "no place": _with(properties=_PROPERTIES | {"delivery_info": None}),
    "a place without an exchange": _with(properties=_PROPERTIES | {"delivery_info": {"routing_key": "deliver"}}),
    "another encoding of the body": _with(properties=_PROPERTIES | {"body_encoding": "none"}),
    "longer than any message": b" " * 70_000 + _with(),
}
"""By what is wrong with it."""
HOLLOW_MESSAGE = _with()
"""A message that kombu can read, and that nobody of ours wrote."""
