# SPDX-License-Identifier: MIT
"""What operators see of the outbox and do to it: by ids and codes, each act with who and why, and never a change of a message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound
from notify_gateway.domain.lifecycle import State, check_transition
from notify_gateway.domain.operating import GiveUpReason, NotRetried, ParkReason, RetryReason, Standing
from notify_gateway.domain.outbox_policy import CLOSED, Circuit, judge
from notify_gateway.store import circuits, operating, outbox
from notify_gateway.store.circuits import Downtime
from notify_gateway.store.engine import reading
from notify_gateway.store.operating import Flow, Item, Matching, Trouble
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core

AT_ONCE = 500
"""Deliveries that one transaction of a retry queues anew."""
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class AuthorityFlow:
    """How it goes with an authority by one channel, how it answers, and the downtime that is on or comes next."""

    flow: Flow
    circuit: Circuit
    downtime: Downtime | None


@dataclass(frozen=True, slots=True)
class Retried:
    """What a retry did, or with ``dry_run`` would do: how many are queued anew, and of the rest how many not, and why.

    ``held`` of those queued anew do not go at once: their authority's circuit is open, or it is away by plan.
    """

    dry_run: bool
    count: int
    held: int
    left: Mapping[NotRetried, int]


def list_troubles(core: Core, *, matching: Matching = Matching()) -> list[Trouble]:  # noqa: B008 - frozen
    """Return failing and parked work grouped by its cause, authority and channel, the largest group first."""
    with reading(core.engine).begin() as connection:
        return operating.troubles(connection, matching, now=core.clock.now())


def list_flows(core: Core, *, authority: str | None = None) -> list[AuthorityFlow]:
    """Return how it goes with each authority on the service, or with one, by each of its channels."""
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        flows = operating.flows(connection, now=now, authority=authority)
        known = circuits.find_all(connection)
        planned = circuits.list_downtimes(connection, authority=authority, ending_after=now)
    downtimes: dict[str, Downtime] = {}
    for each in planned:
        downtimes.setdefault(each.authority, each)
    return [AuthorityFlow(flow, known.get(flow.authority, CLOSED), downtimes.get(flow.authority)) for flow in flows]


def list_deliveries(core: Core, *, matching: Matching, limit: int = 100) -> list[Item]:
    """Return open deliveries, the oldest first, at most ``limit`` (500)."""
    with reading(core.engine).begin() as connection:
        return operating.items(connection, matching, now=core.clock.now(), limit=min(limit, MOST_LISTED))


def retry_matching(core: Core, *, matching: Matching, reason: RetryReason, actor: str, dry_run: bool = False) -> Retried:
    """Queue anew what matches and fails or is parked: due at once, its attempts and age counted from now. Of the rest, say why not.

    A second call finds what the first queued anew in good order, and leaves it alone. A circuit that is open stays so: it closes by itself.
    """
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        found = operating.items(connection, matching, now=now)
        left = Counter(_why_not(item) for item in found)
        left += Counter(_absent(connection, matching, found))
        peaceful = set(connection.scalars(circuits.left_in_peace(now)))
    wanted = [item for item in found if _why_not(item) is None]
    del left[None]
    if not dry_run:
        wanted, changed = _requeue(core, wanted, reason.value, actor)
        left += changed
    held = sum(item.authority in peaceful for item in wanted)
    return Retried(dry_run, len(wanted), held, {why: left[why] for why in NotRetried if left[why]})


def park(core: Core, *, delivery_id: UUID, reason: ParkReason, actor: str) -> bool:
    """Hold a queued delivery back until somebody retries it or gives it up; tell whether it was not parked before.

    Raises ``NotFound``, or ``Conflict`` for one that is under way or no longer queued.
    """
    now = core.clock.now()
    with core.engine.begin() as connection:
        row = _free(connection, delivery_id, now)
        if row.state != "queued":
            raise Conflict(Issue(Code.DELIVERY_STATE))
        if row.parked_at is not None:
            return False
        outbox.write(connection, [{"id": delivery_id, "parked_at": now, "parked_code": reason.value}])
        owner = judge(reason.value).owner.value
        _record(connection, "delivery:parked", row, actor, now, code=reason.value, owner=owner, attempts=row.attempts, limit="person")
    return True


def give_up(core: Core, *, delivery_id: UUID, reason: GiveUpReason, actor: str) -> bool:
    """Give up a delivery that has not been received; its trust sees at the Task that it failed. Tell whether it was not given up before.

    Raises ``NotFound``, or ``Conflict`` for one that is under way, has been received, or was overtaken.
    """
    now = core.clock.now()
    with core.engine.begin() as connection:
        row = _free(connection, delivery_id, now)
        if row.state == State.GIVEN_UP:
            return False
        check_transition(State(row.state), State.GIVEN_UP)
        outbox.write(connection, [{"id": delivery_id, "state": State.GIVEN_UP.value, "given_up_at": now}])
        code = {"code": row.parked_code or row.last_code} if row.parked_code or row.last_code else {}
        _record(connection, "delivery:given_up", row, actor, now, reason=reason.value, **code)
    return True


def _requeue(core: Core, wanted: list[Item], reason: str, actor: str) -> tuple[list[Item], Counter[NotRetried | None]]:
    """Queue them anew, so many at once; return those that were, and of the rest, which have changed since they were read, why not."""
    now = core.clock.now()
    done: list[Item] = []
    changed: Counter[NotRetried | None] = Counter()
    for start in range(0, len(wanted), AT_ONCE):
        ids = tuple(item.id for item in wanted[start : start + AT_ONCE])
        with core.engine.begin() as connection:
            held = operating.items(connection, Matching(ids=ids), now=now, lock=True)
            going = [item for item in held if _why_not(item) is None]
            outbox.requeue(connection, [item.id for item in going], now=now)
            append(connection, audit_tables, [_requeued(item, reason, actor, now) for item in going])
        done += going
        changed += Counter(why for item in held if (why := _why_not(item)) is not None)
        changed[NotRetried.ENDED] += len(ids) - len(held)
    return done, changed


def _why_not(item: Item) -> NotRetried | None:
    if item.standing in (Standing.FAILING, Standing.PARKED):
        return NotRetried.BEHIND_ANOTHER if item.behind else None
    if item.standing is Standing.WAITING and item.behind:
        return NotRetried.BEHIND_ANOTHER
    return _NOT[item.standing]


_NOT = {
    Standing.WAITING: NotRetried.NOTHING_WRONG,
    Standing.UNDER_WAY: NotRetried.UNDER_WAY,
    Standing.OFFERED: NotRetried.HANDED_OVER,
}


def _absent(connection: Connection, matching: Matching, found: Iterable[Item]) -> list[NotRetried]:
    """Tell of the ids that were asked for by name, and are not open, why they are not retried."""
    missing = set(matching.ids) - {item.id for item in found}
    known = operating.known(connection, missing)
    return [NotRetried.ENDED if each in known else NotRetried.UNKNOWN for each in missing]


def _free(connection: Connection, delivery_id: UUID, now: datetime) -> Any:
    """Return the delivery, locked; raises ``NotFound``, or ``Conflict`` while a worker holds it."""
    row = outbox.locked(connection, [delivery_id]).get(delivery_id)
    if row is None:
        raise NotFound(Issue(Code.DELIVERY_UNKNOWN))
    if row.state == "queued" and row.lease_until is not None and row.lease_until >= now:
        raise Conflict(Issue(Code.DELIVERY_STATE))
    return row


def _requeued(item: Item, reason: str, actor: str, now: datetime) -> Event:
    fields = {"notification": str(item.notification_id), "authority": item.authority, "channel": item.channel, "reason": reason}
    return Event("delivery:requeued", at=now, actor=actor, subject=str(item.id), fields=fields | ({"code": item.code} if item.code else {}))


def _record(connection: Connection, tag: str, row: Any, actor: str, now: datetime, **fields: str | int) -> None:
    told = {"notification": str(row.notification_id), "authority": row.authority, "channel": row.channel, **fields}
    append(connection, audit_tables, [Event(tag, at=now, actor=actor, subject=str(row.id), fields=told)])
