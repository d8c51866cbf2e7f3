# SPDX-License-Identifier: MIT
"""The fault table: a row is tried while notifications are posted, then everything is counted; the outcomes are printed and written."""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults.stand import Stand
from tests.faults.storm import HEALED_WITHIN, check, finished, originals
from tests.faults.trial import Trial
from tests.support.invariants import assert_invariants
from tests.support.service import PULL, WEBHOOK
from tests.support.services import eventually

ROWS_OF_A_STAND = 12
"""After these a new stand costs less than what is read of the log of the old."""


@dataclass(frozen=True)
class Row:
    """One fault. ``inject`` strikes (``Trial.strikes``), goes on while the fault lasts, and returns when nothing is injected any more.

    It may return the name of the tool that it had to take instead of ``tool``: ``other_way`` says which. Where ``in_time`` is false,
    clocks were wrong, and the time that a promise names is not judged.
    """

    name: str
    injected: str
    heals: str
    tool: str
    inject: Callable[[Stand, Trial], str | None]
    other_way: str = ""
    in_time: bool = True
    kind: type[Stand] = Stand
    """The stand that it needs."""


@dataclass
class Outcome:
    """What came of a row. ``healed``: seconds from the end of the injection until all had left; ``faults``: what did not hold."""

    row: str
    tool: str = ""
    count: int = 0
    in_flight: int = 0
    sent: int = 0
    accepted: int = 0
    delivered: int = 0
    doubled: int = 0
    applied_twice: int = 0
    lost: int = 0
    healed: float = 0.0
    log_verifies: bool = False
    lasted: float = 0.0
    faults: list[str] = field(default_factory=list)


def try_row(stand: Stand, row: Row, *, count: int, seconds: float) -> Outcome:
    """Try one row and return what came of it; nothing that goes wrong in it is raised."""
    outcome, began = Outcome(row.name, count=count), time.monotonic()
    trial = Trial(stand, row, count=count, seconds=seconds)
    try:
        stand.forget()
        trial.run()
        outcome.healed = max(0.0, trial.healed_at - trial.injected_until)
    except Exception as error:
        outcome.faults.append(_told(error))
    outcome.tool, outcome.sent, outcome.accepted, outcome.in_flight = trial.tool, len(trial.sent), trial.answered, trial.in_flight
    for reckon in (_count, _check, _check_invariants):
        try:
            reckon(stand, trial, outcome)
        except Exception as error:
            outcome.faults.append(_told(error))
    if outcome.in_flight < count:
        outcome.faults.append(f"only {outcome.in_flight} in flight when it struck")
    if outcome.healed > HEALED_WITHIN:
        outcome.faults.append(f"healed only after {outcome.healed:.0f} s")
    outcome.lasted = time.monotonic() - began
    return outcome


def _count(stand: Stand, trial: Trial, outcome: Outcome) -> None:
    standing = trial.standing()
    outcome.delivered = sum(map(finished, standing.values()))
    posts = stand.receiver.posts
    outcome.doubled = posts.total() - len(posts)
    applied = Counter(
        original
        for authority, held in ((PULL, stand.service.collected), (WEBHOOK, stand.receiver.applied))
        for original in originals(trial, authority, held.values())
    )
    outcome.applied_twice = sum(times - 1 for times in applied.values()) + len(stand.receiver.changed)
    accepted = [sent for sent in trial.sent if sent.task_id]
    outcome.lost = sum(sent.task_id not in standing or sent.message.bytes() not in applied for sent in accepted)


def _check(stand: Stand, trial: Trial, outcome: Outcome) -> None:
    check(trial, alone=False, in_time=trial.row.in_time)
    outcome.log_verifies = True


def _check_invariants(stand: Stand, trial: Trial, outcome: Outcome) -> None:
    def hold() -> bool:
        assert_invariants(stand.service.gateway)
        return True

    eventually(hold, within=10, every=0.5, what="every invariant", tolerating=(AssertionError,))


def _told(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}: {str(error)[:600]}"


HEAD = f"{'row':44} {'tool':24} in flight sent acc. deliv. twice on applied lost  healed      log\n"
HEAD += f"{'':44} {'':24} at strike {'':16} the wire   twice      after s verifies"


def line(outcome: Outcome) -> str:
    """Return the outcome as a line of the table, with what did not hold below it."""
    told = f"{outcome.row[:44]:44} {outcome.tool[:24]:24} {outcome.in_flight:9} {outcome.sent:4} {outcome.accepted:4} "
    told += f"{outcome.delivered:6} {outcome.doubled:8} {outcome.applied_twice:7} {outcome.lost:4} {outcome.healed:7.1f} "
    told += f"{'yes' if outcome.log_verifies else 'NO':>8}"
    return "\n".join([told, *(f"    FAILED: {fault}" for fault in outcome.faults)])


def run_table(rows: Sequence[Row], make_stand: Callable[[type[Stand]], Stand], *, count: int, seconds: float) -> Iterable[Outcome]:
    """Try the rows in turn and yield what came of each. After a row that failed, and when its log is long, the next has a new stand.

    A stand that does not come up fails the row that it was for, and the next row is tried.
    """
    waiting = list(rows)
    while waiting:
        kind = waiting[0].kind
        with ExitStack() as stack:
            try:
                stand = stack.enter_context(make_stand(kind))
            except Exception as error:
                yield Outcome(waiting.pop(0).name, count=count, faults=[f"no stand: {_told(error)}"])
                continue
            for _ in range(ROWS_OF_A_STAND):
                if not waiting or waiting[0].kind is not kind:
                    break
                outcome = try_row(stand, waiting.pop(0), count=count, seconds=seconds)
                yield outcome
                if outcome.faults:
                    break


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Return the whole table for machines."""
    return json.dumps([asdict(outcome) for outcome in outcomes], indent=1)


def from_json(text: str) -> list[Outcome]:
    """Return the outcomes that ``as_json`` wrote."""
    return [Outcome(**each) for each in json.loads(text)]
