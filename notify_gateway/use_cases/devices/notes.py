# SPDX-License-Identifier: MIT
"""Keeping officers' notes: sealed in the browser where the authority holds its keys, sealed here, at once, where the service does.

A note lies under the shred key of the message that was latest when it was written: erasing who the notification is about erases it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Connection, insert

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.privacy.keys import RecipientPublicKey, RecipientPurpose, Suite
from notify_gateway.privacy.notes import NoteUnusable, UnsignedNote, read_note, seal_note
from notify_gateway.privacy.sealing import cover, sign_header
from notify_gateway.store import shred
from notify_gateway.store.hand_overs import MOST_NOTES, AuthorityHandOvers, Note
from notify_gateway.store.parties import Receiver
from notify_gateway.store.row_level import scoped
from notify_gateway.store.tables import audit_tables, reveal_grants
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.reveal import LASTS, Grant, ask_opener

MOST_SENT = 48 * 1024
"""Bytes of a sealed note as a browser sends it: a content of nine buckets and a key for each of a dozen devices, in base64."""


@dataclass(frozen=True, slots=True)
class ReadyNote:
    """A note that can be kept; ``keep`` does so."""

    note: Note
    where: str
    by: Person = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedNote:
    """A note that was opened for its reader; its text does not print."""

    id: UUID
    written_at: datetime
    text: str = field(repr=False)


def ready(gateway: Gateway, *, by: Person, notification_id: UUID, message_id: UUID, sent: bytes) -> ReadyNote:
    """Return what was sent as a note that can be kept: of an authority that holds its keys what the browser sealed, else plain text.

    Nothing is written. Raises ``NotAllowed``, ``NotFound`` for an authority that is not on the service, ``Refused`` for a note that not
    every live key opens or that is empty or too long, and ``Conflict`` where who the notification is about was erased.
    """
    require(by, Act.WORK_CASE)
    receiver = gateway.receivers.get().get(by.organisation)
    if receiver is None:
        raise NotFound(Issue(Code.AUTHORITY_NOT_SERVED))
    held = receiver.custody == "authority-held"
    try:
        note_id, made = _read(receiver, notification_id, sent) if held else _seal(receiver, notification_id, sent)
    except NoteUnusable:
        raise Refused(Issue(Code.NOTE_UNUSABLE)) from None
    key = shred.find(gateway.shred_engine, [message_id]).get(message_id)
    if key is None:
        raise Conflict(Issue(Code.KEY_NOT_HELD_HERE))
    note = Note(
        id=note_id,
        authority=receiver.gss,
        notification_id=notification_id,
        message_id=message_id,
        header=made.header,
        signature=sign_header(made.header, gateway.signing_key),
        stored=cover(made.inner, key, notification_id, "note"),
        written_by=by.actor,
        written_at=gateway.clock.now(),
    )
    return ReadyNote(note, "in-the-browser" if held else "by-the-service", by)


def keep(connection: Connection, prepared: ReadyNote) -> UUID:
    """Keep the note in the caller's transaction, with its event; return its id. The very same note sent again is kept once.

    Raises ``Refused`` when another note has its id.
    """
    note = prepared.note
    own = AuthorityHandOvers(connection, note.authority)
    held = own.find_note(note.id)
    if held is not None and (held.notification_id, held.header, held.written_by) == (note.notification_id, note.header, note.written_by):
        return note.id
    if held is not None:
        raise Refused(Issue(Code.NOTE_UNUSABLE))
    own.add_note(note)
    fields = {"authority": note.authority, "note": str(note.id), "where": prepared.where}
    subject = str(note.notification_id)
    append(connection, audit_tables, [Event("note:sealed", at=note.written_at, actor=note.written_by, subject=subject, fields=fields)])
    return note.id


def keep_now(gateway: Gateway, *, by: Person, notification_id: UUID, message_id: UUID, sent: bytes) -> UUID:
    """Keep what was sent as a note, in a transaction of its own; return its id. Raises what ``ready`` and ``keep`` raise."""
    prepared = ready(gateway, by=by, notification_id=notification_id, message_id=message_id, sent=sent)
    with scoped(gateway.engine, by.organisation) as connection:
        return keep(connection, prepared)


def look(gateway: Gateway, *, by: Person, reference: str) -> tuple[OpenedNote, ...]:
    """Return the notes of a managed authority about the notification, opened by the opener under the person's permission to see the card.

    None are returned where no permission runs. Raises ``NotAllowed``, ``NotFound``, and what the opener's refusal or silence raises.
    """
    require(by, Act.REVEAL_CARD)
    now = gateway.clock.now()
    with scoped(gateway.engine, by.organisation) as connection:
        own = AuthorityHandOvers(connection, by.organisation)
        row = own.latest(reference)
        if row is None:
            raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
        held = own.running(by.id, row.notification_id, "card", now=now)
        written = {str(note.id): note.written_at for note in own.notes(row.notification_id, limit=MOST_NOTES)}
        if held is None or not written:
            return ()
        grant = Grant(uuid4(), now + LASTS)
        values = {"id": grant.id, "message_id": row.message_id, "authority": held.authority, "kind": "note", "reason": held.reason}
        connection.execute(insert(reveal_grants), [{**values, "granted_at": now, "expires_at": grant.expires_at}])
        fields = {"authority": held.authority, "kind": "note", "grant": str(held.id)}
        append(connection, audit_tables, [Event("reveal:used", at=now, actor=by.actor, subject=str(row.notification_id), fields=fields)])
    texts: dict[str, str] = orjson.loads(ask_opener(gateway.settings.opener_socket, grant).reveal())
    return tuple(OpenedNote(UUID(note_id), at, texts[note_id]) for note_id, at in written.items() if note_id in texts)


def _read(receiver: Receiver, notification_id: UUID, sent: bytes) -> tuple[UUID, UnsignedNote]:
    try:
        document: dict[str, Any] = orjson.loads(sent if len(sent) <= MOST_SENT else b"")
        note_id = UUID(document["note_id"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise NoteUnusable("not a sealed note") from None
    live = [key.kid for key in receiver.live_keys]
    made = read_note(document, authority=receiver.gss, notification_id=notification_id, note_id=note_id, live=live)
    return note_id, made


def _seal(receiver: Receiver, notification_id: UUID, sent: bytes) -> tuple[UUID, UnsignedNote]:
    note_id = uuid4()
    keys = recipients_of(receiver)
    text = PrivateBytes(sent)
    return note_id, seal_note(text, authority=receiver.gss, notification_id=notification_id, note_id=note_id, recipients=keys)


def recipients_of(receiver: Receiver) -> list[RecipientPublicKey]:
    """Return the live keys of the authority."""
    return [
        RecipientPublicKey(key.kid, key.authority, Suite(key.suite), key.public_key, RecipientPurpose(key.purpose))
        for key in receiver.live_keys
    ]
