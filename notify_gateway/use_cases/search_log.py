# SPDX-License-Identifier: MIT
"""Finding entries of the signed log by what they are about; that somebody looked, for what kind of thing, is an entry itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from audit.events import Event, micros, read_leaf
from audit.log import append
from audit.reading import latest_signed
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.fhir.audit_event import SHAPES, About
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, deliveries, messages, notifications, reveal_grants
from notify_gateway.use_cases.gateway import Core

WINDOW = 50_000
"""Entries that one search looks through where no index leads it; the next page goes on behind them."""
_PARTIES = ("actor", "authority", "organisation", "sender")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched for: all that is given must hold. ``names`` are the parameters that were used, for the log."""

    names: tuple[str, ...]
    tags: tuple[str, ...]
    count: int
    after: int = 0
    since: datetime | None = None
    until: datetime | None = None
    notifications: tuple[str, ...] | None = None
    pseudonym: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An entry, where it stands, and the notification that it is about."""

    event_id: UUID
    event: Event
    index: int
    leaf_hash: bytes
    tree_size: int
    about: About | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was asked for; ``next`` is where to go on, and ``notifications`` those that a pseudonym or a reference led to."""

    found: tuple[Found, ...]
    next: int | None
    notifications: tuple[str, ...] | None


def search(core: Core, asked: Asked, *, actor: str) -> Page:
    """Return the entries that were asked for, in the log's order, once it is recorded that ``actor`` asked."""
    with reading(core.engine).begin() as connection:
        page = _page(connection, asked)
    fields: dict[str, str | int] = {"count": len(page.found), "parameters": ",".join(asked.names) or "none"}
    with core.engine.begin() as connection:
        event = Event("log:searched", at=core.clock.now(), actor=actor, subject=core.settings.log_origin, fields=fields)
        append(connection, audit_tables, [event])
    return page


def find(core: Core, event_id: UUID, *, actor: str) -> Found:
    """Return one entry that has a meaning in FHIR, once it is recorded who reads it; raises ``NotFound`` when there is none of that id."""
    leaf = audit_tables.leaf.c
    with reading(core.engine).begin() as connection:
        size = _size(connection)
        wanted = (leaf.event_id == event_id, leaf.idx < size, leaf.tag.in_(SHAPES))
        row = connection.execute(select(leaf.idx, leaf.event_id, leaf.leaf, leaf.leaf_hash).where(*wanted)).one_or_none()
        if row is None:
            raise NotFound(Issue(Code.AUDIT_EVENT_UNKNOWN))
        (found,) = _found(connection, [row], size)
    fields: dict[str, str | int] = {"first": found.index, "last": found.index}
    with core.engine.begin() as connection:
        event = Event("log_entries:viewed", at=core.clock.now(), actor=actor, subject=core.settings.log_origin, fields=fields)
        append(connection, audit_tables, [event])
    return found


def _page(connection: Connection, asked: Asked) -> Page:
    leaf, size = audit_tables.leaf.c, _size(connection)
    wanted: list[ColumnElement[bool]] = [leaf.tag.in_(asked.tags), leaf.idx >= asked.after, leaf.idx < size]
    about = _notifications(connection, asked, size)
    end = size
    if about is not None:
        wanted.append(leaf.subject.in_(_subjects(connection, about)))
    else:
        end = min(size, asked.after + WINDOW)
        wanted.append(leaf.idx < end)
    if asked.since is not None:
        wanted.append(leaf.created_at >= micros(asked.since))
    if asked.until is not None:
        wanted.append(leaf.created_at < micros(asked.until))
    if asked.agent is not None:
        wanted.append(or_(*(_holds(connection, name, asked.agent) for name in _PARTIES)))
    columns = select(leaf.idx, leaf.event_id, leaf.leaf, leaf.leaf_hash)
    rows = connection.execute(columns.where(*wanted).order_by(leaf.idx).limit(asked.count + 1)).all()
    following = rows[asked.count].idx if len(rows) > asked.count else end if end < size else None
    return Page(tuple(_found(connection, rows[: asked.count], size)), following, None if about is None else tuple(about))


def _size(connection: Connection) -> int:
    signed = latest_signed(connection, audit_tables)
    return signed.size if signed else 0


def _notifications(connection: Connection, asked: Asked, size: int) -> list[str] | None:
    """Return the ids of the notifications that are asked for; None when it is not asked for any."""
    if asked.notifications is None and asked.pseudonym is None:
        return None
    n, leaf = notifications.c, audit_tables.leaf.c
    references = [each for each in asked.notifications or () if each.startswith("SEN-")]
    ids = [each for each in asked.notifications or () if each not in references]
    ids += [str(each) for each in connection.scalars(select(n.id).where(n.reference.in_(references)))]
    if asked.pseudonym is not None:
        bears = (leaf.tag == "notification:accepted", leaf.idx < size, _holds(connection, "pseudonym", asked.pseudonym))
        ids += connection.scalars(select(leaf.subject).distinct().where(*bears))
    return list(dict.fromkeys(ids))


def _subjects(connection: Connection, about: Collection[str]) -> list[str]:
    """Return everything under which the log speaks of the notifications: themselves, references, messages, deliveries, grants."""
    ids = [UUID(each) for each in about]
    own = list(connection.scalars(select(messages.c.id).where(messages.c.notification_id.in_(ids))))
    others = (
        select(notifications.c.reference).where(notifications.c.id.in_(ids)),
        select(deliveries.c.id).where(deliveries.c.notification_id.in_(ids)),
        select(reveal_grants.c.id).where(reveal_grants.c.message_id.in_(own)),
    )
    return [*about, *map(str, own), *(str(each) for statement in others for each in connection.scalars(statement))]


def _holds(connection: Connection, name: str, value: str) -> ColumnElement[bool]:
    """Tell whether a leaf has the field; its bytes are canonical, so the field stands there in one form."""
    leaf, wanted = audit_tables.leaf.c.leaf, f'"{name}":"{value}"'
    if connection.dialect.name == "sqlite":
        return func.instr(leaf, wanted.encode()) > 0
    escaped = "".join(f"\\{each}" if each in "\\%_" else each for each in wanted)
    return leaf.op("LIKE", is_comparison=True)(f"%{escaped}%".encode())


def _found(connection: Connection, rows: Sequence[Row[int, UUID, bytes, bytes]], size: int) -> list[Found]:
    events = [read_leaf(bytes(row.leaf)) for row in rows]
    abouts = _abouts(connection, events)
    return [
        Found(row.event_id, event, row.idx, bytes(row.leaf_hash), size, abouts.get(_key(event)))
        for row, event in zip(rows, events, strict=True)
    ]


def _key(event: Event) -> str:
    return str(event.fields.get("notification", event.subject))


def _abouts(connection: Connection, events: Iterable[Event]) -> dict[str, About]:
    """Return, by what events call it, each notification with the sender and the pseudonym that its acceptance bears."""
    n, leaf = notifications.c, audit_tables.leaf.c
    keys = {_key(event) for event in events if SHAPES[event.tag].of_child}
    named = {row.reference: str(row.id) for row in connection.execute(select(n.id, n.reference).where(n.reference.in_(keys)))}
    ids = {named.get(key, key) for key in keys}
    found = {each: About(each) for each in ids}
    accepted = select(leaf.leaf).where(leaf.subject.in_(ids), leaf.tag == "notification:accepted").order_by(leaf.idx)
    for event in map(read_leaf, map(bytes, connection.scalars(accepted))):
        before = found[event.subject]
        pseudonym = event.fields.get("pseudonym", before.pseudonym)
        found[event.subject] = About(event.subject, str(event.fields["sender"]), None if pseudonym is None else str(pseudonym))
    return {key: found[named.get(key, key)] for key in keys}
