# SPDX-License-Identifier: MIT
"""Taking a body in: the data of its attachments is lifted out before anything is parsed, so that only the small rest costs time.

The rest is parsed and checked like any message; each lifted text leaves a mark that nobody can guess in its place. What turns out to
be no attachment's data is put back and counts as part of the message. All of it is linear, and all steps over the whole body run in C.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.fhir.parsing import parse

_NAME: Final = b'"data"'
_OPENING: Final = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*\"")
_WORTH_LIFTING: Final = 1024
_NOTHING: Final[Mapping[str, bytes]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A parsed message and its size in bytes, and the data of its attachments, as JSON wrote it, by the mark that stands for each."""

    document: dict[str, Any] = field(repr=False)
    size: int
    lifted: Mapping[str, bytes] = field(repr=False)


def take_in(body: bytes, *, max_bytes: int, max_message: int) -> TakenIn:
    """Return the message in ``body`` as ``parse`` does, without the data of its attachments.

    Raises ``Refused`` as ``parse`` does, and when all together is over ``max_bytes``, or all but attachments over ``max_message``.
    """
    if len(body) > max_bytes:
        raise Refused.because(Code.BODY_TOO_LARGE)
    if _NAME not in body:
        return TakenIn(_parse_rest(body, max_message), len(body), _NOTHING)
    rest, lifted = _lift(body, max_message)
    document = _parse_rest(rest, max_message)
    texts = (attachment.get("data") for attachment in attachments_of(document))
    astray = lifted.keys() - {text for text in texts if isinstance(text, str)}
    if astray:
        if len(rest) + sum(len(lifted[mark]) - len(mark) for mark in astray) > max_message:
            raise Refused.because(Code.MESSAGE_TOO_LARGE)
        for mark in astray:
            rest = rest.replace(mark.encode(), lifted.pop(mark))
        document = _parse_rest(rest, max_message)
    return TakenIn(document, len(rest), lifted)


def attachments_of(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the attachments of all DocumentReferences in the order of the message, whatever else may be wrong with it."""
    for entry in _objects(document.get("entry")):
        resource = entry.get("resource")
        if isinstance(resource, dict) and resource.get("resourceType") == "DocumentReference":
            for content in _objects(resource.get("content")):
                if isinstance(content.get("attachment"), dict):
                    yield content["attachment"]


def _objects(value: object) -> Iterator[dict[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _parse_rest(rest: bytes, max_message: int) -> dict[str, Any]:
    if len(rest) > max_message:
        raise Refused.because(Code.MESSAGE_TOO_LARGE)
    return parse(rest, max_bytes=max_message)


def _lift(body: bytes, max_message: int) -> tuple[bytes, dict[str, bytes]]:
    """Return the body with a mark for each long text under the name ``data``, and the texts by mark."""
    secret = secrets.token_hex(10)
    lifted: dict[str, bytes] = {}
    kept: list[bytes] = []
    kept_size = done = at = 0
    while (found := body.find(_NAME, at)) >= 0:
        at = found + len(_NAME)
        if kept_size + at - done > max_message:
            break
        opening = _OPENING.match(body, at)
        if opening is None:
            continue
        begin = opening.end()
        end = body.find(b'"', begin)
        if end < 0:
            break
        at = end
        # An escaped quotation mark is in no base64; whatever this text is, it stays where it is.
        if end - begin < _WORTH_LIFTING or body[end - 1] == ord("\\"):
            continue
        mark = f"{secret}{len(lifted):04d}"
        lifted[mark] = body[begin:end]
        kept += (body[done:begin], mark.encode())
        kept_size += begin - done + len(mark)
        done = end
    kept.append(body[done:])
    return b"".join(kept), lifted
