# SPDX-License-Identifier: MIT
"""Closing a log and opening the next, whose first leaf commits to it: at the turn of a year, and after a database was restored.

A log that was rewound is never continued under its name: whoever holds a later checkpoint would hold proof of a fork. It is closed at what
was signed last, as the guard remembers; the next one begins with who closed it, at which checkpoint, and which entries are lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, func, insert, literal, select, text, update

from audit.cosigning_tables import CosigningTables
from audit.durable import replace_file
from audit.events import Event, Value, micros, read_leaf
from audit.guard import Guard, GuardRefused
from audit.leadership import Leadership
from audit.log import prepare_leaf
from audit.merkle import EMPTY_ROOT, consistency_proof, consistency_ranges
from audit.note import Checkpoint, Signer, sign_note
from audit.reading import Head, node_reader, read_head
from audit.shards import keep_cosignatures
from audit.succession_tables import SuccessionTables
from audit.tables import AuditTables


class SuccessionRefused(Exception):
    """The log cannot be closed, or need not be; the message says why. Nothing has been changed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the guard remembers and what the database holds; ``why`` says what is wrong with it, None when it continues."""

    signed: Checkpoint
    held: int
    newest_at: int | None
    why: str | None

    @property
    def gap(self) -> tuple[int, int] | None:
        """The entries that were signed and are not in the database, from the first to behind the last; None when there are all."""
        if self.why is None:
            return None
        # Of a database that went on by itself nobody can say where it parted, without the entries that are lost.
        return (self.held, self.signed.size) if self.held < self.signed.size else (0, self.signed.size)


@dataclass(frozen=True, slots=True)
class Log:
    """One log's parts: where it stands, who guards it, under which name it was opened."""

    engine: Engine
    tables: AuditTables
    past: SuccessionTables
    cosigning: CosigningTables
    guard_path: Path
    origin: str


def current_origin(connection: Connection, past: SuccessionTables) -> str | None:
    """Return the name of the log that lives, or None where no log was ever closed and it bears the first name."""
    origin = past.origin.c
    found: str | None = connection.scalar(select(origin.origin).where(origin.closed_at.is_(None)))
    return found


def closed_epochs(connection: Connection, past: SuccessionTables) -> list[int]:
    """Return the epochs of the logs that were closed, the latest first."""
    origin = past.origin.c
    return list(connection.scalars(select(origin.epoch).where(origin.closed_at.is_not(None)).order_by(origin.epoch.desc())))


def look(log: Log) -> Standing:
    """Return how guard and database stand to each other; nothing is changed. GuardRefused when the guard remembers nothing."""
    guard = Guard(log.guard_path)
    with log.engine.begin() as connection:
        return _standing(connection, log, guard)


def succeed(
    log: Log,
    *,
    origin: str,
    signers: Sequence[Signer],
    actor: str,
    reason: str,
    now: Callable[[], datetime],
    restored: bool,
    guard_lost: bool = False,
) -> Standing:
    """Close the log at what was signed last and open ``origin``, whose first leaf commits to it; return how the closed one stood.

    ``restored``: the database was rewound. SuccessionRefused when it was not and this says so, or the other way round, and while a
    sequencer runs. One that a crash broke off is carried on. ``guard_lost``: the guard file is an older copy as well, so
    that the database may seem to continue what was signed; the first leaf then says that more may have been signed than it tells.
    """
    if any(each.name != origin for each in signers) or origin == log.origin:
        raise SuccessionRefused("the next log has a name of its own, and its keys bear it")
    leadership, guard = Leadership(log.engine, log.origin), Guard(log.guard_path)
    if not leadership.held():
        raise SuccessionRefused("a sequencer runs: stop it first")
    try:
        with guard.exclusive():
            with log.engine.begin() as connection:
                standing = _standing(connection, log, guard)
                if current_origin(connection, log.past) != origin:
                    _require(connection, log, standing, restored=restored, guard_lost=guard_lost)
                    told = {"reason": reason, **({"guard": "lost"} if guard_lost else {})}
                    _open_next(connection, log, standing, origin=origin, actor=actor, told=told, at=now())
                head = read_head(connection, log.tables)
                _require_commitment(connection, log, standing.signed)
            if standing.signed.origin != origin:
                kept = log.guard_path.with_name(f"{log.guard_path.name}.closed-{head.epoch - 1}")
                replace_file(kept, log.guard_path.read_bytes())
                guard.remember(sign_note(Checkpoint(origin, head.size, head.root).to_text(), *signers))
    finally:
        leadership.drop()
    return standing


def _standing(connection: Connection, log: Log, guard: Guard) -> Standing:
    signed = guard.last_signed()
    if signed is None:
        raise GuardRefused("there is no guard file: nothing was ever signed here, or it is lost")
    head = read_head(connection, log.tables)
    newest = connection.scalar(select(func.max(log.tables.checkpoint.c.signed_at)))

    def prove(old: int, new: int) -> list[bytes]:
        return consistency_proof(old, new, node_reader(connection, log.tables, consistency_ranges(old, new)))

    try:
        guard.check(Checkpoint(log.origin, head.size, head.root), prove, signed_before=True)
    except GuardRefused as error:
        return Standing(signed, head.size, newest, str(error))
    return Standing(signed, head.size, newest, None)


def _require(connection: Connection, log: Log, standing: Standing, *, restored: bool, guard_lost: bool) -> None:
    if standing.signed.origin != log.origin:
        raise SuccessionRefused("the guard file belongs to another log than the one that is set")
    if restored and standing.why is None and not guard_lost:
        raise SuccessionRefused("the database continues what was signed: there is nothing to open anew")
    if restored:
        return
    if standing.why is not None:
        raise SuccessionRefused(f"{standing.why}: this is a case for restore open")
    waiting = connection.scalar(select(func.count()).select_from(log.tables.pending))
    if waiting or standing.held != standing.signed.size:
        raise SuccessionRefused("events wait for their place: let the sequencer finish, then stop it")


def _open_next(
    connection: Connection, log: Log, standing: Standing, *, origin: str, actor: str, told: Mapping[str, str], at: datetime
) -> None:
    head, signed = read_head(connection, log.tables), standing.signed
    note = _put_away(connection, log, head, signed)
    opened: dict[str, Value] = {
        "previous": signed.origin,
        "previous_root": signed.root.hex(),
        "previous_size": signed.size,
        **told,
    }
    if standing.gap is not None:
        opened |= {"gap_from": standing.gap[0], "gap_to": standing.gap[1]}
    first = prepare_leaf(Event("log:opened", at=at, actor=actor, subject=origin, fields=opened))
    row = {"idx": 0, "event_id": first.event_id, "leaf": first.leaf, "leaf_hash": first.leaf_hash, "created_at": first.created_at}
    connection.execute(insert(log.tables.leaf), [row | {"subject": first.subject, "tag": first.tag}])
    stands = {"size": 1, "root": first.leaf_hash, "epoch": head.epoch + 1}
    if not connection.execute(update(log.tables.head).where(log.tables.head.c.id == 1).values(stands)).rowcount:
        connection.execute(insert(log.tables.head), {"id": 1, **stands})
    names = log.past.origin
    closing = {
        "closed_at": micros(at),
        "closed_size": signed.size,
        "closed_root": signed.root,
        "closed_note": note,
        "held_size": standing.held,
    }
    if not connection.execute(update(names).where(names.c.epoch == head.epoch).values(closing)).rowcount:
        connection.execute(insert(names), [{"epoch": head.epoch, "origin": signed.origin, **closing}])
    connection.execute(insert(names), [{"epoch": head.epoch + 1, "origin": origin}])
    connection.execute(delete(log.past.stop))


def _put_away(connection: Connection, log: Log, head: Head, signed: Checkpoint) -> str:
    """Move the leaves, nodes and checkpoints of the log to those of closed logs; the owner of the tables alone can.

    Return what was signed last, with the cosignatures that it has.
    """
    pairs = ((log.tables.leaf, log.past.leaf), (log.tables.node, log.past.node), (log.tables.checkpoint, log.past.checkpoint))
    for live, past in pairs:
        columns = [column.name for column in live.c]
        connection.execute(insert(past).from_select(["epoch", *columns], select(literal(head.epoch), *(live.c[name] for name in columns))))
        with_guards = connection.dialect.name == "postgresql"
        if with_guards:
            connection.execute(text(f"ALTER TABLE {live.name} DISABLE TRIGGER USER"))
        connection.execute(delete(live))
        if with_guards:
            connection.execute(text(f"ALTER TABLE {live.name} ENABLE TRIGGER USER"))
    closing = log.guard_path.read_text("utf-8")
    note = keep_cosignatures(connection, log.past, log.cosigning, head.epoch, closing, signed.size)
    # Cosignatures are of a name and a size: those of the closed log would be taken for the next one's.
    connection.execute(delete(log.cosigning.cosignature))
    connection.execute(delete(log.cosigning.witness))
    connection.execute(update(log.tables.head).values(size=0, root=EMPTY_ROOT))
    return note


def _require_commitment(connection: Connection, log: Log, signed: Checkpoint) -> None:
    """The next log's first leaf commits to what the guard remembers, unless the guard remembers the next log already."""
    leaf = log.tables.leaf.c
    opening = read_leaf(connection.execute(select(leaf.leaf).where(leaf.idx == 0)).scalar_one())
    if opening.subject == signed.origin:
        return
    committed = (opening.fields.get("previous"), opening.fields.get("previous_size"), opening.fields.get("previous_root"))
    if committed != (signed.origin, signed.size, signed.root.hex()):
        raise SuccessionRefused("the next log was opened upon another checkpoint than the guard remembers")
