# SPDX-License-Identifier: MIT
"""The log itself: entries appended in the caller's transaction, sequenced once committed, signed after that (RFC 6962, C2SP)."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, Table, delete, exists, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from audit.bulk import insert_all
from audit.events import SALT_SIZE, Event, micros
from audit.guard import Guard, GuardRefused
from audit.leadership import Leadership
from audit.merkle import EMPTY_ROOT, Frontier, Node, ProofInvalid, consistency_proof, consistency_ranges, leaf_hash, subtrees
from audit.note import Checkpoint, Signer, sign_note
from audit.reading import Head, LogDamaged, node_reader, read_head
from audit.statements import statements_of
from audit.tables import AuditTables

LOGGER = logging.getLogger("audit.log")
BATCH = 2000
PAUSE = 0.035
"""Seconds between turns while entries keep coming: half of it is what an entry waits. A turn with work costs some milliseconds of CPU."""
REST = 0.08
"""Seconds after a turn that found nothing to do, which costs about one millisecond."""
_UNFRAMED = {"isolation_level": "AUTOCOMMIT"}
"""A look that needs no transaction saves two round trips at each turn of the loop."""


class _Fenced(Exception):
    """Another sequencer has moved the head."""


@dataclass(frozen=True, slots=True)
class Appended:
    """A leaf with its id, and of its event the instant (microseconds since 1970), subject and tag; in the log soon after the commit."""

    event_id: UUID
    leaf: bytes
    leaf_hash: bytes
    created_at: int
    subject: str
    tag: str


def prepare_leaf(event: Event) -> Appended:
    """Return the leaf of ``event`` under a fresh salt and a fresh id; nothing is written."""
    leaf = event.to_leaf(secrets.token_bytes(SALT_SIZE))
    return Appended(uuid4(), leaf, leaf_hash(leaf), micros(event.at), event.subject, event.tag)


def insert_prepared(connection: Connection, tables: AuditTables, prepared: Sequence[Appended]) -> None:
    """The leaves are pending if, and only if, the caller's transaction commits; those of one call keep their order in the log."""
    insert_all(connection, [(tables.pending, pending_rows(prepared))])


def pending_rows(prepared: Sequence[Appended]) -> list[dict[str, object]]:
    """Return the rows that ``insert_prepared`` would insert, for a caller that inserts several tables' rows together."""
    return [
        {
            "event_id": each.event_id,
            "leaf": each.leaf,
            "leaf_hash": each.leaf_hash,
            "created_at": each.created_at,
            "subject": each.subject,
            "tag": each.tag,
        }
        for each in prepared
    ]


def append(connection: Connection, tables: AuditTables, events: Iterable[Event]) -> list[Appended]:
    """Prepare a leaf for each event and make them pending in the caller's transaction; return them in order."""
    prepared = [prepare_leaf(event) for event in events]
    insert_prepared(connection, tables, prepared)
    return prepared


class Sequencer:
    """Gives committed events their place in the tree, and signs the tree after each batch.

    Any number may run on one database: one leads (PostgreSQL: advisory lock; SQLite: the write lock), and the compare-and-set
    on the head with the primary key on the index fences whoever only believes to lead. All on one machine share the guard file.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        tables: AuditTables,
        signer: Signer,
        origin: str,
        guard_path: Path,
        now: Callable[[], datetime],
        beside: Sequence[Signer] = (),
        stop: Table | None = None,
    ) -> None:
        """Take ``engine``, whose ``begin()`` opens a write transaction; ``origin`` names the log and its keys, else ValueError.

        ``beside`` sign as well: the older key, while one takes over from another. ``stop`` is where it is told why nothing is signed.
        """
        if any(each.name != origin for each in (signer, *beside)):
            raise ValueError("a log's key bears the log's name, or nobody could open its checkpoints")
        self._engine, self._tables, self._signers, self._origin, self._now = engine, tables, (signer, *beside), origin, now
        self._stop = stop
        # An engine that tells reading from writing transactions does so by this option; any other passes it over.
        self._reading = engine.execution_options(reading=True, **({} if engine.dialect.name == "sqlite" else _UNFRAMED))
        self._guard = Guard(guard_path)
        self._leadership = Leadership(engine, origin)
        self._statements = statements_of(tables)
        self._signed: Head | None = None

    def run_once(self, limit: int = BATCH) -> int:
        """Sequence and sign up to ``limit`` pending events; return how many (0 also when another sequencer leads or was faster).

        GuardRefused if the tree does not continue what was signed, LogDamaged if the tables contradict themselves: then nothing
        has been signed. A tree left unsigned by a crash is signed first.
        """
        head, waiting, leads = self._look()
        if (head == self._signed and not waiting) or not (leads or self._leadership.held()):
            return 0
        if head != self._signed:
            self._sign()
        if not waiting:
            return 0
        try:
            with self._engine.begin() as connection:
                count = self._sequence(connection, head, limit)
        except (IntegrityError, _Fenced) as error:
            with self._reading.begin() as connection:
                if read_head(connection, self._tables) == head:
                    raise LogDamaged("an index or an event id would be in the log twice") from error
            return 0
        self._sign()
        return count

    def run_forever(self, stop: threading.Event, pause: float = PAUSE, rest: float = REST) -> None:
        """Run until ``stop`` is set, ``pause`` seconds apart while entries come (or as long as the turn took), else ``rest`` seconds.

        A database or disk that is away is waited out; what ``run_once`` refuses is told to whoever reads the database, and raised.
        """
        told = True
        try:
            while not stop.is_set():
                try:
                    began = time.monotonic()
                    count = self.run_once()
                    took = time.monotonic() - began
                    if told:
                        self._tell(None)
                        told = False
                    if count < BATCH:
                        stop.wait(max(pause, took) if count else rest)
                except (SQLAlchemyError, OSError) as error:
                    LOGGER.warning("the sequencer waits: %s", type(error).__name__)
                    self._leadership.drop()
                    stop.wait(max(pause, 1.0))
        except (GuardRefused, ProofInvalid) as error:
            self._tell(str(error))
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Another sequencer may lead."""
        self._leadership.drop()

    def _tell(self, reason: str | None) -> None:
        """Say in the database why nothing is signed, or that nothing hinders it; a database that is away is not told."""
        if self._stop is None:
            return
        with suppress(SQLAlchemyError), self._engine.begin() as connection:
            connection.execute(delete(self._stop))
            if reason is not None:
                connection.execute(insert(self._stop), {"id": 1, "reason": reason, "at": micros(self._now())})

    def _look(self) -> tuple[Head, bool, bool]:
        """Return the head, whether anything is pending, and whether we lead for certain, by one statement if we do."""
        session = self._leadership.session
        if session is not None:
            with suppress(DBAPIError):  # a lock is lost with its session, and only the session can tell
                return *self._look_by(session), True
            self._leadership.drop()
        with self._reading.begin() as connection:
            return *self._look_by(connection), False

    def _look_by(self, connection: Connection) -> tuple[Head, bool]:
        row = connection.execute(self._statements.look).one_or_none()
        if row is None:  # before the first leaf
            return read_head(connection, self._tables), bool(connection.scalar(self._statements.waits))
        return Head(row.size, row.root, row.epoch), row.waiting

    def _sequence(self, connection: Connection, old: Head, limit: int) -> int:
        """Move a batch of pending rows into the tree, within one transaction; return how many. Fences if the head is not ``old``."""
        if old.size == 0:
            self._open_head(connection)
        placed = connection.execute(self._statements.move, {"last": old.size - 1, "most": limit})
        leaves = sorted((row.idx, row.leaf, row.leaf_hash) for row in placed)
        if not leaves:
            return 0
        connection.execute(self._statements.clear, {"size": old.size})
        self._grow(connection, old, leaves)
        return len(leaves)

    def _grow(self, connection: Connection, old: Head, leaves: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Store the subtrees that the new leaves complete, and move the head; _Fenced if it is no longer ``old``."""
        tables = self._tables
        read = node_reader(connection, tables, [(0, old.size)])
        frontier = Frontier(old.size, [read(level, position) for level, position in subtrees(0, old.size)])
        if frontier.root() != old.root:
            raise LogDamaged("the stored subtrees do not lead to the stored root")
        if any(index != place or leaf_hash(data) != digest for place, (index, data, digest) in enumerate(leaves, old.size)):
            raise LogDamaged("a pending leaf is not what was appended")
        completed: list[Node] = []
        frontier.extend([digest for _, _, digest in leaves], completed)
        rows = [{"level": level, "pos": position, "hash": digest} for level, position, digest in completed]
        insert_all(connection, [(tables.node, rows)])
        was = {"old_size": old.size, "old_root": old.root, "old_epoch": old.epoch}
        moved = connection.execute(self._statements.advance, was | {"new_size": frontier.size, "new_root": frontier.root()})
        if moved.rowcount != 1:
            raise _Fenced

    def _open_head(self, connection: Connection) -> None:
        if not connection.scalar(select(exists(select(self._tables.head.c.id)))):
            connection.execute(insert(self._tables.head).values(id=1, size=0, root=EMPTY_ROOT, epoch=0))

    def _sign(self) -> None:
        """Sign the committed head, unless it is signed already: guard first, checkpoint row last, so that a crash between them heals."""
        stored = self._tables.checkpoint
        with suppress(IntegrityError), self._guard.exclusive(), self._engine.begin() as connection:
            # IntegrityError: another machine, with a guard of its own, has stored this very checkpoint meanwhile.
            row = connection.execute(self._statements.state).one_or_none()
            head, newest = (Head(row.size, row.root, row.epoch), row.newest) if row else (Head(0, EMPTY_ROOT, 0), None)
            checkpoint = Checkpoint(self._origin, head.size, head.root)
            self._guard.check(checkpoint, self._prover(connection), signed_before=newest is not None)
            if head.size and newest != head.size:
                note = sign_note(checkpoint.to_text(), *self._signers)
                self._guard.remember(note)
                signed = {"size": head.size, "root": head.root, "note": note, "signed_at": micros(self._now())}
                connection.execute(insert(stored), signed)
        self._signed = head

    def _prover(self, connection: Connection) -> Callable[[int, int], list[bytes]]:
        def prove(old: int, new: int) -> list[bytes]:
            return consistency_proof(old, new, node_reader(connection, self._tables, consistency_ranges(old, new)))

        return prove
