# SPDX-License-Identifier: MIT
"""A batch of deliveries as files: the sealed documents, a CSV of their views, and a signed manifest that names each file and its digest.

Nothing but the view is in the clear. The same deliveries make the same files under the same batch id, byte for byte, so a batch that is
put down twice is one batch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from notify_gateway.privacy.encoding import canonical_json, from_base64, parse_canonical, sha256_hex, to_base64
from notify_gateway.privacy.signing import VerifyingKey
from notify_gateway.privacy.spreadsheet import as_csv

FORMAT: Final = "notify-gateway/drop"
VERSION: Final = 1
MANIFEST: Final = "manifest.json"
VIEWS: Final = "deliveries.csv"
RECEIPTS: Final = "acks"
"""Folder beside the batches in which the receiver says what it has, a file for each delivery."""
BATCH_ID: Final = re.compile(r"[0-9a-f]{32}")
MOST_MANIFEST: Final = 4 * 1024 * 1024
_MEANING = b"notify-gateway drop manifest\n"
_DAYS = ("opinion_formed_on", "parent_informed_on", "discussion_offered_on", "sent_on")
_OF_NEEDS = ("sen_type", "area", "certainty", "kinds", "strength", "table_version")
_LATER = ("voluntary_organisation", "do_not_contact_before")
"""Fields that views made before 22 November 2026 lack."""
COLUMNS: Final = (
    *("delivery_id", "reference", "event", "notification_id", "file", "sha256"),
    *("authority", "child", "sender", "sender_service"),
    *(f"need_{name}" for name in _OF_NEEDS),
    *_DAYS,
    *("term_cohort", "parent_view", *_LATER, "flags"),
)
"""The columns of the CSV: what the delivery is, then the fields of the view. Of several needs, each cell lists them with ``;`` between."""


class DropUnreadable(Exception):
    """What should be a document or a manifest is none; the message holds nothing of it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One delivery document as it goes into a batch: its bytes, and the cells of its row."""

    delivery_id: UUID
    content: bytes
    row: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.delivery_id}.json"

    @property
    def digest(self) -> str:
        """The SHA-256 of its bytes, in hexadecimal digits."""
        return self.row["sha256"]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch ready to be put down: the documents, the CSV, and the manifest, which must be seen last."""

    id: str
    documents: tuple[Sealed, ...]
    views: bytes
    manifest: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A delivery as a manifest names it."""

    delivery_id: UUID
    name: str
    digest: str
    reference: str
    event: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that the gateway signed."""

    batch: str
    authority: str
    entries: tuple[Entry, ...]


def read_document(delivery_id: UUID, content: bytes) -> Sealed:
    """Return a delivery document with its row, which is made of the view alone; raises ``DropUnreadable`` if it is not this delivery's."""
    try:
        document = json.loads(content)
        if document["delivery_id"] != str(delivery_id):
            raise DropUnreadable
        return Sealed(delivery_id, content, _row(document, sha256_hex(content)))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise DropUnreadable from None


def batch_id(authority: str, documents: Sequence[Sealed]) -> str:
    """Return the id of the batch that these documents make, in whatever order."""
    named = sorted(f"{each.delivery_id} {each.digest}" for each in documents)
    return sha256("\n".join((FORMAT, authority, *named)).encode()).hexdigest()[:32]


def make_batch(authority: str, documents: Sequence[Sealed], *, key_id: str, sign: Callable[[bytes], bytes]) -> Batch:
    """Return the batch of these documents; ``sign`` is the Ed25519 signature of the gateway's key ``key_id``."""
    ordered = tuple(sorted(documents, key=lambda each: str(each.delivery_id)))
    views = as_csv(COLUMNS, [each.row for each in ordered])
    fields: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "batch": batch_id(authority, ordered),
        "authority": authority,
        "gateway_key": key_id,
        "views": {"file": VIEWS, "sha256": sha256_hex(views), "bytes": len(views)},
        "deliveries": [
            {name: each.row[name] for name in ("delivery_id", "reference", "event", "file", "sha256")} | {"bytes": len(each.content)}
            for each in ordered
        ],
    }
    fields["signature"] = to_base64(sign(_MEANING + canonical_json(fields)))
    return Batch(fields["batch"], ordered, views, canonical_json(fields))


def verify_manifest(content: bytes, gateway: VerifyingKey) -> Manifest:
    """Return what a manifest names; raises ``DropUnreadable`` unless the gateway signed exactly this."""
    try:
        fields: dict[str, Any] = parse_canonical(content)
        signature = from_base64(fields.pop("signature"))
        gateway.verify(signature, _MEANING + canonical_json(fields))
        if (fields["format"], fields["version"]) != (FORMAT, VERSION) or not BATCH_ID.fullmatch(fields["batch"]):
            raise DropUnreadable
        entries = [
            Entry(UUID(each["delivery_id"]), f"{UUID(each['delivery_id'])}.json", each["sha256"], each["reference"], each["event"])
            for each in fields["deliveries"]
        ]
        return Manifest(fields["batch"], fields["authority"], tuple(entries))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DropUnreadable from None


def receipt(delivery_id: UUID, digest: str) -> bytes:
    """Return the file with which a receiver says that it has the document of this SHA-256 (hexadecimal digits)."""
    return canonical_json({"delivery_id": str(delivery_id), "received": digest}) + b"\n"


def read_receipt(content: bytes) -> tuple[UUID, bytes]:
    """Return the delivery and the digest that a receipt names; raises ``DropUnreadable`` for anything else."""
    try:
        fields = json.loads(content)
        delivery, digest = fields["delivery_id"], fields["received"]
        if str(UUID(delivery)) == delivery and re.fullmatch("[0-9a-f]{64}", digest):
            return UUID(delivery), bytes.fromhex(digest)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        pass
    raise DropUnreadable


def _row(document: Mapping[str, Any], digest: str) -> dict[str, str]:
    """Take each field by name: what is not named here does not get into the file."""
    view = document["view"]
    needs = view["needs"]
    return {
        "delivery_id": document["delivery_id"],
        "reference": _text(document["reference"]),
        "event": _text(document["event"]),
        "notification_id": str(UUID(document["notification_id"])),
        "file": f"{document['delivery_id']}.json",
        "sha256": digest,
        **{name: _text(view[name]) for name in ("authority", "child", "sender", "sender_service", *_DAYS, "term_cohort", "parent_view")},
        **{f"need_{name}": ";".join(_text(need[name]) for need in needs) for name in _OF_NEEDS},
        **{name: _text(view.get(name)) for name in _LATER},
        "flags": _text(view["flags"]),
    }


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_text(each) for each in value)
    if value is not None and not isinstance(value, str):
        raise DropUnreadable
    return value or ""
