# SPDX-License-Identifier: MIT
"""Alerting authorities that something waits: where, when, and what came of it. An alert closes no delivery."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.alerts import MOST_POSTS, MOST_TOLD, Alert, AlertKind, AlertResult, read_address
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused
from notify_gateway.domain.outbox_policy import back_off
from notify_gateway.egress.guard import Egress, EgressRefused
from notify_gateway.store import alerts, parties
from notify_gateway.store.alerts import AlertAddress
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import acts
from notify_gateway.use_cases.client_keys import Books
from notify_gateway.use_cases.gateway import Core

LEASE = timedelta(minutes=2)
"""How long one attempt may take before another scheduler may make the next; longer than any time-out of a sender."""
RETRY_FIRST, RETRY_MOST = timedelta(seconds=30), timedelta(hours=1)
_MOST = {AlertKind.EMAIL: MOST_TOLD, AlertKind.WEBHOOK: MOST_POSTS}


@dataclass(frozen=True, slots=True)
class AddressStanding:
    """An address and how many deliveries wait for its authority."""

    address: AlertAddress
    waiting: int


def add_address(books: Books, *, authority: str, kind: AlertKind, address: str, actor: str) -> AlertAddress:
    """Alert the authority at a further address from now on, of what waits already too.

    Raises ``NotFound`` for an authority that is not on the service, ``Refused`` for an address that no alert can go to, ``Conflict`` for
    one that it has already, or for a mailbox while the service sends no e-mail.
    """
    now = books.clock.now()
    read_address(kind, address)
    if kind is AlertKind.EMAIL and books.settings.smtp_host is None:
        raise Conflict(Issue(Code.ALERT_MAIL_OFF))
    if kind is AlertKind.WEBHOOK:
        _require_reachable(address, Egress(allow_private=books.settings.webhook_allow_private))
    made = AlertAddress(uuid4(), authority, kind, address, now, now, 0, None, None)
    with books.engine.begin() as connection:
        if authority not in parties.receivers(connection):
            raise NotFound(Issue(Code.AUTHORITY_NOT_SERVED))
        if alerts.find(connection, authority=authority, kind=kind, address=address) is not None:
            raise Conflict(Issue(Code.ALERT_KNOWN))
        alerts.add(connection, made)
        _record_change(connection, made, now, actor, after=kind.value)
    return made


def remove_address(books: Books, *, authority: str, kind: AlertKind, address: str, actor: str) -> AlertAddress:
    """Alert the authority there no more; raises ``NotFound`` when it is not."""
    now = books.clock.now()
    with books.engine.begin() as connection:
        found = alerts.find(connection, authority=authority, kind=kind, address=address)
        if found is None:
            raise NotFound(Issue(Code.ALERT_UNKNOWN))
        alerts.remove(connection, found.id, at=now)
        _record_change(connection, found, now, actor, before=kind.value)
    return found


def list_addresses(books: Books, *, authority: str | None = None) -> list[AddressStanding]:
    """Return where authorities are alerted, all of them or one, and how much waits for each."""
    with reading(books.engine).begin() as connection:
        return [
            AddressStanding(each, alerts.waiting(connection, each.authority)) for each in alerts.listed(connection, authority=authority)
        ]


def due(core: Core, kind: AlertKind) -> list[UUID]:
    """Return the addresses of this kind that have something to be told of and may be told now."""
    with reading(core.engine).begin() as connection:
        return alerts.due(connection, kind, now=core.clock.now())


def begin(core: Core, address_id: UUID) -> Alert | None:
    """Take an address for one attempt, which stands in the log before this returns; None if nothing is due there any more."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        address = alerts.claim(connection, address_id, now=now, until=now + LEASE)
        if address is None:
            return None
        untold = alerts.untold(connection, address, limit=_MOST[address.kind])
        if not untold:
            connection.rollback()
            return None
        name, channel = alerts.custody(connection, address.authority)
        alert = Alert(
            id=uuid4(),
            address_id=address.id,
            kind=address.kind,
            address=address.address,
            authority=address.authority,
            name=name,
            custody_channel=channel,
            attempt=address.attempts,
            waiting=alerts.waiting(connection, address.authority),
            untold=untold,
        )
        acts.begin(connection, alert.id, _event("alert:attempted", alert, now, count=len(untold), attempt=alert.attempt))
    return alert


def finish(core: Core, alert: Alert, result: AlertResult) -> None:
    """Record what became of an alert: what was told is told once, the rest is due again, later each time that it fails."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        alerts.remember(connection, alert.address_id, result.told)
        sent_at = now if result.told else None
        if result.code is None:
            pause = core.settings.alert_pause if alert.kind is AlertKind.EMAIL else timedelta(0)
            alerts.release(connection, alert.address_id, due_at=now + pause, sent_at=sent_at)
            event = _event("alert:sent", alert, now, count=len(result.told), attempt=alert.attempt)
        else:
            chance = random.random()  # noqa: S311 - spreads load; nothing secret
            delay = back_off(alert.attempt, first=RETRY_FIRST, most=RETRY_MOST, chance=chance)
            if result.retry_after is not None:
                delay = max(delay, min(timedelta(seconds=result.retry_after), RETRY_MOST))
            alerts.release(connection, alert.address_id, due_at=now + delay, sent_at=sent_at, failed=result.code)
            event = _event("alert:failed", alert, now, count=len(result.told), attempt=alert.attempt, code=result.code)
        acts.end(connection, alert.id, event)


def _require_reachable(url: str, egress: Egress) -> None:
    try:
        egress.url(url)
    except EgressRefused:
        raise Refused(Issue(Code.ALERT_ADDRESS)) from None


def _event(tag: str, alert: Alert, now: datetime, **fields: str | int) -> Event:
    fields |= {"authority": alert.authority, "kind": alert.kind.value, "address": str(alert.address_id)}
    return Event(tag, at=now, actor="service", subject=str(alert.id), fields=fields)


def _record_change(connection: Connection, address: AlertAddress, now: datetime, actor: str, **change: str) -> None:
    """Record that the address came or went, by its id: a mailbox can be a person's name."""
    fields = {"authority": address.authority, **change}
    subject = f"authority/{address.authority}/alert/{address.id}"
    append(connection, audit_tables, [Event("config:changed", at=now, actor=actor, subject=subject, fields=fields)])
