# SPDX-License-Identifier: MIT
"""How the service stands, in sentences: what the operations pages and their commands show first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from notify_gateway.domain.catalogue import entry
from notify_gateway.domain.errors import Unavailable
from notify_gateway.domain.operating import Standing
from notify_gateway.domain.standing import Finding, Level, count_of, words_of, worst
from notify_gateway.use_cases import proofs
from notify_gateway.use_cases.aims import Aim, aims_of
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.invariants.finding import Run
from notify_gateway.use_cases.invariants.runs import latest
from notify_gateway.use_cases.overview import LATE, LEAVING, LONG_UNFETCHED, UNFETCHED, VERY_LATE, Seen, level_by_age, look

SILENT = timedelta(days=7)
"""After how long without a notification a trust that has sent before is asked about."""
MISSED = 3
"""After how many looks at the invariants that did not come somebody is told."""
QUIET_LOG = timedelta(hours=26)
"""The log signs a checkpoint at least daily, also when nothing happens."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing with its state, what is to be said of it, and where more stands."""

    name: str
    level: Level
    said: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """Since when nothing was heard of an organisation."""

    kind: str
    code: str
    name: str
    last: datetime | None
    recent: int
    level: Level
    said: str


@dataclass(frozen=True, slots=True)
class Home:
    """The whole at a glance."""

    at: datetime
    level: Level
    sentence: str
    lines: tuple[Line, ...]
    silences: tuple[Silence, ...]
    invariants: Run | None
    objectives: tuple[Aim, ...]


def home(gateway: Gateway, findings: Sequence[Finding] | None) -> Home:
    """Return how the service stands; ``findings`` are those of the machine, None where nobody could look."""
    seen = look(gateway)
    door, queue = _door(gateway, seen), _queue(seen)
    run, aims = latest(gateway), aims_of(gateway)
    kept = _invariants(run, seen.now, gateway.settings.invariants_every)
    lines = (door, queue, _failed(seen), _deliveries(seen), *_log(gateway, seen), kept, *_machine(findings))
    level = worst(line.level for line in lines)
    return Home(seen.now, level, _sentence(door, queue, level), lines, tuple(_silences(seen)), run, aims)


def _door(gateway: Gateway, seen: Seen) -> Line:
    last = max((each.last for each in seen.sent if each.last), default=None)
    recent = sum(each.count for each in seen.sent)
    came = f"{count_of(recent, 'message')} in the last 24 hours"
    came += f", the last {words_of(seen.now - last)} ago" if last else "; none has come yet"
    try:
        proofs.require_log_in_time(gateway)
    except Unavailable as error:
        return Line("Door", Level.FAIL, f"Nothing is accepted: {_lower(entry(error.issues[0].code).title)}. {came}.", "/ops/checks")
    return Line("Door", Level.OK, f"Open. {came[:1].upper()}{came[1:]}.")


def _queue(seen: Seen) -> Line:
    waits = seen.waits(LEAVING)
    number = count_of(waits.count, "delivery")
    said = "Nothing is waiting." if waits.age is None else f"Oldest waiting {words_of(waits.age)}, {number} in all."
    return Line("Queue", level_by_age(waits.age, LATE, VERY_LATE), said, "/ops/queues")


def _failed(seen: Seen) -> Line:
    failing, parked = seen.waits([Standing.FAILING]), seen.waits([Standing.PARKED])
    if parked.count:
        said = f"{count_of(parked.count, 'delivery')} parked, which only people can move; {failing.count} tried again by themselves."
        return Line("Failed work", level_by_age(parked.age, timedelta(0), VERY_LATE), said, "/ops/failed")
    level = level_by_age(failing.age, LATE, VERY_LATE)
    said = f"{count_of(failing.count, 'delivery')} tried again by themselves; none is parked." if failing.count else "None."
    return Line("Failed work", level, said, "/ops/failed")


def _deliveries(seen: Seen) -> Line:
    received, lying = sum(each.count for each in seen.arrived), seen.waits([Standing.OFFERED])
    said = f"{received:,} received in the last 24 hours."
    if lying.age is not None:
        said += f" {lying.count:,} with an authority that has not confirmed, the oldest for {words_of(lying.age)}."
    return Line("Deliveries", level_by_age(lying.age, UNFETCHED, LONG_UNFETCHED), said, "/ops/deliveries")


def _log(gateway: Gateway, seen: Seen) -> tuple[Line, Line]:
    log, promise = seen.log, gateway.settings.promise_within.total_seconds()
    late = log.oldest is not None and log.oldest > promise
    waits = (
        f"{count_of(log.pending, 'event')} to be signed, the oldest for {words_of(timedelta(seconds=log.oldest))}" if log.oldest else None
    )
    growth = Line(
        "Log growth", Level.FAIL if late else Level.OK, f"{count_of(log.grown, 'entry')} in the last hour; {waits or 'nothing waits'}."
    )
    if log.signed_at is None:
        return growth, Line("Checkpoint", Level.FAIL if late else Level.WARN, "None was signed yet.", "/log/checkpoint")
    age = seen.now - log.signed_at
    level = Level.FAIL if late else Level.WARN if age > QUIET_LOG else Level.OK
    said = f"Signed {words_of(age)} ago over {log.size:,} entries."
    return growth, Line("Checkpoint", level, said, "/log/checkpoint")


def _invariants(run: Run | None, now: datetime, every: timedelta) -> Line:
    if run is None:
        return Line("Invariants", Level.UNKNOWN, "Not looked at yet.")
    said = f"Looked at {words_of(now - run.at)} ago: {len(run.findings) - len(run.broken)} of {len(run.findings)} hold."
    if now - run.at > every * MISSED:
        return Line("Invariants", worst([Level(run.level.value), Level.WARN]), f"{said} Nobody has looked since; is the scheduler running?")
    return Line("Invariants", Level(run.level.value), said)


def _machine(findings: Sequence[Finding] | None) -> Iterable[Line]:
    groups: dict[str, list[Finding]] = {"Database": [], "Broker": [], "Clock": [], "Keys": [], "Other checks": []}
    for each in findings or ():
        groups[_group(each.name)].append(each)
    return [_told(title, mine) for title, mine in groups.items()]


def _group(name: str) -> str:
    if name.endswith((" database", " migrations")):
        return "Database"
    if name.endswith(".json") or name.startswith("authority "):
        return "Keys"
    return {"broker": "Broker", "clock": "Clock"}.get(name, "Other checks")


def _told(title: str, findings: list[Finding]) -> Line:
    if not findings:
        return Line(title, Level.UNKNOWN, "Nobody looked.", "/ops/checks")
    level = worst(Level(each.state) for each in findings)
    wrong = [each for each in findings if each.state != Level.OK]
    if wrong:
        return Line(title, level, "; ".join(f"{each.name}: {each.value}" for each in wrong) + ".", "/ops/checks")
    said = findings[0].value if len(findings) == 1 else f"All {len(findings)} are well"
    return Line(title, level, f"{said[:1].upper()}{said[1:]}.", "/ops/checks")


def _silences(seen: Seen) -> Iterable[Silence]:
    for trust in seen.sent:
        age = seen.now - trust.last if trust.last else None
        level = Level.UNKNOWN if age is None else Level.WARN if age > SILENT else Level.OK
        yield Silence("trust", trust.trust, trust.name, trust.last, trust.count, level, _ago(age))
    for gss, receiver in seen.receivers.items():
        mine = [each for each in seen.arrived if each.authority == gss]
        last = max((each.last for each in mine if each.last), default=None)
        age, lying = seen.now - last if last else None, seen.waits([Standing.OFFERED], gss)
        level = Level.UNKNOWN if age is None and lying.age is None else level_by_age(lying.age, UNFETCHED, LONG_UNFETCHED)
        yield Silence("authority", gss, receiver.name, last, sum(each.count for each in mine), level, _ago(age))


def _ago(age: timedelta | None) -> str:
    return "Nothing yet" if age is None else f"{words_of(age)} ago"


def _sentence(door: Line, queue: Line, level: Level) -> str:
    if door.level is Level.FAIL:
        return door.said
    if queue.level is not Level.OK:
        return f"Notifications are arriving, and some wait too long to leave. {queue.said}"
    normal = f"Notifications are arriving and leaving normally. {queue.said}"
    return normal if level in (Level.OK, Level.UNKNOWN) else f"{normal} Something else needs a look."


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"
