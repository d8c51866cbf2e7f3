# SPDX-License-Identifier: MIT
"""The frame of every act: who may, whose case, was it changed meanwhile, was the form sent before; then the steps, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from audit.events import Event, Value
from audit.log import append
from notify_gateway.domain.case_clock import DueRules
from notify_gateway.domain.casework import Status, Step
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Conflict, Issue, NotFound
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.store.case_parts import Parts
from notify_gateway.store.cases import CaseEvent, CaseRow, Cases
from notify_gateway.store.collection import AuthorityDeliveries
from notify_gateway.store.row_level import scoped
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.placing import changed, tell


@dataclass(frozen=True, slots=True)
class Sent:
    """The form that a person sent: about which case, as of which version of it, and which form it was."""

    reference: str
    version: int
    form: UUID | None


@dataclass(slots=True)
class Work:
    """A case under somebody's hands: as it was found, locked, and what is to change of it."""

    by: Person
    connection: Connection
    cases: Cases
    parts: Parts
    case: CaseRow
    rules: DueRules
    now: datetime
    values: dict[str, Any] = field(default_factory=dict)
    told: list[tuple[str, UUID | None, dict[str, str]]] = field(default_factory=list)
    told_trust: bool = False

    @property
    def today(self) -> date:
        """Return the London day."""
        return london_day(self.now)

    @property
    def present(self) -> CaseRow:
        """Return the case as it is with what was changed so far."""
        return replace(self.case, **self.values)

    def change(self, **values: Any) -> None:
        """The case will have these values."""
        self.values |= values

    def log(self, tag: str, **fields: Value | None) -> UUID:
        """Put an event about the notification into the log; return its id."""
        kept: dict[str, Value] = {name: value for name, value in fields.items() if value is not None}
        fields_of = {"authority": self.by.organisation, **kept}
        event = Event(tag, at=self.now, actor=self.by.actor, subject=str(self.case.notification_id), fields=fields_of)
        return append(self.connection, audit_tables, [event])[0].event_id

    def tell(self, what: str, event_id: UUID | None, **details: object) -> None:
        """The history of the case will say so; the last such entry is the act's own."""
        self.told.append((what, event_id, {name: str(value) for name, value in details.items() if value is not None}))

    def require(self, *, when: bool, code: Code = Code.CASE_STATE) -> None:
        """Return if it is so; raises ``Conflict`` otherwise, and before that where the trust has withdrawn the notification."""
        if self.case.withdrawn_at is not None:
            raise Conflict(Issue(Code.CASE_WITHDRAWN))
        if not when:
            raise Conflict(Issue(code))


def carry_out(core: Core, by: Person, sent: Sent, steps: Callable[[Work], None], *, act: Act = Act.WORK_CASE) -> Done:
    """Take the steps with the case, one version on, all or none; what changes nothing leaves it as it is. A form counts once.

    Raises ``NotAllowed``, ``NotFound`` where the authority has no such case, ``Conflict`` (``CASE_CHANGED``), and what the steps raise.
    """
    require(by, act)
    with scoped(core.engine, by.organisation) as connection:
        return carry_out_in(connection, core, by, sent, steps)


def carry_out_in(connection: Connection, core: Core, by: Person, sent: Sent, steps: Callable[[Work], None]) -> Done:
    """Do what ``carry_out`` does, in the caller's transaction, for somebody who may."""
    now = core.clock.now()
    cases = Cases(connection, by.organisation)
    case = locked(connection, cases, cases.find(sent.reference))
    before = cases.sent_before(case.id, sent.form) if sent.form is not None else None
    if before is not None:
        return _done(case, now, before)
    if case.version != sent.version:
        raise Conflict(Issue(Code.CASE_CHANGED))
    work = Work(by, connection, cases, Parts(connection, by.organisation), case, cases.rules(), now)
    steps(work)
    if not work.told:
        return _done(case, now, None)
    row = changed(case, work.rules, now=now, **work.values)
    cases.save(row)
    for number, (what, event_id, details) in enumerate(work.told, 1):
        form = sent.form if number == len(work.told) else None
        tell(cases, row, what, at=now, actor=by.actor, event_id=event_id, form=form, details=details)
    return replace(_done(row, now, None), event_id=work.told[-1][1], told_trust=work.told_trust, repeated=False)


def locked(connection: Connection, cases: Cases, found: CaseRow | None) -> CaseRow:
    """Return the case, which nobody else changes until the transaction ends; raises ``NotFound`` where there is none.

    Its delivery is locked first: that is the order in which everybody takes the two.
    """
    if found is None:
        raise NotFound(Issue(Code.CASE_UNKNOWN))
    AuthorityDeliveries(connection, cases.authority).find(found.delivery_id, lock=True)
    case = cases.get(found.id, lock=True)
    if case is None:
        raise NotFound(Issue(Code.CASE_UNKNOWN))
    return case


def _done(case: CaseRow, now: datetime, before: CaseEvent | None) -> Done:
    return Done(
        reference=case.reference,
        version=case.version,
        at=now if before is None else before.at,
        status=Status(case.status),
        next=Step(case.step),
        reply_by=case.reply_on,
        event_id=None if before is None else before.event_id,
        told_trust=False,
        repeated=True,
    )
