# SPDX-License-Identifier: MIT
"""What an authority tells the trust beyond its acknowledgement: family contacted, outcome, sent back. Each is a code or a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Conflict, Issue, Refused
from notify_gateway.domain.feedback import check_day, read_outcome, read_send_back_reason
from notify_gateway.domain.lifecycle import State, check_transition
from notify_gateway.store import outbox
from notify_gateway.store.collection import AuthorityDeliveries, Step
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.collect import DeliveryState, own_delivery, state_now
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox import follow

HELD = ("received", "acknowledged", "contacted", "outcome", "sent-back")
TAGS = {State.CONTACTED: "delivery:contacted", State.OUTCOME: "delivery:outcome", State.SENT_BACK: "delivery:returned"}


def record_contact(gateway: Gateway, *, authority: str, delivery_id: UUID, on: date) -> DeliveryState:
    """Record that the authority was in touch with the family on that day; said again, it changes nothing.

    Raises ``NotFound``, ``Refused`` for a day that cannot be, and ``Conflict`` where the life cycle does not allow it.
    """
    return _take(gateway, authority, delivery_id, State.CONTACTED, on=on)


def record_outcome(gateway: Gateway, *, authority: str, delivery_id: UUID, outcome: str, on: date) -> DeliveryState:
    """Record what came of the notification; a later outcome takes the place of an earlier one, said again it changes nothing.

    Raises ``NotFound``, ``Refused`` for an unknown code or a day that cannot be, and ``Conflict`` where the life cycle does not allow it.
    """
    return _take(gateway, authority, delivery_id, State.OUTCOME, on=on, code=read_outcome(outcome).value)


def send_back(gateway: Gateway, *, authority: str, delivery_id: UUID, reason: str, suggested: str | None) -> DeliveryState:
    """Record that the authority is not the responsible one, and which one it thinks is; it stays open until the trust sends again.

    Raises ``NotFound``, ``Refused`` for an unknown reason or a suggestion that is no other authority of today, and ``Conflict`` where the
    life cycle does not allow it.
    """
    code = read_send_back_reason(reason).value
    check_suggested(gateway, authority, suggested)
    return _take(gateway, authority, delivery_id, State.SENT_BACK, code=code, suggested=suggested)


def check_suggested(gateway: Gateway, authority: str, suggested: str | None) -> None:
    """Return if the authority may be named as the responsible one; raises ``Refused`` if it is none of today's, or the one that asks."""
    if suggested is None:
        return
    found = gateway.directory.by_gss(suggested, london_day(gateway.clock.now()))
    if found is None or found.gss != suggested or suggested == authority:
        raise Refused(Issue(Code.SUGGESTED_AUTHORITY))


def _take(
    gateway: Gateway,
    authority: str,
    delivery_id: UUID,
    wanted: State,
    *,
    on: date | None = None,
    code: str | None = None,
    suggested: str | None = None,
) -> DeliveryState:
    taken = Taken(authority, delivery_id, authority, wanted, on, code, suggested)
    with gateway.engine.begin() as connection:
        if take_step(connection, taken, now=gateway.clock.now()) is not None:
            follow.by_system(connection, authority, delivery_id, now=gateway.clock.now())
        return state_now(connection, authority, delivery_id)


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of an authority with a delivery: ``actor`` is the authority's system by its GSS code, or a person."""

    authority: str
    delivery_id: UUID
    actor: str
    wanted: State
    on: date | None = None
    code: str | None = None
    suggested: str | None = None


def take_step(connection: Connection, taken: Taken, *, now: datetime) -> UUID | None:
    """Record the step; return its event, or None where the very same was the last word already. Raises as the acts of this module."""
    own = AuthorityDeliveries(connection, taken.authority)
    row = own_delivery(connection, taken.authority, taken.delivery_id, lock=True, sent_back=True)
    steps = own.steps(taken.delivery_id)
    step = Step(taken.wanted.value, taken.code, taken.on, taken.suggested, now, uuid4())
    last = next((each for each in reversed(steps) if each.step == taken.wanted.value), None)
    if last is not None and replace(last, at=step.at, event_id=step.event_id) == step:
        return None
    require_latest(own, row)
    check_transition(State(row.state), taken.wanted)
    if taken.on is not None:
        check_day(taken.on, notified_on=london_day(own.notified_at(row)), today=london_day(now))
    fields = _fields(step, str(row.notification_id), taken.authority)
    event = Event(TAGS[taken.wanted], at=now, actor=taken.actor, subject=str(taken.delivery_id), fields=fields)
    made = append(connection, audit_tables, [event])[0]
    own.add_step(taken.delivery_id, len(steps) + 1, replace(step, event_id=made.event_id), by=taken.actor)
    outbox.write(connection, [{"id": taken.delivery_id, "state": taken.wanted.value}])
    return made.event_id


def require_latest(own: AuthorityDeliveries, row: Row[Any]) -> None:
    """Return if the delivery is one of which there is still something to say; raises ``Conflict``."""
    if own.holds_later(row, HELD):
        raise Conflict(Issue(Code.DELIVERY_REPLACED))
    # A withdrawal is taken note of; there is nothing to contact a family for, to conclude or to send back.
    if row.event == "delete":
        raise Conflict(Issue(Code.DELIVERY_STATE))


def _fields(step: Step, notification: str, authority: str) -> dict[str, str | int]:
    name = "reason" if step.step == State.SENT_BACK else "code"
    given: dict[str, str | int | None] = {name: step.code, "on": step.on.isoformat() if step.on else None, "suggested": step.suggested}
    kept = {key: value for key, value in given.items() if value is not None}
    return {"notification": notification, "authority": authority, **kept}
