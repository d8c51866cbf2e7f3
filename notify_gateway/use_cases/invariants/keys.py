# SPDX-License-Identifier: MIT
"""Invariants between the two databases: each message has its shred key unless it was erased, and no key is left without its message."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Row, Select, select

from notify_gateway.store.engine import reading
from notify_gateway.store.tables import erased_keys, erased_messages, messages, notifications, shred_keys
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.invariants.finding import MOST_REFERENCES, SAMPLE, Finding, Invariant, Level
from notify_gateway.use_cases.maintain import ORPHAN_AFTER

_PAGE = 1_000
_SWEPT_WITHIN = timedelta(minutes=2)
"""What is older than ``ORPHAN_AFTER`` is swept at the next turn of the upkeep."""


class NoOrphanKeys:
    """A key that protects nothing is swept."""

    name = "no-orphan-keys"
    sentence = "No shred key older than ten minutes is without its message."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at keys first and then for their messages: a message is committed after its key."""
        k, m = shred_keys.c, messages.c
        before = core.clock.now() - ORPHAN_AFTER - _SWEPT_WITHIN
        orphans: list[str] = []
        for page in _pages(core.shred_engine, select(k.message_id.label("id")).where(k.created_at < before), k.message_id, whole=whole):
            ids = [row.id for row in page]
            with reading(core.engine).begin() as connection:
                held = set(connection.scalars(select(m.id).where(m.id.in_(ids))))
            orphans += [str(each) for each in ids if each not in held]
        said = "Every key that was looked at has its message." if not orphans else "Keys without a message; the references are their ids."
        return _found(self, orphans, said)


class MessagesHaveTheirKeys:
    """A message whose key is gone can be opened by nobody, so it goes only with an erasure."""

    name = "messages-have-their-keys"
    sentence = "No message is without its shred key, unless it was erased."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at messages first and then for their keys, and at last whether one that has none was erased just now."""
        m, n, e = messages.c, notifications.c, erased_messages.c
        lost: list[str] = []
        for page in _pages(core.engine, select(m.id).where(m.event != "delete"), m.id, whole=whole):
            ids = [row.id for row in page]
            with reading(core.shred_engine).begin() as connection:
                there = _among(connection, shred_keys.c.message_id, ids) | _among(connection, erased_keys.c.message_id, ids)
            if missing := [each for each in ids if each not in there]:
                with reading(core.engine).begin() as connection:
                    erased = _among(connection, e.message_id, missing)
                    closed = [each for each in missing if each not in erased]
                    lost += connection.scalars(select(n.reference).join(messages, m.notification_id == n.id).where(m.id.in_(closed)))
        said = "Every message that was looked at has its key." if not lost else "Messages that nobody can open any more, and nobody erased."
        return _found(self, lost, said)


def _pages(engine: Engine, statement: Select[Any], key: Any, *, whole: bool) -> Iterator[list[Row[Any]]]:
    """Yield rows by their id: all, or ``SAMPLE`` on either side of one drawn at random. No connection is held between two pages."""
    start = UUID(int=0) if whole else uuid4()
    for ascending in (True, False) if not whole else (True,):
        after, left = start, SAMPLE
        first = True
        while whole or left > 0:
            beyond = (key >= after if first else key > after) if ascending else key < after
            order = key if ascending else key.desc()
            with reading(engine).begin() as connection:
                rows = list(connection.execute(statement.where(beyond).order_by(order).limit(_PAGE)))
            if not rows:
                break
            yield rows
            after, left, first = rows[-1].id, left - len(rows), False


def _among(connection: Connection, column: Any, ids: Any) -> set[UUID]:
    return set(connection.scalars(select(column).where(column.in_(list(ids)))))


def _found(invariant: Invariant, broken: list[str], said: str) -> Finding:
    level = Level.FAIL if broken else Level.OK
    return Finding(invariant.name, invariant.sentence, level, len(broken), tuple(broken[:MOST_REFERENCES]), said)
