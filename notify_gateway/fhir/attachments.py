# SPDX-License-Identifier: MIT
"""The DocumentReferences of a message as letters and reports that travel inside it, and out of it again on the authority's machine.

Three types are taken: what every browser shows in its own sandbox. Office formats can run macros and fetch from elsewhere, and
nobody between sender and receiver can scan what is sealed.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from notify_gateway.domain.catalogue import Code
from notify_gateway.fhir.bundle import Bundle, Json, Located, full_date
from notify_gateway.fhir.card import label, present
from notify_gateway.fhir.lifting import attachments_of

MOST: Final = 10
MOST_BYTES: Final = 3 * 1024 * 1024
"""Of one attachment, decoded; a scanned report of some pages has half of that."""

_WHITE_SPACE: Final = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class FileType:
    """A type of attachment that is taken: its media type, how its files end in name and begin in content, and its name for people."""

    media_type: str
    ending: str
    begins: bytes
    name: str


TYPES: Final = {
    kind.media_type: kind
    for kind in (
        FileType("application/pdf", "pdf", b"%PDF-", "PDF"),
        FileType("image/jpeg", "jpg", b"\xff\xd8\xff", "JPEG picture"),
        FileType("image/png", "png", b"\x89PNG\r\n\x1a\n", "PNG picture"),
    )
}


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An attachment as a file: its number on the card, the ending that fits what it is, its bytes."""

    number: int
    ending: str
    content: bytes = field(repr=False)


def read_attachments(bundle: Bundle, lifted: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return what the card says of each attachment, after noting what is wrong with any: its data is looked at here and not kept."""
    listed: list[dict[str, Any]] = []
    for document in bundle.all("DocumentReference"):
        if document.resource["status"] != "current":
            bundle.fault(Code.ATTACHMENT_STATUS, f"{document.at}.status")
        for index, content in enumerate(document.resource["content"]):
            at = f"{document.at}.content[{index}].attachment"
            listed.append(_read(bundle, document, content["attachment"], at, lifted, len(listed) + 1))
    if len(listed) > MOST:
        bundle.fault(Code.ATTACHMENTS_TOO_MANY, "Bundle.entry.resource.ofType(DocumentReference)")
    for act in bundle.all("Communication"):
        for index, item in enumerate(act.resource.get("payload", ())):
            if "contentAttachment" in item:
                bundle.fault(Code.ATTACHMENT_ELSEWHERE, f"{act.at}.payload[{index}].content")
    return listed


def _read(bundle: Bundle, document: Located, attachment: Json, at: str, lifted: Mapping[str, bytes], number: int) -> dict[str, Any]:
    kind = TYPES.get(attachment.get("contentType", "").strip().lower())
    if kind is None:
        bundle.fault(Code.ATTACHMENT_TYPE, f"{at}.contentType")
    if "url" in attachment:
        bundle.fault(Code.ATTACHMENT_NOT_INSIDE, f"{at}.url")
    if "data" not in attachment:
        bundle.fault(Code.ATTACHMENT_NOT_INSIDE, f"{at}.data")
        return {}
    try:
        content = _decoded(lifted.get(attachment["data"]) or attachment["data"])
    except ValueError:
        bundle.fault(Code.ATTACHMENT_DATA, f"{at}.data")
        return {}
    for code, name in _faults(content, attachment, kind):
        bundle.fault(code, f"{at}.{name}")
    resource = document.resource
    on = full_date(attachment.get("creation")) or full_date(resource.get("date"))
    kinds = [resource.get("type", {}), *resource.get("category", ())]
    return present(
        {
            "number": number,
            "title": attachment.get("title"),
            "kind": next(filter(None, map(label, kinds)), None),
            "description": resource.get("description"),
            "file_type": kind.name if kind else None,
            "bytes": len(content),
            "on": on.isoformat() if on else None,
            "language": attachment.get("language"),
        }
    )


def _faults(content: bytes, attachment: Json, kind: FileType | None) -> Iterator[tuple[Code, str]]:
    if len(content) > MOST_BYTES:
        yield Code.ATTACHMENT_TOO_LARGE, "data"
    if kind is not None and not content.startswith(kind.begins):
        yield Code.ATTACHMENT_TYPE_DIFFERS, "contentType"
    if attachment.get("size", len(content)) != len(content):
        yield Code.ATTACHMENT_SIZE, "size"
    if "hash" in attachment and attachment["hash"] != b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode():
        yield Code.ATTACHMENT_HASH, "hash"


def _decoded(data: str | bytes) -> bytes:
    """Return the bytes that base64 stands for, white space aside (FHIR R4); bytes are a text as JSON wrote it. Raises ``ValueError``."""
    try:
        return a2b_base64(data, strict_mode=True)
    except ValueError:
        text = orjson.loads(b'"%b"' % data) if isinstance(data, bytes) else data
        return a2b_base64(text.encode().translate(None, _WHITE_SPACE), strict_mode=True)


def unpack(original: bytes) -> list[Unpacked]:
    """Return the attachments of a message as it was received, in the order of the card; raises ``ValueError`` if it holds no such message.

    The ending is that of the type that the content shows, ``bin`` if it shows none; nothing of a name comes from the message.
    """
    document = json.loads(original)
    if not isinstance(document, dict):
        raise ValueError("not a message")
    contents = [_decoded(attachment["data"]) for attachment in attachments_of(document) if isinstance(attachment.get("data"), str)]
    return [Unpacked(number, _ending(content), content) for number, content in enumerate(contents, start=1)]


def _ending(content: bytes) -> str:
    return next((kind.ending for kind in TYPES.values() if content.startswith(kind.begins)), "bin")
