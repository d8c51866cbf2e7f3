# SPDX-License-Identifier: MIT
"""Revealing who a child is, for authorities whose key the service keeps: the reason is in the log first, then the opener opens.

The web process asks and never holds the key; the opener, a process of its own, believes no one and looks the committed grant up itself.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Engine, Row, insert, select, update

from audit.detail import Detail
from audit.detail_store import append_with_detail
from audit.events import Event
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import Clock
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused, Unavailable
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.privacy.keys import RecipientPrivateKey, VerifyingKey
from notify_gateway.privacy.sealing import CannotOpen, open_envelope, strip_outer
from notify_gateway.store import outbox, row_level, shred
from notify_gateway.store.collection import AuthorityDeliveries
from notify_gateway.store.hand_overs import MOST_NOTES, AuthorityHandOvers, Note
from notify_gateway.store.tables import audit_tables, event_details, messages, reveal_grants
from notify_gateway.use_cases import acts
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.gateway_keys import signer_of

Kind = Literal["card", "original", "note"]

LASTS = timedelta(minutes=1)
"""How long a grant may wait for the opener; the reveal itself is one answer."""
MOST_ANSWER = 8 * 1024 * 1024
CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_-]{0,39}")


class RevealReason(StrEnum):
    """Why an officer needs to know who the child is."""

    CONTACT_FAMILY = "contact-family"
    ALREADY_KNOWN = "already-known"
    RESPONSIBLE_AUTHORITY = "responsible-authority"
    ANSWER_PARENT = "answer-parent"
    SAFEGUARDING = "safeguarding"


@dataclass(frozen=True, slots=True)
class Grant:
    """A committed permission to open one envelope once."""

    id: UUID
    expires_at: datetime


def grant(gateway: Gateway, *, authority: str, delivery_id: UUID, kind: Kind, reason: str, case_reference: str) -> Grant:
    """Commit the permission, with its reason, to database and log.

    Raises ``Refused`` without a known reason and a case reference, ``NotFound`` for a delivery that is not the authority's, and
    ``Conflict`` where the authority has sent the delivery back, or holds its key itself, for then nobody here can open anything.
    """
    if reason not in set(RevealReason) or CASE.fullmatch(case_reference) is None:
        raise Refused(Issue(Code.REVEAL_REASON_MISSING))
    now = gateway.clock.now()
    receiver = gateway.receivers.get().get(authority)
    made = Grant(uuid4(), now + LASTS)
    with gateway.engine.begin() as connection:
        row = AuthorityDeliveries(connection, authority).find(delivery_id)
        if row is None:
            raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
        # Whoever says that a child is not theirs has no reason left to see who it is.
        if row.state == "sent-back":
            raise Conflict(Issue(Code.DELIVERY_STATE))
        if receiver is None or receiver.custody != "managed":
            raise Conflict(Issue(Code.KEY_NOT_HELD_HERE))
        values = {
            "id": made.id,
            "message_id": row.message_id,
            "authority": authority,
            "kind": kind,
            "reason": reason,
            "granted_at": now,
            "expires_at": made.expires_at,
        }
        connection.execute(insert(reveal_grants), [values])
        subject = str(row.notification_id)
        fields = {"authority": authority, "kind": kind, "reason": reason, "grant": str(made.id)}
        event = Event("reveal:granted", at=now, actor=authority, subject=subject, fields=fields)
        # At the authority a case reference may lead to the family, so the entry only commits to it.
        append_with_detail(connection, audit_tables, event_details, event, Detail.of(case_reference), about=subject)
    return made


@dataclass(frozen=True)
class Vault:
    """All that the opener has: the databases and the gateway's public keys. None of the service's private keys is among it."""

    clock: Clock
    engine: Engine
    shred_engine: Engine
    gateway_public: VerifyingKey
    other_keys: tuple[VerifyingKey, ...] = ()

    def signer_of(self, header: bytes, signature: bytes) -> VerifyingKey:
        """Return which of the gateway's keys has signed the header; raises ``CannotOpen`` when none has."""
        return signer_of(header, signature, (*self.other_keys, self.gateway_public))


def open_granted(vault: Vault, keys: dict[str, RecipientPrivateKey], grant_id: UUID) -> PrivateBytes:
    """Use a grant up and return the plaintext: what the opener process does, and nobody else.

    That it is about to be opened is in the log before it is, and that it was opened before anybody gets it. Raises ``NotFound`` unless the
    grant is committed, fresh and unused, and ``Conflict`` when no managed key fits or the envelope was erased.
    """
    used, notification_id, parts, notes = _use_up(vault, grant_id)
    try:
        key = keys.get(used.authority)
        plaintext = _open_notes(vault, key, notes) if used.kind == "note" else _open(vault, key, used, notification_id, parts)
    except (Conflict, CannotOpen):
        _tell(vault, grant_id, "opening:failed", used, notification_id, code=Code.KEY_NOT_HELD_HERE.value)
        raise Conflict(Issue(Code.KEY_NOT_HELD_HERE)) from None
    _tell(vault, grant_id, "envelope:opened", used, notification_id)
    return plaintext


def _use_up(vault: Vault, grant_id: UUID) -> tuple[Row[Any], UUID, outbox.Parts, Sequence[Note]]:
    now = vault.clock.now()
    with vault.engine.begin() as connection:
        used = connection.execute(
            update(reveal_grants)
            .where(reveal_grants.c.id == grant_id, reveal_grants.c.used_at.is_(None), reveal_grants.c.expires_at > now)
            .values(used_at=now)
            .returning(reveal_grants.c.message_id, reveal_grants.c.authority, reveal_grants.c.kind)
        ).one_or_none()
        if used is None:
            raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
        notification_id = connection.execute(select(messages.c.notification_id).where(messages.c.id == used.message_id)).scalar_one()
        acts.begin(connection, grant_id, _event("opening:attempted", now, grant_id, used, notification_id))
        row_level.act_for(connection, used.authority)
        own = AuthorityHandOvers(connection, used.authority)
        notes = own.notes(notification_id, limit=MOST_NOTES) if used.kind == "note" else ()
        return used, notification_id, outbox.parts(connection, [used.message_id])[used.message_id], notes


def _open(vault: Vault, key: RecipientPrivateKey | None, used: Row[Any], notification_id: UUID, parts: outbox.Parts) -> PrivateBytes:
    shred_key = shred.find(vault.shred_engine, [used.message_id]).get(used.message_id)
    envelope = next((item for item in parts.envelopes if item.kind == used.kind), None)
    if shred_key is None or key is None or envelope is None:
        raise Conflict(Issue(Code.KEY_NOT_HELD_HERE))
    inner = strip_outer(envelope.stored, shred_key, notification_id, envelope.kind)
    signer = vault.signer_of(envelope.header, envelope.signature)
    return PrivateBytes(open_envelope(envelope.header, envelope.signature, inner, private_key=key, gateway_public=signer))


def _open_notes(vault: Vault, key: RecipientPrivateKey | None, notes: Sequence[Note]) -> PrivateBytes:
    """Return, as JSON, the text of each note by its id; one that was sealed to a key that the authority had before is left out."""
    shred_keys = shred.find(vault.shred_engine, {note.message_id for note in notes})
    texts: dict[str, str] = {}
    for note in notes:
        if key is None or note.message_id not in shred_keys:
            continue
        with suppress(CannotOpen):
            inner = strip_outer(note.stored, shred_keys[note.message_id], note.notification_id, "note")
            signer = vault.signer_of(note.header, note.signature)
            opened = open_envelope(note.header, note.signature, inner, private_key=key, gateway_public=signer)
            texts[str(note.id)] = opened.decode()
    return PrivateBytes(orjson.dumps(texts))


def _tell(vault: Vault, grant_id: UUID, tag: str, used: Row[Any], notification_id: UUID, **more: str) -> None:
    with vault.engine.begin() as connection:
        acts.end(connection, grant_id, _event(tag, vault.clock.now(), grant_id, used, notification_id, **more))


def _event(tag: str, at: datetime, grant_id: UUID, used: Row[Any], notification_id: UUID, **more: str) -> Event:
    fields = {"authority": used.authority, "kind": used.kind, "grant": str(grant_id), **more}
    return Event(tag, at=at, actor="opener", subject=str(notification_id), fields=fields)


def ask_opener(opener: Path | None, granted: Grant, *, within: float = 10.0) -> PrivateBytes:
    """Return what the opener opened under the grant; raises ``Unavailable`` when it does not answer, ``Conflict`` when it refuses."""
    if opener is None:
        raise Unavailable(Code.OPENER_UNAVAILABLE)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(within)
            link.connect(str(opener))
            link.sendall(orjson.dumps({"grant": str(granted.id)}) + b"\n")
            answer = _read_all(link)
    except OSError:
        raise Unavailable(Code.OPENER_UNAVAILABLE) from None
    if not answer.startswith(b"ok\n"):
        raise Conflict(Issue(Code.KEY_NOT_HELD_HERE))
    return PrivateBytes(answer[3:])


def _read_all(link: socket.socket) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := link.recv(65536):
        size += len(chunk)
        if size > MOST_ANSWER:
            raise OSError("the opener's answer is too long")
        chunks.append(chunk)
    return b"".join(chunks)
