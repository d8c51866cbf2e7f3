# SPDX-License-Identifier: MIT
"""The log itself: entries appended in the caller's transaction, sequenced once committed, signed after that (RFC 6962, C2SP)."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Row, delete, exists, func, insert, literal, select, tuple_, union_all, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from audit.events import SALT_SIZE, Event, micros
from audit.export import head_line, leaf_line
from audit.guard import Guard
from audit.leadership import Leadership
from audit.merkle import (
    EMPTY_ROOT,
    Address,
    Frontier,
    Node,
    ProofInvalid,
    ReadNode,
    consistency_proof,
    consistency_ranges,
    inclusion_proof,
    inclusion_ranges,
    leaf_hash,
    subtrees,
)
from audit.note import Checkpoint, Signer, sign_note
from audit.receipts import Receipt
from audit.tables import AuditTables

LOGGER = logging.getLogger("audit.log")
BATCH = 2000
PAUSE = 0.08
_UNFRAMED = {"isolation_level": "AUTOCOMMIT"}
"""A look that needs no transaction saves two round trips at each turn of the loop."""


class LogDamaged(ProofInvalid):
    """What the tables hold is not the tree that the log says it is."""


class _Fenced(Exception):
    """Another sequencer has moved the head."""


@dataclass(frozen=True, slots=True)
class Appended:
    """A leaf with its id, and the instant of its event in microseconds since 1970; in the log soon after its transaction commits."""

    event_id: UUID
    leaf: bytes
    leaf_hash: bytes
    created_at: int


@dataclass(frozen=True, slots=True)
class Head:
    """How many leaves are in the tree, the root over them, and the epoch of the log's origin."""

    size: int
    root: bytes
    epoch: int


def prepare_leaf(event: Event) -> Appended:
    """Return the leaf of ``event`` under a fresh salt and a fresh id; nothing is written."""
    leaf = event.to_leaf(secrets.token_bytes(SALT_SIZE))
    return Appended(uuid4(), leaf, leaf_hash(leaf), micros(event.at))


def insert_prepared(connection: Connection, tables: AuditTables, prepared: Sequence[Appended]) -> None:
    """The leaves are pending if, and only if, the caller's transaction commits; those of one call keep their order in the log."""
    if prepared:
        connection.execute(insert(tables.pending), pending_rows(prepared))


def pending_rows(prepared: Sequence[Appended]) -> list[dict[str, object]]:
    """Return the rows that ``insert_prepared`` would insert, for a caller that inserts several tables' rows together."""
    return [{"event_id": each.event_id, "leaf": each.leaf, "leaf_hash": each.leaf_hash, "created_at": each.created_at} for each in prepared]


def append(connection: Connection, tables: AuditTables, events: Iterable[Event]) -> list[Appended]:
    """Prepare a leaf for each event and make them pending in the caller's transaction; return them in order."""
    prepared = [prepare_leaf(event) for event in events]
    insert_prepared(connection, tables, prepared)
    return prepared


def read_head(connection: Connection, tables: AuditTables) -> Head:
    """Return the head of the tree; that of an empty tree before the first leaf."""
    row = connection.execute(select(tables.head.c.size, tables.head.c.root, tables.head.c.epoch)).one_or_none()
    return Head(row.size, row.root, row.epoch) if row else Head(0, EMPTY_ROOT, 0)


def latest_checkpoint(connection: Connection, tables: AuditTables) -> str | None:
    """Return the note of the last signed checkpoint, or None before the first."""
    signed = _latest_signed(connection, tables)
    return signed.note if signed else None


def _latest_signed(connection: Connection, tables: AuditTables) -> Row[int, str] | None:
    stored = tables.checkpoint.c
    return connection.execute(select(stored.size, stored.note).order_by(stored.size.desc()).limit(1)).one_or_none()


def receipt_for(connection: Connection, tables: AuditTables, entry: UUID | bytes) -> str | None:
    """Return the receipt, against the latest checkpoint, for an event id or a leaf hash; None while no checkpoint covers it."""
    leaf, signed = tables.leaf.c, _latest_signed(connection, tables)
    column = leaf.event_id if isinstance(entry, UUID) else leaf.leaf_hash
    index = connection.scalar(select(func.min(leaf.idx)).where(column == entry))
    if index is None or signed is None or index >= signed.size:
        return None
    read = _reader(connection, tables, inclusion_ranges(index, signed.size))
    return Receipt(index, tuple(inclusion_proof(index, signed.size, read)), signed.note).to_text()


def oldest_pending_age(connection: Connection, tables: AuditTables, now: datetime) -> float | None:
    """Return for how many seconds the oldest pending event has waited, or None if none does."""
    oldest = connection.scalar(select(tables.pending.c.created_at).order_by(tables.pending.c.arrival).limit(1))
    return None if oldest is None else (micros(now) - oldest) / 1_000_000


def read_leaves(connection: Connection, tables: AuditTables, *, start: int, limit: int) -> list[tuple[int, UUID, bytes]]:
    """Return up to ``limit`` leaves from index ``start`` on, in order, each as index, event id and bytes."""
    leaf = tables.leaf.c
    query = select(leaf.idx, leaf.event_id, leaf.leaf).where(leaf.idx >= start).order_by(leaf.idx).limit(limit)
    return [(row.idx, row.event_id, row.leaf) for row in connection.execute(query)]


def export_lines(connection: Connection, tables: AuditTables) -> Iterator[str]:
    """Yield the signed log in the form of ``audit.export``: the latest checkpoint, then each leaf that it covers; nothing without one."""
    signed = _latest_signed(connection, tables)
    if signed is None:
        return
    yield head_line(signed.note)
    for start in range(0, signed.size, BATCH):
        for index, _, leaf in read_leaves(connection, tables, start=start, limit=min(BATCH, signed.size - start)):
            yield leaf_line(index, leaf)


class Sequencer:
    """Gives committed events their place in the tree, and signs the tree after each batch.

    Any number may run on one database: one leads (PostgreSQL: advisory lock; SQLite: the write lock), and the compare-and-set
    on the head with the primary key on the index fences whoever only believes to lead. All on one machine share the guard file.
    """

    def __init__(
        self, *, engine: Engine, tables: AuditTables, signer: Signer, origin: str, guard_path: Path, now: Callable[[], datetime]
    ) -> None:
        """Take ``engine``, whose ``begin()`` opens a write transaction; ``origin`` names the log and its key, else ValueError."""
        if signer.name != origin:
            raise ValueError("a log's key bears the log's name, or nobody could open its checkpoints")
        self._engine, self._tables, self._signer, self._origin, self._now = engine, tables, signer, origin, now
        # An engine that tells reading from writing transactions does so by this option; any other passes it over.
        self._reading = engine.execution_options(reading=True, **({} if engine.dialect.name == "sqlite" else _UNFRAMED))
        self._guard = Guard(guard_path)
        self._leadership = Leadership(engine, origin)
        self._signed: Head | None = None

    def run_once(self, limit: int = BATCH) -> int:
        """Sequence and sign up to ``limit`` pending events; return how many (0 also when another sequencer leads or was faster).

        GuardRefused if the tree does not continue what was signed, LogDamaged if the tables contradict themselves: then nothing
        has been signed. A tree left unsigned by a crash is signed first.
        """
        with self._reading.begin() as connection:
            head = read_head(connection, self._tables)
            waiting = connection.scalar(select(exists(select(self._tables.pending.c.event_id))))
        if (head == self._signed and not waiting) or not self._leadership.held():
            return 0
        if head != self._signed:
            self._sign()
        if not waiting:
            return 0
        try:
            with self._engine.begin() as connection:
                count = self._sequence(connection, limit)
        except (IntegrityError, _Fenced) as error:
            with self._reading.begin() as connection:
                if read_head(connection, self._tables) == head:
                    raise LogDamaged("an index or an event id would be in the log twice") from error
            return 0
        self._sign()
        return count

    def run_forever(self, stop: threading.Event, pause: float = PAUSE) -> None:
        """Run until ``stop`` is set, ``pause`` seconds apart; wait out a database or disk that is away, raise what ``run_once`` refuses."""
        try:
            while not stop.is_set():
                try:
                    if self.run_once() < BATCH:
                        stop.wait(pause)
                except (SQLAlchemyError, OSError) as error:
                    LOGGER.warning("the sequencer waits: %s", type(error).__name__)
                    self._leadership.drop()
                    stop.wait(max(pause, 1.0))
        finally:
            self.close()

    def close(self) -> None:
        """Another sequencer may lead."""
        self._leadership.drop()

    def _sequence(self, connection: Connection, limit: int) -> int:
        """Move a batch of pending rows into the tree, within one transaction; return how many."""
        tables, old = self._tables, self._open_head(connection)
        first = select(tables.pending).order_by(tables.pending.c.arrival).limit(limit).subquery()
        place = literal(old.size - 1) + func.row_number().over(order_by=first.c.arrival)
        batch = select(place, first.c.event_id, first.c.leaf, first.c.leaf_hash)
        columns = ["idx", "event_id", "leaf", "leaf_hash"]
        leaf = tables.leaf.c
        placed = connection.execute(insert(tables.leaf).from_select(columns, batch).returning(leaf.idx, leaf.leaf, leaf.leaf_hash))
        leaves = sorted((row.idx, row.leaf, row.leaf_hash) for row in placed)
        if not leaves:
            return 0
        connection.execute(delete(tables.pending).where(tables.pending.c.event_id.in_(select(leaf.event_id).where(leaf.idx >= old.size))))
        self._grow(connection, old, leaves)
        return len(leaves)

    def _grow(self, connection: Connection, old: Head, leaves: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Store the subtrees that the new leaves complete, and move the head; _Fenced if it is no longer ``old``."""
        tables = self._tables
        read = _reader(connection, tables, [(0, old.size)])
        frontier = Frontier(old.size, [read(level, position) for level, position in subtrees(0, old.size)])
        if frontier.root() != old.root:
            raise LogDamaged("the stored subtrees do not lead to the stored root")
        completed: list[Node] = []
        for index, data, stored_hash in leaves:
            if index != frontier.size or leaf_hash(data) != stored_hash:
                raise LogDamaged("a pending leaf is not what was appended")
            frontier.append(stored_hash, completed)
        if completed:
            rows = [{"level": level, "pos": position, "hash": digest} for level, position, digest in completed]
            connection.execute(insert(tables.node), rows)
        head = tables.head.c
        same = (head.id == 1, head.size == old.size, head.root == old.root, head.epoch == old.epoch)
        moved = connection.execute(update(tables.head).where(*same).values(size=frontier.size, root=frontier.root()))
        if moved.rowcount != 1:
            raise _Fenced

    def _open_head(self, connection: Connection) -> Head:
        head = read_head(connection, self._tables)
        if head.size == 0 and not connection.scalar(select(exists(select(self._tables.head.c.id)))):
            connection.execute(insert(self._tables.head).values(id=1, size=head.size, root=head.root, epoch=head.epoch))
        return head

    def _sign(self) -> None:
        """Sign the committed head, unless it is signed already: guard first, checkpoint row last, so that a crash between them heals."""
        stored = self._tables.checkpoint
        with suppress(IntegrityError), self._guard.exclusive(), self._engine.begin() as connection:
            # IntegrityError: another machine, with a guard of its own, has stored this very checkpoint meanwhile.
            head = read_head(connection, self._tables)
            checkpoint = Checkpoint(self._origin, head.size, head.root)
            newest = connection.scalar(select(func.max(stored.c.size)))
            self._guard.check(checkpoint, self._prover(connection), signed_before=newest is not None)
            if head.size and newest != head.size:
                note = sign_note(checkpoint.to_text(), self._signer)
                self._guard.remember(note)
                row = {"size": head.size, "root": head.root, "note": note, "signed_at": micros(self._now())}
                connection.execute(insert(stored), row)
        self._signed = head

    def _prover(self, connection: Connection) -> Callable[[int, int], list[bytes]]:
        def prove(old: int, new: int) -> list[bytes]:
            return consistency_proof(old, new, _reader(connection, self._tables, consistency_ranges(old, new)))

        return prove


def _reader(connection: Connection, tables: AuditTables, ranges: Iterable[tuple[int, int]]) -> ReadNode:
    """Return a reader of the subtrees that cover the ranges, all read by one statement; it raises LogDamaged for one that is not stored."""
    addresses = [address for span in ranges for address in subtrees(*span)]
    leaf, node = tables.leaf.c, tables.node.c
    leaves = [position for level, position in addresses if level == 0]
    above = [address for address in addresses if address[0] > 0]
    stored = union_all(
        select(literal(0).label("level"), leaf.idx.label("pos"), leaf.leaf_hash.label("hash")).where(leaf.idx.in_(leaves)),
        select(node.level, node.pos, node.hash).where(tuple_(node.level, node.pos).in_(above)),
    )
    known: dict[Address, bytes] = {(row.level, row.pos): row.hash for row in connection.execute(stored)} if addresses else {}

    def read(level: int, position: int) -> bytes:
        try:
            return known[level, position]
        except KeyError as error:
            raise LogDamaged("a subtree of the log is missing") from error

    return read
