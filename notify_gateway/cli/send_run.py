# SPDX-License-Identifier: MIT
"""One run over a back-book: batches, patience with a service that is away, and a result for each line."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.send_call import NotYet, Result
from notify_gateway.cli.send_results import ResultsFile, Standing, standing_of
from notify_gateway.cli.send_source import Source, SourceLine

BATCH_LINES = 250
LEAST_LINES = 10
"""A call that fails is tried with half as many lines, down to this: a busy service may take longer for more than a proxy waits."""
BATCH_BYTES = 4 * 1000 * 1000
"""A call, its body whole, passes any proxy that takes a single message of the largest size."""
TRIES_FOR_LINES = 4
"""Times that lines are sent which alone are put off while the rest is taken."""
LONGEST_WAIT = 30.0

Call: TypeAlias = Callable[[Sequence[SourceLine]], Iterator[tuple[SourceLine, Result]]]


class Teller(Protocol):
    """Whoever tells how far the run has come."""

    def told(self, count: Count, position: int) -> None:
        """Tell the numbers."""

    def waiting(self, why: str, seconds: float) -> None:
        """Tell that the service cannot answer now, and for how long it is left alone."""


@dataclass
class Count:
    """What has become of the lines in this run, and of those that a run before had settled."""

    read: int = 0
    now: Counter[Standing] = field(default_factory=Counter)
    before: Counter[Standing] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        """Return how many stand refused."""
        return self.now[Standing.REFUSED] + self.before[Standing.REFUSED]


class Run:
    """Sends each line of ``source`` that is not settled yet; ``patience`` is how long, in seconds, nothing may get through."""

    def __init__(
        self, source: Source, results: ResultsFile, call: Call, teller: Teller, *, again_refused: bool = False, patience: float = 300.0
    ) -> None:
        self._source, self._results, self._call, self._teller = source, results, call, teller
        self._again_refused = again_refused
        self._patience = patience
        self._at_once = BATCH_LINES
        self.count = Count()

    def all(self) -> None:
        """Return when every line has its result.

        Raises ``CommandFailed`` and ``NotifyError`` when the service takes no lines, ``CommandFailed`` when patience is at its end; what
        was answered until then stands in the results.
        """
        for batch in self._batches():
            self._deliver(batch)
            self._results.sync()
            self._tell()

    def _batches(self) -> Iterator[list[SourceLine]]:
        batch: list[SourceLine] = []
        size = 0
        damaged: CommandFailed | None = None
        try:
            for line in self._source.lines():
                if not self._wanted(line):
                    continue
                if batch and (len(batch) == BATCH_LINES or size + len(line.body) >= BATCH_BYTES):
                    yield batch
                    batch, size = [], 0
                batch.append(line)
                size += len(line.body) + 1
        except CommandFailed as error:
            damaged = error
        if batch:
            yield batch
        if damaged is not None:
            raise damaged

    def _wanted(self, line: SourceLine) -> bool:
        self.count.read += 1
        if line.too_long:
            self._record(line, {"status": 413, "code": "NG-1001", "issues": [{"code": "NG-1001"}]})
            return False
        before = self._results.settled.get(line.digest[:16])
        if before is None or not before.settled or (before is Standing.REFUSED and self._again_refused):
            return True
        self.count.before[before] += 1
        return False

    def _deliver(self, batch: list[SourceLine]) -> None:
        import stamina

        waiting = {line.number: line for line in batch}
        while waiting:
            tries = _Tries(self._teller)
            try:
                patience = max(self._patience, 0.001)
                for attempt in stamina.retry_context(
                    tries.wait_for, None, patience, wait_initial=0.5, wait_max=LONGEST_WAIT, wait_jitter=0.5
                ):
                    with attempt:
                        self._once(waiting)
            except NotYet as error:
                if not error.only_lines:
                    why = f"Nothing got through for {self._patience:.0f} seconds: {error.why}."
                    raise CommandFailed("The service cannot take the lines now", why, "Run the same command again later.") from None
                for line in list(waiting.values())[: self._at_once]:
                    self._record(line, {"status": 503, "code": "", "issues": []})
                    del waiting[line.number]

    def _once(self, waiting: dict[int, SourceLine]) -> None:
        """Send what waits and strike off what was settled; raises ``NotYet`` when that was nothing."""
        before = len(waiting)
        why = NotYet("some lines were put off", only_lines=True)
        try:
            for line, result in self._call(list(waiting.values())[: self._at_once]):
                if standing_of(result).settled:
                    self._record(line, result)
                    del waiting[line.number]
            self._at_once = min(self._at_once * 2, BATCH_LINES)
        except NotYet as error:
            why = error
            self._at_once = max(self._at_once // 2, LEAST_LINES)
        if waiting and len(waiting) == before:
            raise why
        if waiting and why.retry_after:
            self._teller.waiting(why.why, why.retry_after)
            time.sleep(why.retry_after)

    def _record(self, line: SourceLine, result: Result) -> None:
        self._results.write({"line": line.number, "digest": line.digest.hex()} | result)
        self.count.now[standing_of(result)] += 1
        self._tell()

    def _tell(self) -> None:
        self._teller.told(self.count, self._source.position)


class _Tries:
    """How long to wait after a failure: as long as the service asks, else ever longer; not at all where waiting is no use."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._denied = self._put_off = 0

    def wait_for(self, error: Exception) -> bool | float:
        """Return the seconds to wait, True for the usual ones, False to give up."""
        if not isinstance(error, NotYet):
            return False
        self._denied += error.denied
        self._put_off += error.only_lines
        if self._denied > 1 or self._put_off >= TRIES_FOR_LINES:
            return False
        self._teller.waiting(error.why, error.retry_after or 1.0)
        return True if error.retry_after is None else error.retry_after
