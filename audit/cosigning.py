# SPDX-License-Identifier: MIT
"""The log's side of witnessing: asks each witness to cosign the newest checkpoint, and keeps what it cosigns. It delays nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Engine, insert, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from audit.cosignature import Cosignature, cosignatures
from audit.cosigned import COSIGNED, standings
from audit.cosigning_tables import CosigningTables
from audit.events import micros
from audit.leadership import Leadership
from audit.merkle import ProofInvalid, consistency_proof, consistency_ranges
from audit.note import NoteRefused, decimal, split_note
from audit.policy import KnownWitness, Policy
from audit.reading import Signed, latest_signed, node_reader
from audit.tables import AuditTables
from audit.witness import Request

LOGGER = logging.getLogger("audit.cosigning")
TREE_SIZE = "text/x.tlog.size"
FRESH_FOR = timedelta(hours=1)
"""A log that does not grow is cosigned anew after this, so that a reader sees that nothing newer was hidden."""
_TURNS = 4
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 300.0


class Standing(StrEnum):
    """How a witness answered. The second and third mean that this log is not what the witness has seen: look at once."""

    COSIGNED = COSIGNED
    AHEAD = "has seen a longer log than this one"
    INCONSISTENT = "says that this log does not continue what it has seen"
    UNKNOWN_LOG = "does not know this log"
    NOT_TRUSTED = "does not know this log's key"
    UNREACHABLE = "cannot be reached"
    UNEXPECTED = "answers in a way that witnesses do not"


ALARMS = (Standing.AHEAD, Standing.INCONSISTENT)
_BY_STATUS = {403: Standing.NOT_TRUSTED, 404: Standing.UNKNOWN_LOG, 422: Standing.INCONSISTENT}


class Unreachable(Exception):
    """The witness did not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answered."""

    status: int
    content_type: str
    body: bytes


Ask = Callable[[str, bytes], Answer]
"""Posts a body to an address and returns the answer; raises Unreachable, and nothing else."""


class Publisher:
    """Keeps the newest checkpoint cosigned by the policy's witnesses that have an address.

    Any number may run on one database, one of them works. A witness that is away is asked again, less and less often.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        tables: AuditTables,
        cosigning: CosigningTables,
        policy: Policy,
        origin: str,
        ask: Ask,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._tables, self._cosigning, self._policy = engine, tables, cosigning, policy
        self._ask, self._now, self._clock = ask, now, clock
        self._reading = engine.execution_options(reading=True)
        self._witnesses = [witness for witness in policy.witnesses if witness.url is not None]
        self._leadership = Leadership(engine, f"{origin}/witnesses")
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="witness")
        self._known: dict[str, int] = {}
        self._not_before: dict[str, tuple[float, float]] = {}

    def run_once(self) -> int:
        """Have the newest checkpoint cosigned by whoever has not, and keep the outcome; return how many have cosigned now."""
        if not self._leadership.held():
            return 0
        with self._reading.begin() as connection:
            newest = latest_signed(connection, self._tables)
            standing = {each.name: each for each in standings(connection, self._cosigning, self._policy)}
        if newest is None:
            return 0
        stale = self._now() - FRESH_FOR
        asked = []
        for witness in self._witnesses:
            last = standing[witness.name]
            self._known.setdefault(witness.name, last.cosigned_size)
            fresh = last.well and last.cosigned_size == newest.size and last.cosigned_at is not None and last.cosigned_at > stale
            if not fresh and self._clock() >= self._not_before.get(witness.name, (0.0, 0.0))[0]:
                asked.append(witness)
        outcomes = list(self._pool.map(lambda witness: self._cosign(witness, newest), asked))
        for witness, (answer, found) in zip(asked, outcomes, strict=True):
            self._keep(witness, answer, found, before=standing[witness.name].answer)
        return sum(answer is Standing.COSIGNED for answer, _ in outcomes)

    def run_forever(self, stop: threading.Event, every: float) -> None:
        """Run until ``stop`` is set, ``every`` seconds apart; wait out a database that is away."""
        try:
            while not stop.wait(every):
                try:
                    self.run_once()
                except (SQLAlchemyError, ProofInvalid) as error:
                    LOGGER.warning("witnesses are not asked: %s", type(error).__name__)
                    self._leadership.drop()
        finally:
            self.close()

    def close(self) -> None:
        """Another publisher may work."""
        self._leadership.drop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _cosign(self, witness: KnownWitness, newest: Signed) -> tuple[Standing, tuple[tuple[int, Cosignature], ...]]:
        """Return how the witness answered, and its cosignature with the size that it is of."""
        old = self._known[witness.name]
        try:
            for _ in range(_TURNS):
                if old > newest.size:
                    # Perhaps another publisher has led it on meanwhile.
                    newest = self._newest_now()
                    if old > newest.size:
                        return Standing.AHEAD, ()
                answer = self._ask(_address(witness), Request(old, self._prove(old, newest.size), newest.note).to_bytes())
                if answer.status == 409 and answer.content_type == TREE_SIZE:
                    old = decimal(answer.body.decode("ascii").removesuffix("\n"))
                    self._known[witness.name] = old
                    continue
                if answer.status != 200:
                    return _BY_STATUS.get(answer.status, Standing.UNEXPECTED), ()
                text, _ = split_note(newest.note)
                found = cosignatures(f"{text}\n{answer.body.decode()}", [witness.key])
                if found:
                    self._known[witness.name] = newest.size
                    return Standing.COSIGNED, ((newest.size, found[0]),)
                return Standing.UNEXPECTED, ()
        except Unreachable:
            return Standing.UNREACHABLE, ()
        except (NoteRefused, UnicodeDecodeError):
            pass
        return Standing.UNEXPECTED, ()

    def _newest_now(self) -> Signed:
        with self._reading.begin() as connection:
            newest = latest_signed(connection, self._tables)
        if newest is None:
            raise ProofInvalid("the log has lost all its checkpoints")
        return newest

    def _prove(self, old: int, new: int) -> tuple[bytes, ...]:
        if not 0 < old < new:
            return ()
        with self._reading.begin() as connection:
            return tuple(consistency_proof(old, new, node_reader(connection, self._tables, consistency_ranges(old, new))))

    def _keep(self, witness: KnownWitness, answer: Standing, found: tuple[tuple[int, Cosignature], ...], *, before: str | None) -> None:
        now = micros(self._now())
        for size, cosignature in found:
            row = {"size": size, "witness_name": witness.name, "at": micros(cosignature.at), "line": cosignature.line}
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(self._cosigning.cosignature), row)
            except IntegrityError:
                LOGGER.debug("the cosignature is kept already")
        if answer is Standing.COSIGNED:
            self._not_before.pop(witness.name, None)
        else:
            wait = min(_LONGEST_WAIT, 2 * self._not_before.get(witness.name, (0.0, _FIRST_WAIT / 2))[1])
            self._not_before[witness.name] = (self._clock() + wait, wait)
        if answer.value == before:
            return
        level = logging.CRITICAL if answer in ALARMS else logging.INFO if answer is Standing.COSIGNED else logging.WARNING
        LOGGER.log(level, "witness %s: %s", witness.name, answer.value)
        stored = self._cosigning.witness
        with self._engine.begin() as connection:
            values = {"answer": answer.value, "since": now}
            if not connection.execute(update(stored).where(stored.c.name == witness.name).values(values)).rowcount:
                connection.execute(insert(stored), {"name": witness.name, **values})


def _address(witness: KnownWitness) -> str:
    return f"{(witness.url or '').rstrip('/')}/add-checkpoint"
