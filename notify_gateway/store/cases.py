# SPDX-License-Identifier: MIT
"""The cases of one authority: found, made and changed one at a time. The scope stands in the constructor: there is no unscoped reader."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from notify_gateway.domain.case_clock import DEFAULT_RULES, DueRules, Facts, Stage
from notify_gateway.domain.casework import Step
from notify_gateway.domain.clock import london_day
from notify_gateway.store.tables import case_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case as it is stored; ``turn_at`` is when the latest delivery of it came."""

    id: UUID
    authority: str
    notification_id: UUID
    reference: str
    sender: str
    thread_id: UUID
    delivery_id: UUID
    message_id: UUID
    event: str
    main_need: str | None
    sensitive: bool
    related: bool
    contact_from: date | None
    arrived_at: datetime
    turn_at: datetime
    changed_at: datetime
    version: int
    stage: str
    status: str
    bucket: str
    step: str
    reply_on: date | None
    clock_on: date
    paused_days: int
    asked_at: datetime | None
    extended_step: str | None
    extended_on: date | None
    officer: UUID | None
    contacted_on: date | None
    next_try_on: date | None
    failed_tries: int
    asked_not_to: bool
    outcome: str | None
    sent_back_at: datetime | None
    sent_back_reason: str | None
    suggested: str | None
    resent_at: datetime | None
    withdrawn_at: datetime | None
    closed_at: datetime | None
    duplicate_of: UUID | None

    @property
    def facts(self) -> Facts:
        """Return what decides where it stands."""
        return Facts(
            stage=Stage(self.stage),
            clock_on=self.clock_on,
            turn_on=london_day(self.turn_at),
            assigned=self.officer is not None,
            paused_days=self.paused_days,
            asked=self.asked_at is not None,
            extended_step=self.extended_step,
            extended_on=self.extended_on,
            withdrawn=self.withdrawn_at is not None,
            resent=self.resent_at is not None,
            closed=self.closed_at is not None,
            duplicate=self.duplicate_of is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """An entry of a case's history; ``details`` are codes, days and ids."""

    number: int
    version: int
    at: datetime
    what: str
    actor: str
    details: Mapping[str, str]
    event_id: UUID | None
    form: UUID | None = None


class Cases:
    """The cases of one authority."""

    def __init__(self, connection: Connection, authority: str) -> None:
        self._connection = connection
        self.authority = authority

    def find(self, reference: str, *, lock: bool = False) -> CaseRow | None:
        """Return the case of that reference; ``lock``: nobody else changes it until the transaction ends."""
        return self._one(_c.reference == reference, lock=lock)

    def get(self, case_id: UUID, *, lock: bool = False) -> CaseRow | None:
        """Return the case of that id."""
        return self._one(_c.id == case_id, lock=lock)

    def of_notification(self, notification_id: UUID, *, lock: bool = False) -> CaseRow | None:
        """Return the case that is about the notification."""
        return self._one(_c.notification_id == notification_id, lock=lock)

    def of_thread(self, thread_id: UUID, *, but: UUID, limit: int = 20) -> list[CaseRow]:
        """Return the other cases of the thread, the earliest first."""
        found = self._select().where(_c.thread_id == thread_id, _c.id != but).order_by(_c.arrived_at, _c.id).limit(limit)
        return [CaseRow(**row._mapping) for row in self._connection.execute(found)]

    def all_of(self, ids: Collection[UUID]) -> dict[UUID, CaseRow]:
        """Return the cases of these ids."""
        found = self._connection.execute(self._select().where(_c.id.in_(ids)))
        return {row.id: CaseRow(**row._mapping) for row in found}

    def add(self, row: CaseRow) -> None:
        """Insert a case."""
        self._connection.execute(insert(case_tables.cases), [{name: getattr(row, name) for name in CaseRow.__slots__}])

    def save(self, row: CaseRow) -> None:
        """The case, which the caller has locked, is as ``row`` says."""
        values = {name: getattr(row, name) for name in CaseRow.__slots__ if name not in ("id", "authority")}
        self._connection.execute(update(case_tables.cases).where(_c.id == row.id, _c.authority == self.authority).values(values))

    def tell(self, case_id: UUID, entry: CaseEvent) -> None:
        """Put an entry into the history; its number is the next one."""
        e = case_tables.events.c
        last = self._connection.scalar(select(func.max(e.number)).where(e.case_id == case_id, e.authority == self.authority))
        values = {name: getattr(entry, name) for name in CaseEvent.__slots__} | {
            "case_id": case_id,
            "authority": self.authority,
            "number": (last or 0) + 1,
            "details": orjson.dumps(dict(entry.details)).decode(),
        }
        self._connection.execute(insert(case_tables.events), [values])

    def history(self, case_id: UUID) -> list[CaseEvent]:
        """Return what happened to the case, the latest first."""
        e = case_tables.events.c
        found = select(*(e[name] for name in CaseEvent.__slots__)).where(e.case_id == case_id, e.authority == self.authority)
        return [_entry(row._mapping) for row in self._connection.execute(found.order_by(e.number.desc()))]

    def sent_before(self, case_id: UUID, form: UUID) -> CaseEvent | None:
        """Return what the form came to when it was sent before."""
        e = case_tables.events.c
        found = select(*(e[name] for name in CaseEvent.__slots__)).where(
            e.case_id == case_id, e.form == form, e.authority == self.authority
        )
        row = self._connection.execute(found).one_or_none()
        return None if row is None else _entry(row._mapping)

    def rules(self) -> DueRules:
        """Return the authority's days for each step."""
        s = case_tables.settings.c
        days = (s.acknowledge_days, s.allocate_days, s.contact_days, s.outcome_days, s.planning_only)
        row = self._connection.execute(select(*days).where(s.authority == self.authority)).one_or_none()
        if row is None:
            return DEFAULT_RULES
        steps = (Step.ACKNOWLEDGE, Step.ALLOCATE, Step.CONTACT, Step.OUTCOME)
        return DueRules(dict(zip(steps, row[:4], strict=True)), bool(row[4]))

    def _select(self) -> Select[Any]:
        return select(case_tables.cases).where(_c.authority == self.authority)

    def _one(self, condition: Any, *, lock: bool) -> CaseRow | None:
        found = self._select().where(condition)
        row = self._connection.execute(found.with_for_update() if lock else found).one_or_none()
        return None if row is None else CaseRow(**row._mapping)


_c = case_tables.cases.c


def _entry(row: RowMapping) -> CaseEvent:
    return CaseEvent(**{**row, "details": orjson.loads(row["details"])})
