# SPDX-License-Identifier: MIT
"""Erasing who a notification is about: its shred keys go, everywhere and for ever. The pseudonymous rows and the log stay.

An erasure is in the log before it is done and again when it is done. Between the two its tombstone is written, outside every database,
and only then do the keys go; one that a crash broke off is carried on. A restored backup is erased anew before anything is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit import detail_store
from audit.events import Event, Value
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound
from notify_gateway.domain.retention import ErasureReason
from notify_gateway.store import erasure, shred, tombstones
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, event_details
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.holds import require_case, require_notification

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Outline:
    """What erasing a notification would do: messages of it, keys there still are, deliveries that are open, holds in force."""

    reference: str
    messages: int
    keys: int
    open_deliveries: int
    holds: tuple[erasure.Hold, ...]


def outline(core: Core, *, reference: str) -> Outline:
    """Return what erasing the notification would do; nothing is changed. Raises ``NotFound``."""
    with reading(core.engine).begin() as connection:
        notification = erasure.find_notification(connection, reference)
        if notification is None:
            raise NotFound(Issue(Code.TASK_UNKNOWN))
        ids = erasure.messages_of(connection, notification)
        waiting = len(erasure.open_deliveries(connection, notification))
        held = tuple(erasure.holds(connection, notification))
    return Outline(reference, len(ids), len(shred.find(core.shred_engine, ids)), waiting, held)


def erase(core: Core, *, reference: str, reason: ErasureReason, case_reference: str, actor: str, cancel_open: bool = False) -> int:
    """Erase the identity in a notification; when this returns nobody can open it any more. Return how many keys were deleted.

    Raises ``NotFound``, ``Refused`` without a case reference, ``Conflict`` under a legal hold and, unless ``cancel_open``, while a delivery
    is open. Copies that an authority has received are the authority's. What the trust sends afterwards is new.
    """
    now = core.clock.now()
    case = require_case(case_reference)
    with core.engine.begin() as connection:
        notification = require_notification(connection, reference)
        if erasure.holds(connection, notification):
            raise Conflict(Issue(Code.ERASURE_HELD))
        if waiting := erasure.open_deliveries(connection, notification, lock=True):
            if not cancel_open:
                raise Conflict(Issue(Code.ERASURE_DELIVERY_OPEN))
            erasure.cancel(connection, [row.id for row in waiting])
            fields: dict[str, Value] = {"notification": str(notification), "reason": "erased"}
            cancelled = [
                Event("delivery:cancelled", at=now, actor=actor, subject=str(row.id), fields=fields | {"authority": row.authority})
                for row in waiting
            ]
            append(connection, audit_tables, cancelled)
        begun = erasure.Begun(uuid4(), notification, reason.value, case, actor, now)
        erasure.begin(connection, begun, erasure.messages_of(connection, notification))
        append(connection, audit_tables, [_told("erasure:attempted", begun, core)])
    return _carry_on(core, begun)


def finish(core: Core) -> int:
    """Carry on the erasures that were begun and have not ended; return how many."""
    with reading(core.engine).begin() as connection:
        begun = erasure.unfinished(connection)
    for each in begun:
        _carry_on(core, each)
    return len(begun)


def _carry_on(core: Core, begun: erasure.Begun) -> int:
    """Write the tombstone, delete the keys, say so; each step may be done twice. Return how many keys there were."""
    with reading(core.engine).begin() as connection:
        ids = erasure.erased_by(connection, begun.id)
    tombstones.add(core.settings.erasures, tombstones.Tombstone(begun.notification_id, tuple(ids), begun.begun_at))
    count = shred.erase(core.shred_engine, ids, at=core.clock.now())
    with core.engine.begin() as connection:
        if erasure.end(connection, begun.id, at=core.clock.now()):
            erasure.forget_ages(connection, ids)
            detail_store.erase(connection, event_details, about=[str(begun.notification_id)])
            append(connection, audit_tables, [_told("notification:erased", begun, core, count=count)])
    return count


def risen_keys(core: Core) -> list[UUID]:
    """Return the messages that were erased and whose shred keys are there again, as they are after a backup was restored.

    Raises ``TombstonesDamaged`` or ``OSError`` when the file of tombstones cannot be read.
    """
    known = _known(core)
    return sorted(each for ids in _in_parts(known) for each in shred.find(core.shred_engine, ids))


def replay(core: Core, *, actor: str) -> int:
    """Erase again all that was erased before and is there again; return how many messages that were. Raises what ``risen_keys`` raises."""
    now = core.clock.now()
    count = 0
    for ids in _in_parts(_known(core)):
        with reading(core.engine).begin() as connection:
            back = erasure.aged(connection, ids) | shred.find(core.shred_engine, ids).keys()
        shred.erase(core.shred_engine, ids, at=now)
        with core.engine.begin() as connection:
            detail_store.erase(connection, event_details, about=erasure.notifications_of(connection, ids))
        if back:
            with core.engine.begin() as connection:
                erasure.forget_ages(connection, sorted(back))
                _tell_replay(connection, core, actor, len(back))
        count += len(back)
    return count


def _known(core: Core) -> list[UUID]:
    """Return all that was ever erased, as each of the three memories tells: main database, shred store, file."""
    with reading(core.engine).begin() as connection:
        known = erasure.erased(connection)
    known |= shred.erased(core.shred_engine)
    for each in tombstones.read(core.settings.erasures):
        known.update(each.message_ids)
    return sorted(known)


def _tell_replay(connection: Connection, core: Core, actor: str, count: int) -> None:
    event = Event("erasures:replayed", at=core.clock.now(), actor=actor, subject=core.settings.log_origin, fields={"count": count})
    append(connection, audit_tables, [event])


def _told(tag: str, begun: erasure.Begun, core: Core, **more: int) -> Event:
    fields: dict[str, Value] = {"reason": begun.reason, "case": begun.case_reference, "erasure": str(begun.id), **more}
    return Event(tag, at=core.clock.now(), actor=begun.by, subject=str(begun.notification_id), fields=fields)


def _in_parts(ids: Sequence[UUID]) -> list[Sequence[UUID]]:
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
