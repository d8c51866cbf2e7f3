# SPDX-License-Identifier: MIT
"""What a sender sees of its own notifications: where each stands, which have changed, and the proof that each is in the log."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from audit.events import micros
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, Refused
from notify_gateway.domain.model import BusinessIdentifier
from notify_gateway.fhir.names import NOTIFICATION_SYSTEM, REFERENCE_SYSTEM
from notify_gateway.store.engine import reading
from notify_gateway.store.parties import Client
from notify_gateway.store.tracking import SenderNotifications, Span, Tracked
from notify_gateway.use_cases import proofs
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.prepare import business_digest, stable_digest

_MAC_SIZE = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Changed:
    """Which notifications are asked for: those that changed last from ``since`` on and before ``until``, ``count`` at a time."""

    since: datetime | None
    until: datetime | None
    count: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was asked for, and the token with which this client, and no other, gets the next of it."""

    found: tuple[Tracked, ...]
    next: str | None


def where_it_stands(gateway: Gateway, *, client: Client, notification_id: UUID) -> Tracked:
    """Return where the client's notification stands; raises ``NotFound`` for any that is not the client's own."""
    with reading(gateway.engine).begin() as connection:
        tracked = SenderNotifications(connection, client.id).find(notification_id)
    if tracked is None:
        raise NotFound(Issue(Code.TASK_UNKNOWN))
    return tracked


def by_identifiers(gateway: Gateway, *, client: Client, identifiers: Collection[BusinessIdentifier]) -> list[Tracked]:
    """Return where the client's notifications of these identifiers stand: its own ones, our references, our ids. Others are left out."""
    references = [each.value for each in identifiers if each.system == REFERENCE_SYSTEM]
    ids = [known for each in identifiers if each.system == NOTIFICATION_SYSTEM and (known := _uuid(each.value)) is not None]
    keys = [business_digest(gateway, each) for each in identifiers if each.system not in (REFERENCE_SYSTEM, NOTIFICATION_SYSTEM)]
    with reading(gateway.engine).begin() as connection:
        own = SenderNotifications(connection, client.id)
        found = [*ids, *own.ids_by_references(references), *own.ids_by_business_keys(keys)]
        return own.find_all(list(dict.fromkeys(found)))


def changed(gateway: Gateway, *, client: Client, asked: Changed | str) -> Page:
    """Return the client's notifications in order of their last change, the longest ago first: the first page, or that of a token.

    What changes while the pages are read comes again on a later one. Raises ``Refused`` for a token that was not given to this client.
    """
    asked, after = _read_token(gateway, client, asked) if isinstance(asked, str) else (asked, None)
    with reading(gateway.engine).begin() as connection:
        own = SenderNotifications(connection, client.id)
        listed = own.ids_by_change(Span(asked.since, asked.until, after), limit=asked.count + 1)
        shown = listed[: asked.count]
        found = own.find_all([each for _, each in shown])
    return Page(tuple(found), _make_token(gateway, client, asked, shown[-1]) if len(listed) > len(shown) else None)


def acceptance_receipt(gateway: Gateway, *, client: Client, notification_id: UUID) -> proofs.Proof:
    """Return the proof that the acceptance is in the log.

    Raises ``NotFound`` for a notification that is not the client's own, ``Unavailable`` while it waits to be sequenced.
    """
    return proofs.proof_of(gateway, where_it_stands(gateway, client=client, notification_id=notification_id).accepted_event)


def _make_token(gateway: Gateway, client: Client, asked: Changed, last: tuple[datetime, UUID]) -> str:
    since, until = (None if each is None else micros(each) for each in (asked.since, asked.until))
    told = orjson.dumps([since, until, asked.count, micros(last[0]), str(last[1])])
    return urlsafe_b64encode(_mac(gateway, client, told) + told).decode().rstrip("=")


def _read_token(gateway: Gateway, client: Client, token: str) -> tuple[Changed, tuple[datetime, UUID]]:
    try:
        held = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None
    mac, told = held[:_MAC_SIZE], held[_MAC_SIZE:]
    if not hmac.compare_digest(mac, _mac(gateway, client, told)):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    since, until, count, at, last = orjson.loads(told)
    return Changed(_instant(since), _instant(until), count), (_EPOCH + timedelta(microseconds=at), UUID(last))


def _mac(gateway: Gateway, client: Client, told: bytes) -> bytes:
    return stable_digest(gateway, "task-page", client.id.bytes + told)[:_MAC_SIZE]


def _instant(at: int | None) -> datetime | None:
    return None if at is None else _EPOCH + timedelta(microseconds=at)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
