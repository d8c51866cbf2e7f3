# SPDX-License-Identifier: MIT
"""Handing a sealed card, or the sealed original, to a browser that can open it: reason first, in the log first, for a while, one device.

The service strips the outer layer and cannot open the inner one. While the permission lasts the same person may take it again, counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Connection, Row

from audit.detail import Detail
from audit.detail_store import append_with_detail
from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.privacy import wording
from notify_gateway.privacy.encoding import to_base64
from notify_gateway.privacy.sealing import CannotOpen, Kind, parse_header, strip_outer
from notify_gateway.store import outbox, shred
from notify_gateway.store.acceptance import Envelope
from notify_gateway.store.devices import AuthorityDevices
from notify_gateway.store.hand_overs import MOST_NOTES, AuthorityHandOvers, HandOver, Note
from notify_gateway.store.parties import Receiver
from notify_gateway.store.row_level import scoped
from notify_gateway.store.tables import audit_tables, event_details
from notify_gateway.use_cases.collect import COLLECTABLE
from notify_gateway.use_cases.devices.enrol import receiver_of
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.gateway_keys import vouched
from notify_gateway.use_cases.reveal import CASE, RevealReason

FORMAT = "notify-gateway/hand-over"
VERSION = 1
SHOWN_FOR = timedelta(minutes=30)

Handed = Literal["card", "original"]
_ACTS = {"card": Act.REVEAL_CARD, "original": Act.REVEAL_ORIGINAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a browser asks for. Without a reason it asks again under a permission that still runs."""

    reference: str
    kind: Handed
    kid: str
    reason: str = ""
    case_reference: str = ""


def hand_over(gateway: Gateway, *, by: Person, asked: Asked, lasts: timedelta = SHOWN_FOR) -> bytes:
    """Return, as JSON, the sealed envelope with the notes about the notification; that this happened is in the log before.

    Raises ``NotAllowed``; ``NotFound`` for a notification that is not in the authority's inbox; ``Refused`` without a reason and a case
    reference where no permission runs; ``Conflict`` in managed custody, for a notification that was sent back, withdrawn, overtaken or
    erased, and for a device that is not live or came after what is asked for.
    """
    require(by, _ACTS[asked.kind])
    receiver = receiver_of(gateway, by)
    now = gateway.clock.now()
    with scoped(gateway.engine, receiver.gss) as connection:
        own = AuthorityHandOvers(connection, receiver.gss)
        row = delivery_of(own, asked.reference)
        _require_live(connection, receiver, asked.kid)
        parts = outbox.parts(connection, [row.message_id])[row.message_id]
        _require_for(parts, asked)
        made = permission(connection, own, row, by, asked, now, lasts)
        notes = own.notes(row.notification_id, limit=MOST_NOTES) if asked.kind == "card" else ()
        tell(connection, made, by, notes)
    keys = shred.find(gateway.shred_engine, {row.message_id, *(note.message_id for note in notes)})
    if row.message_id not in keys:
        raise Conflict(Issue(Code.KEY_NOT_HELD_HERE))
    return _document(gateway, made, row, parts, notes, keys)


def sealed_for(gateway: Gateway, *, by: Person, reference: str) -> UUID:
    """Return the notification that could be handed over; nothing is. Raises as ``hand_over`` does where it could not."""
    require(by, Act.REVEAL_CARD)
    receiver = receiver_of(gateway, by)
    with scoped(gateway.engine, receiver.gss, reading=True) as connection:
        row = delivery_of(AuthorityHandOvers(connection, receiver.gss), reference)
    found: UUID = row.notification_id
    return found


def running(gateway: Gateway, *, by: Person, notification_id: UUID, kind: Handed) -> HandOver | None:
    """Return the person's permission that still runs; for the page, which then asks no reason."""
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        own = AuthorityHandOvers(connection, by.organisation)
        return own.running(by.id, notification_id, kind, now=gateway.clock.now())


def delivery_of(own: AuthorityHandOvers, reference: str) -> Row[Any]:
    """Return the newest delivery, if it may be opened; raises ``NotFound``, ``Conflict``."""
    row = own.latest(reference)
    if row is None:
        raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
    # Whoever says that a child is not theirs has no reason left to see who it is, and what was withdrawn is nobody's business.
    if row.state not in COLLECTABLE or row.event == "delete":
        raise Conflict(Issue(Code.DELIVERY_STATE))
    return row


def _require_live(connection: Connection, receiver: Receiver, kid: str) -> None:
    own = AuthorityDevices(connection, receiver.gss)
    device = own.of_key(kid)
    if device is None:
        raise NotFound(Issue(Code.DEVICE_UNKNOWN))
    if device.ended_at is not None or not any(key.kid == kid and key.retired_at is None for key in own.registered()):
        raise Conflict(Issue(Code.DEVICE_NOT_LIVE))


def _require_for(parts: outbox.Parts, asked: Asked) -> None:
    envelope = next((each for each in parts.envelopes if each.kind == asked.kind), None)
    if envelope is None:
        raise Conflict(Issue(Code.KEY_NOT_HELD_HERE))
    try:
        told = parse_header(envelope.header)
    except CannotOpen:
        raise Conflict(Issue(Code.KEY_NOT_HELD_HERE)) from None
    if not any(key.kid == asked.kid for key in told.keys):
        raise Conflict(Issue(Code.NOT_FOR_THIS_DEVICE))


def permission(
    connection: Connection, own: AuthorityHandOvers, row: Row[Any], by: Person, asked: Asked, now: datetime, lasts: timedelta
) -> HandOver:
    """Return the permission that runs, counted, or a new one, whose reason is then in the log; raises ``Refused`` without a reason."""
    held = own.running(by.id, row.notification_id, asked.kind, now=now)
    if held is not None:
        return own.again(held, kid=asked.kid, at=now)
    if asked.reason not in set(RevealReason) or CASE.fullmatch(asked.case_reference) is None:
        raise Refused(Issue(Code.REVEAL_REASON_MISSING))
    made = HandOver(
        id=uuid4(),
        authority=row.authority,
        person_id=by.id,
        notification_id=row.notification_id,
        kind=asked.kind,
        reason=asked.reason,
        kid=asked.kid,
        granted_at=now,
        expires_at=now + lasts,
        times=1,
        last_at=now,
    )
    own.add(made)
    subject = str(row.notification_id)
    fields = {"authority": row.authority, "kind": asked.kind, "reason": asked.reason, "grant": str(made.id)}
    event = Event("reveal:granted", at=now, actor=by.actor, subject=subject, fields=fields)
    # At the authority a case reference may lead to the family, so the entry only commits to it.
    append_with_detail(connection, audit_tables, event_details, event, Detail.of(asked.case_reference), about=subject)
    return made


def tell(connection: Connection, made: HandOver, by: Person, notes: Sequence[Note] = ()) -> None:
    """Say in the log that it was handed over."""
    fields: dict[str, str | int] = {"authority": made.authority, "grant": str(made.id), "kid": made.kid, "kind": made.kind}
    if notes:
        fields["notes"] = len(notes)
    subject = str(made.notification_id)
    append(connection, audit_tables, [Event("envelope:handed_over", at=made.last_at, actor=by.actor, subject=subject, fields=fields)])


def _document(
    gateway: Gateway, made: HandOver, row: Row[Any], parts: outbox.Parts, notes: Sequence[Note], keys: dict[UUID, bytes]
) -> bytes:
    opened = {each.kind: each for each in parts.envelopes}
    return orjson.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "kind": made.kind,
            "authority": made.authority,
            "notification_id": str(made.notification_id),
            "reference": row.reference,
            "grant": str(made.id),
            "expires_at": made.expires_at.isoformat(),
            "seconds_left": int((made.expires_at - made.last_at).total_seconds()),
            "times": made.times,
            "gateway_key": gateway.signing_key.kid,
            # The very bytes that the header's digest is of, for the browser to check.
            "view": parts.view.decode(),
            # The digest of the original stands in the card, so the original comes with the card it belongs to.
            "envelopes": {
                kind: _sealed(gateway, opened[kind], keys[row.message_id], made, kind)
                for kind in ("card", *(("original",) if made.kind == "original" else ()))
            },
            "notes": [
                {
                    "note_id": str(note.id),
                    "written_at": note.written_at.isoformat(),
                    **_sealed(gateway, note, keys[note.message_id], made, "note"),
                }
                for note in notes
                if note.message_id in keys
            ],
            "words": {
                "headings": wording.HEADINGS,
                "labels": wording.LABELS,
                "not_scanned": wording.NOT_SCANNED,
                "its_own_agreement": wording.ITS_OWN_AGREEMENT,
            },
        }
    )


def _sealed(gateway: Gateway, kept: Envelope | Note, key: bytes, made: HandOver, kind: Kind) -> dict[str, str]:
    inner = strip_outer(kept.stored, key, made.notification_id, kind)
    signature = vouched(gateway, kept.header, kept.signature)
    return {"header": to_base64(kept.header), "signature": to_base64(signature), "sealed": to_base64(inner)}
