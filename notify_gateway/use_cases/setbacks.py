# SPDX-License-Identifier: MIT
"""What follows when attempts fail: tried again, parked, overtaken or moved; and what they tell of their authority, for its circuit.

It costs nothing while all is well: the rows of the attempts bear a mark when their authority has failed lately, and only then, or when
something failed, is any of this asked for.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row

from audit.events import Event
from audit.log import append
from notify_gateway.domain.delivery import AttemptResult
from notify_gateway.domain.lifecycle import State
from notify_gateway.domain.outbox_policy import SPARED, Circuit, Limits, Meaning, Park, Seen, after, judge, next_step
from notify_gateway.store import circuits, outbox
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core

ANSWERS_AGAIN = "receiver-answers"
"""The reason with which the service itself queues anew what was parked because the receiver was away."""
Told: TypeAlias = tuple[AttemptResult, Row[Any]]


def limits(core: Core) -> Limits:
    """Return what the settings say of attempts and circuits."""
    chosen = core.settings
    return Limits(
        most_attempts=chosen.most_attempts,
        longest_age=chosen.longest_age,
        retry_first=chosen.retry_first,
        retry_most=chosen.retry_most,
        circuit_after=chosen.circuit_after,
        circuit_first=chosen.circuit_first,
        circuit_most=chosen.circuit_most,
    )


def settle(core: Core, connection: Connection, told: Sequence[Told], *, now: datetime) -> list[dict[str, Any]]:
    """Bring the circuits to what the results tell of their authorities; return what is to be written of each delivery that failed.

    The caller has locked the rows, and has recorded that the attempts failed; what follows from that is recorded here.
    """
    failed = [(result, row) for result, row in told if result.outcome == "retry"]
    troubled = {row.authority for _, row in failed} | {row.authority for _, row in told if row.troubled}
    if not troubled:
        return []
    away = set(connection.scalars(circuits.away_by_plan(now))) if failed else set()
    seen = {authority: _seen(result for result, row in told if row.authority == authority) for authority in sorted(troubled)}
    standing = _bring_up(core, connection, {each: what for each, what in seen.items() if what.answered or each not in away}, told, now)
    peaceful = away | {each for each, circuit in standing.items() if circuit.is_open}
    return _follow(core, connection, failed, peaceful, standing, now) if failed else []


def _seen(results: Iterable[AttemptResult]) -> Seen:
    """Sum up what the results of one authority tell of it."""
    answered, away, code, asked = False, 0, None, None
    for result in results:
        meaning = judge(result.code).meaning if result.outcome == "retry" else Meaning.ANSWERED
        answered = answered or meaning is Meaning.ANSWERED
        if meaning is Meaning.AWAY:
            away, code = away + 1, result.code
            asked = max(asked or 0.0, result.retry_after) if result.retry_after is not None else asked
    return Seen(answered, away, code, asked)


def _bring_up(core: Core, connection: Connection, seen: Mapping[str, Seen], told: Sequence[Told], now: datetime) -> dict[str, Circuit]:
    """Write and record the circuits that change; return all of them as they stand."""
    tried = {row.id for _, row in told}
    standing = circuits.find(connection, seen)
    for authority, before in standing.items():
        probed = before.probe in tried
        circuit = after(before, seen[authority], probed=probed, now=now, limits=limits(core), chance=_chance())
        standing[authority] = circuit
        if circuit == before:
            continue
        circuits.save(connection, authority, circuit)
        if circuit.is_open and not before.is_open:
            fields: dict[str, str | int] = {"code": circuit.last_code or "", "failures": circuit.failures}
            _record(connection, "circuit:opened", authority, now, fields)
        elif before.is_open and not circuit.is_open:
            _let_go(connection, authority, before, now)
    return standing


def _let_go(connection: Connection, authority: str, before: Circuit, now: datetime) -> None:
    """The circuit is closed: what waited for the receiver to answer goes at once, also what was parked for that alone."""
    parked = [each for each in outbox.parked(connection, authority) if judge(each[2]).meaning is Meaning.AWAY]
    outbox.requeue(connection, [delivery for delivery, _, _ in parked], now=now)
    for delivery, notification, code in parked:
        fields = {"authority": authority, "notification": str(notification), "code": code, "reason": ANSWERS_AGAIN}
        _record(connection, "delivery:requeued", str(delivery), now, fields)
    waited = [delivery for delivery, code in outbox.put_off(connection, authority, now=now) if judge(code).meaning is Meaning.AWAY]
    outbox.hasten(connection, waited, now=now)
    opened = {"opened_at": before.opened_at.isoformat()} if before.opened_at else {}
    _record(connection, "circuit:closed", authority, now, {"requeued": len(parked), **opened})


def _follow(
    core: Core, connection: Connection, failed: Sequence[Told], peaceful: set[str], standing: Mapping[str, Circuit], now: datetime
) -> list[dict[str, Any]]:
    """Decide what becomes of each delivery that failed, and record it."""
    ids = [row.id for _, row in failed]
    successors, queued_at = outbox.successors(connection, ids), outbox.queued_at(connection, ids)
    receivers = core.receivers.get()
    changes = []
    for result, row in failed:
        spared = row.spared + (result.code in SPARED or row.authority in peaceful)
        change = _AGAIN | {"id": row.id, "due_at": now, "last_code": result.code, "spared": spared, "channel": row.channel}
        receiver = receivers.get(row.authority)
        if row.id in successors:
            change["state"] = State.SUPERSEDED.value
            _tell(connection, "delivery:superseded", row, now, successor=str(successors[row.id]))
        elif receiver is not None and receiver.channel != row.channel:
            # The authority has chosen another channel while this one was being tried.
            change |= {"channel": receiver.channel, "spared": row.attempts}
            _tell(connection, "delivery:moved", row, now, channel=receiver.channel, before=row.channel)
        elif row.authority in standing or row.authority not in peaceful:
            step = next_step(
                code=result.code,
                attempts=row.attempts - spared,
                age=now - queued_at[row.id],
                now=now,
                limits=limits(core),
                chance=_chance(),
                retry_after=result.retry_after,
            )
            paused_until = standing[row.authority].paused_until if row.authority in standing else None
            if isinstance(step, Park):
                change |= {"parked_at": now, "parked_code": result.code}
                told: dict[str, str | int] = {"code": result.code, "owner": step.owner.value, "limit": step.limit}
                _tell(connection, "delivery:parked", row, now, **told, attempts=row.attempts, channel=row.channel)
            else:
                change["due_at"] = paused_until if row.authority in peaceful and paused_until else step.at
        changes.append(change)
    return changes


_AGAIN: dict[str, Any] = {
    "state": State.QUEUED.value,
    "lease_owner": None,
    "lease_until": None,
    "hinted_at": None,
    "parked_at": None,
    "parked_code": None,
}


def _chance() -> float:
    return random.random()  # noqa: S311 - spreads load; nothing secret


def _tell(connection: Connection, tag: str, row: Row[Any], now: datetime, **fields: str | int) -> None:
    _record(connection, tag, str(row.id), now, {"authority": row.authority, "notification": str(row.notification_id), **fields})


def _record(connection: Connection, tag: str, subject: str, now: datetime, fields: Mapping[str, str | int]) -> None:
    append(connection, audit_tables, [Event(tag, at=now, actor="service", subject=subject, fields=fields)])
