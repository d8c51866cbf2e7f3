# SPDX-License-Identifier: MIT
"""The log by years: closing it at a year's end, what is kept of closed ones, and deleting their entries once their time is over.

Each of the two acts is shown before it is done. What is deleted is what the entries said; hashes, checkpoints and cosignatures stay, so
that every receipt and the chain from log to log can still be verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select

from audit.events import Event, Value, micros
from audit.log import append
from audit.reading import receipt_for
from audit.shards import ClosedLog, closed_logs, delete_entries
from audit.succession import Standing
from audit.succession_tables import closed
from audit.tables import AuditTables
from audit.tiles import Tile, read_tile
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound
from notify_gateway.store import erasure
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, event_details, legal_holds, notifications, succession_tables
from notify_gateway.use_cases import restore
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.holds import require_case


@dataclass(frozen=True, slots=True)
class Closing:
    """What closing the log would do: how it stands, how many events wait for their place, and what the next one is called."""

    standing: Standing
    waiting: int
    next_origin: str

    @property
    def hindrance(self) -> str | None:
        """Return what stands against it, or None."""
        if self.standing.why is not None:
            return f"{self.standing.why}: this is a case for restore open"
        if self.waiting or self.standing.held != self.standing.signed.size:
            return "events wait for their place: let the sequencer finish, then stop it"
        return None


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting a closed log's entries would do: which log, from when on it may be done (None: never), and what is held of it."""

    log: ClosedLog
    due_at: datetime | None
    holds: tuple[erasure.Hold, ...]


def plan_closing(core: Core, origin: str | None = None) -> Closing:
    """Return what closing the log would do; nothing is changed. Raises ``GuardRefused`` when the guard remembers nothing."""
    standing = restore.standing(core)
    with reading(core.engine).begin() as connection:
        waiting = connection.scalar(select(func.count()).select_from(audit_tables.pending)) or 0
    return Closing(standing, waiting, origin or restore.next_origin(core.settings, restored=False))


def all_closed(core: Core) -> list[ClosedLog]:
    """Return the logs that were closed, oldest first."""
    with reading(core.engine).begin() as connection:
        return closed_logs(connection, succession_tables)


def closed_log(core: Core, number: int) -> ClosedLog:
    """Return the closed log of that number, counted from 0; raises ``NotFound``."""
    return _find(all_closed(core), number)


def plan_deletion(core: Core, origin: str) -> Deletion:
    """Return what deleting the entries of the closed log of that name would do; nothing is changed. Raises ``NotFound``."""
    with reading(core.engine).begin() as connection:
        return _plan(connection, core, origin)


def delete(core: Core, *, origin: str, case_reference: str, actor: str) -> int:
    """The entries of the closed log say nothing any more; return how many those were. Needs the login of the owner of the tables.

    Raises ``NotFound``, ``Refused`` without a case reference, and ``Conflict`` before its time is over, while no time is set, while an
    earlier log is still whole, under a legal hold on what happened then, and when it was done already.
    """
    case, now = require_case(case_reference), core.clock.now()
    with core.engine.begin() as connection:
        found = _plan(connection, core, origin, lock=True)
        if found.log.deleted_at is not None:
            raise Conflict(Issue(Code.LOG_ENTRIES_DELETED))
        earlier = [each for each in closed_logs(connection, succession_tables) if each.epoch < found.log.epoch]
        if found.due_at is None or now < found.due_at or any(each.deleted_at is None for each in earlier):
            raise Conflict(Issue(Code.LOG_STILL_KEPT))
        if found.holds:
            raise Conflict(Issue(Code.LOG_HELD))
        count = delete_entries(connection, succession_tables, event_details, found.log, at=micros(now))
        fields: dict[str, Value] = {"case": case, "count": count, "root": found.log.root.hex(), "size": found.log.size}
        append(connection, audit_tables, [Event("log_entries:deleted", at=now, actor=actor, subject=origin, fields=fields)])
    return count


def tile(core: Core, number: int, wanted: Tile) -> bytes:
    """Return a tile of hashes of a closed log; raises ``NotFound`` for one that it has not, and for bundles of entries."""
    with reading(core.engine).begin() as connection:
        log = _find(closed_logs(connection, succession_tables), number)
        found = None if wanted.level is None else read_tile(connection, tables_of(log), wanted)
    if found is None:
        raise NotFound(Issue(Code.LOG_TILE_UNKNOWN))
    return found


def tables_of(log: ClosedLog) -> AuditTables:
    """Return the tables in which a closed log can be read."""
    return closed(audit_tables, succession_tables, log.epoch)


def proof_in_closed(connection: Connection, event_id: UUID) -> tuple[bytes | None, str | None]:
    """Return leaf and receipt of an event of a closed log, or None twice; raises ``NotFound`` when its entries were deleted."""
    held = succession_tables.leaf.c
    query = select(held.epoch, held.leaf).where(held.event_id == event_id).order_by(held.epoch.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None, None
    if not row.leaf:
        raise NotFound(Issue(Code.LOG_ENTRIES_DELETED))
    return bytes(row.leaf), receipt_for(connection, closed(audit_tables, succession_tables, row.epoch), event_id)


def deleted_until(connection: Connection) -> datetime | None:
    """Return until when the log's entries were deleted, or None where they are all there."""
    times = [each.closed_at for each in closed_logs(connection, succession_tables) if each.deleted_at is not None]
    return instant(max(times)) if times else None


def instant(since_1970: int) -> datetime:
    """Return the instant of so many microseconds since 1970."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=since_1970)


def _find(logs: list[ClosedLog], number: int) -> ClosedLog:
    found = next((each for each in logs if each.epoch == number), None)
    if found is None:
        raise NotFound(Issue(Code.CLOSED_LOG_UNKNOWN))
    return found


def _plan(connection: Connection, core: Core, origin: str, *, lock: bool = False) -> Deletion:
    log = next((each for each in closed_logs(connection, succession_tables) if each.origin == origin), None)
    if log is None:
        raise NotFound(Issue(Code.CLOSED_LOG_UNKNOWN))
    kept, closed_at = core.settings.log_kept, instant(log.closed_at)
    # What began after the log was closed has no entry in it.
    held = select(legal_holds.c.id).join(notifications, notifications.c.id == legal_holds.c.notification_id)
    concerned = set(connection.scalars(held.where(legal_holds.c.released_at.is_(None), notifications.c.created_at <= closed_at)))
    holds = tuple(each for each in erasure.holds(connection, lock=lock) if each.id in concerned)
    return Deletion(log, None if kept is None else closed_at + kept, holds)
