# SPDX-License-Identifier: MIT
"""Showing an officer who a child is, where the service keeps the authority's key: reason first, in the log first, for a while.

While the permission lasts its owner may look again, counted, without another reason; each look is opened anew by the opener, and nothing
that was opened is kept. When it has run out the server shows nothing, whatever a browser asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Connection, Row, insert

from audit.detail import Detail
from audit.detail_store import append_with_detail
from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import Card
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.privacy.cards import read_card
from notify_gateway.store import outbox, shred
from notify_gateway.store.hand_overs import AuthorityHandOvers, HandOver
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Members
from notify_gateway.store.tables import audit_tables, event_details, reveal_grants
from notify_gateway.use_cases.collect import COLLECTABLE
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.reveal import CASE, LASTS, Grant, RevealReason, ask_opener

Kind = Literal["card", "original"]
_ACTS = {"card": Act.REVEAL_CARD, "original": Act.REVEAL_ORIGINAL}


@dataclass(frozen=True, slots=True)
class Seen:
    """A card that was opened for its reader, until when it may be shown; what it holds does not print."""

    until: datetime
    reference: str
    notification_id: UUID
    event: str
    view: Mapping[str, Any]
    card: Card


@dataclass(frozen=True, slots=True)
class View:
    """That somebody saw who a child is, or the original message: why, when, how often."""

    who: str
    kind: str
    reason: str
    at: datetime
    times: int


def permit(gateway: Gateway, *, by: Person, reference: str, kind: Kind, reason: str, case_reference: str, window: timedelta) -> HandOver:
    """The person may see the card, or the original, for ``window``; that and why is committed to database and log.

    Where their permission still runs, that one stands. Raises ``NotAllowed``; ``NotFound`` for a notification that is not in the
    authority's inbox; ``Refused`` without a known reason and a case reference; ``Conflict`` for one that was sent back, withdrawn or
    erased, and where the authority holds its own key, for then nobody here can open anything.
    """
    require(by, _ACTS[kind])
    kid = _kid(gateway, by)
    now = gateway.clock.now()
    with scoped(gateway.engine, by.organisation) as connection:
        own = AuthorityHandOvers(connection, by.organisation)
        row = _delivery(own, reference)
        held = own.running(by.id, row.notification_id, kind, now=now)
        if held is not None:
            return held
        if reason not in set(RevealReason) or CASE.fullmatch(case_reference) is None:
            raise Refused(Issue(Code.REVEAL_REASON_MISSING))
        if row.message_id not in shred.find(gateway.shred_engine, [row.message_id]):
            raise Conflict(Issue(Code.KEY_NOT_HELD_HERE))
        made = HandOver(
            id=uuid4(),
            authority=row.authority,
            person_id=by.id,
            notification_id=row.notification_id,
            kind=kind,
            reason=reason,
            kid=kid,
            granted_at=now,
            expires_at=now + window,
            times=0,
            last_at=now,
        )
        own.add(made)
        fields = {"authority": made.authority, "kind": kind, "reason": reason, "grant": str(made.id)}
        subject = str(made.notification_id)
        event = Event("reveal:granted", at=now, actor=by.actor, subject=subject, fields=fields)
        # At the authority a case reference may lead to the family, so the entry only commits to it.
        append_with_detail(connection, audit_tables, event_details, event, Detail.of(case_reference), about=subject)
    return made


def running(gateway: Gateway, *, by: Person, notification_id: UUID, kind: Kind) -> HandOver | None:
    """Return the person's permission that still runs, if there is one."""
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        own = AuthorityHandOvers(connection, by.organisation)
        return own.running(by.id, notification_id, kind, now=gateway.clock.now())


def look(gateway: Gateway, *, by: Person, reference: str) -> Seen | None:
    """Return the card under the person's permission, opened for this look alone and counted; None where none runs any more.

    Raises what ``permit`` raises, and ``Unavailable`` when the opener does not answer.
    """
    found = _use(gateway, by, reference, "card")
    if found is None:
        return None
    held, row, parts, opened = found
    sealed = read_card(opened.reveal())
    return Seen(held.expires_at, row.reference, row.notification_id, row.event, orjson.loads(parts.view), sealed.card)


def look_at_original(gateway: Gateway, *, by: Person, reference: str) -> PrivateBytes | None:
    """Return the message exactly as it was received, under the manager's own second permission; None where none runs any more."""
    found = _use(gateway, by, reference, "original")
    return None if found is None else found[3]


def end(gateway: Gateway, *, by: Person, reference: str) -> None:
    """The person's permissions for the notification have run out; where none runs, nothing happens. Raises ``NotFound``."""
    now = gateway.clock.now()
    with scoped(gateway.engine, by.organisation) as connection:
        own = AuthorityHandOvers(connection, by.organisation)
        row = own.latest(reference)
        if row is None:
            raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
        for kind in _ACTS:
            held = own.running(by.id, row.notification_id, kind, now=now)
            if held is not None:
                own.end(held, at=now)
                fields = {"authority": held.authority, "grant": str(held.id)}
                event = Event("reveal:ended", at=now, actor=by.actor, subject=str(held.notification_id), fields=fields)
                append(connection, audit_tables, [event])


def views(gateway: Gateway, *, by: Person, notification_id: UUID) -> tuple[View, ...]:
    """Return who of the authority saw who the child is, the latest first; for the notification's own history."""
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        held = AuthorityHandOvers(connection, by.organisation).of_notification(notification_id)
        names = Members(connection, by.organisation).names({each.person_id for each in held})
    return tuple(
        View(names.get(each.person_id, "A former colleague"), each.kind, each.reason, each.granted_at, each.times)
        for each in reversed(held)
    )


def _use(gateway: Gateway, by: Person, reference: str, kind: Kind) -> tuple[HandOver, Row[Any], outbox.Parts, PrivateBytes] | None:
    require(by, _ACTS[kind])
    kid = _kid(gateway, by)
    now = gateway.clock.now()
    with scoped(gateway.engine, by.organisation) as connection:
        own = AuthorityHandOvers(connection, by.organisation)
        row = _delivery(own, reference)
        held = own.running(by.id, row.notification_id, kind, now=now)
        if held is None:
            return None
        held = own.again(held, kid=kid, at=now)
        grant = _grant(connection, by, row, held, now)
        parts = outbox.parts(connection, [row.message_id])[row.message_id]
    return held, row, parts, ask_opener(gateway.settings.opener_socket, grant)


def _grant(connection: Connection, by: Person, row: Row[Any], held: HandOver, now: datetime) -> Grant:
    made = Grant(uuid4(), now + LASTS)
    values = {"id": made.id, "message_id": row.message_id, "authority": row.authority, "kind": held.kind, "reason": held.reason}
    connection.execute(insert(reveal_grants), [{**values, "granted_at": now, "expires_at": made.expires_at}])
    fields = {"authority": row.authority, "kind": held.kind, "grant": str(held.id)}
    append(connection, audit_tables, [Event("reveal:used", at=now, actor=by.actor, subject=str(row.notification_id), fields=fields)])
    return made


def _kid(gateway: Gateway, by: Person) -> str:
    receiver = gateway.receivers.get().get(by.organisation)
    if receiver is None or receiver.custody != "managed" or not receiver.live_keys:
        raise Conflict(Issue(Code.KEY_NOT_HELD_HERE))
    return receiver.live_keys[0].kid


def _delivery(own: AuthorityHandOvers, reference: str) -> Row[Any]:
    row = own.latest(reference)
    if row is None:
        raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
    # Whoever says that a child is not theirs has no reason left to see who it is, and what was withdrawn is nobody's business.
    if row.state not in COLLECTABLE or row.event == "delete":
        raise Conflict(Issue(Code.DELIVERY_STATE))
    return row
