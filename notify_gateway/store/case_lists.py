# SPDX-License-Identifier: MIT
"""The lists of one authority's inbox: a page of rows by an index of their order, and counts that read no more than they count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, literal_column, select

from notify_gateway.domain.case_clock import Bucket
from notify_gateway.domain.casework import Sort, Status, Tab
from notify_gateway.domain.staff import Person
from notify_gateway.store.cases import CaseRow
from notify_gateway.store.tables import ages, case_tables, clients, messages

_c = case_tables.cases.c
_n = case_tables.notices.c

_ORDERS: Final = {Sort.REPLY_BY: _c.reply_on, Sort.RECEIVED: _c.arrived_at, Sort.NEED: _c.main_need}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of the inbox is asked for, as the database understands it; ``late_before`` is the day such that what was due before is late."""

    tab: Tab
    person: UUID
    late_before: date
    reference: str | None = None
    statuses: Collection[str] = ()
    needs: Collection[str] = ()
    months: tuple[int, int] | None = None
    sender: str | None = None
    officer: UUID | None = None
    arrived: tuple[datetime | None, datetime | None] = (None, None)
    late: bool = False
    new: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A case with what a list shows of it: the view, the age in months, what the sender is called."""

    case: CaseRow
    view: bytes
    months: int | None
    trust: str | None


class CaseLists:
    """The lists of one authority."""

    def __init__(self, connection: Connection, authority: str) -> None:
        self._connection = connection
        self._authority = authority

    def page(self, wanted: Wanted, sort: Sort, *, descending: bool, limit: int, offset: int) -> list[Shown]:
        """Return so many rows of the list, in its order, behind the first ``offset``."""
        order = [_ORDERS[sort].desc(), _c.id.desc()] if descending else [_ORDERS[sort], _c.id]
        return self._shown(select(case_tables.cases).where(*self._where(wanted)).order_by(*order).limit(limit).offset(offset), order)

    def ids(self, wanted: Wanted, sort: Sort, *, descending: bool, limit: int) -> list[UUID]:
        """Return which cases the whole list has, in its order, as far as ``limit``."""
        order = [_ORDERS[sort].desc(), _c.id.desc()] if descending else [_ORDERS[sort], _c.id]
        return list(self._connection.scalars(select(_c.id).where(*self._where(wanted)).order_by(*order).limit(limit)))

    def by_ids(self, ids: Collection[UUID]) -> dict[UUID, Shown]:
        """Return the cases of these ids as a list shows them."""
        chosen = select(case_tables.cases).where(_c.authority == self._authority, _c.id.in_(ids))
        return {each.case.id: each for each in self._shown(chosen, [_c.id])}

    def counts(self, lists: Mapping[str, Wanted], *, most: int) -> dict[str, int]:
        """Return how many each list has; beyond ``most`` it is ``most`` and one. One statement, whatever there is to count."""
        counted = []
        for name, wanted in lists.items():
            some = select(literal_column("1")).select_from(case_tables.cases).where(*self._where(wanted)).limit(most + 1).subquery()
            counted.append(select(func.count()).select_from(some).scalar_subquery().label(name))
        return dict(self._connection.execute(select(*counted)).one()._mapping)

    def notices(self, person: Person, *, case_id: UUID | None = None, limit: int = 20) -> list[Row[Any]]:
        """Return the notices that the person has not dismissed, the latest first; of all cases or of one."""
        gone = case_tables.dismissed.c
        dismissed = select(gone.notice_id).where(gone.notice_id == _n.id, gone.person == person.id).exists()
        found = (
            select(_n.id, _n.kind, _n.at, _n.message_before, _n.message_id, _c.id.label("case_id"), _c.reference, _c.sender)
            .join(case_tables.cases, _c.id == _n.case_id)
            .where(_n.authority == self._authority, _n.over.is_(False), ~dismissed)
            .order_by(_n.at.desc())
            .limit(limit)
        )
        return list(self._connection.execute(found if case_id is None else found.where(_n.case_id == case_id)))

    def disputed(self, *, limit: int = 20) -> list[Row[Any]]:
        """Return the cases of which it is being settled whose they are: notification, reference, since when."""
        t = case_tables.disputes.c
        columns = (t.notification_id, t.opened_at, _c.reference, _c.sender)
        found = select(*columns).join(case_tables.cases, _c.notification_id == t.notification_id)
        return list(self._connection.execute(found.where(_c.authority == self._authority, t.settled_at.is_(None)).limit(limit)))

    def prints(self, message_ids: Collection[UUID]) -> dict[UUID, tuple[Any, ...]]:
        """Return of each message the view's bytes, and the keyed digests of name, address and contact as long as they are kept."""
        m = messages.c
        kept = (ages.c.name_print, ages.c.address_print, ages.c.contact_print)
        found = select(m.id, m.view, *kept).outerjoin(ages, ages.c.message_id == m.id)
        return {row.id: tuple(row[1:]) for row in self._connection.execute(found.where(m.id.in_(message_ids)))}

    def senders(self) -> list[Row[Any]]:
        """Return the trusts that were heard from: code, name, first and last time, how often; the latest first."""
        s = case_tables.senders.c
        joined = select(s.sender, clients.c.name, s.first_at, s.last_at, s.count).outerjoin(
            clients, and_(clients.c.kind == "trust", clients.c.code == s.sender)
        )
        return list(self._connection.execute(joined.where(s.authority == self._authority).order_by(s.last_at.desc()).limit(200)))

    def _shown(self, chosen: Select[Any], order: list[Any]) -> list[Shown]:
        # What is shown is looked up for the rows of the page alone: the limit stands between.
        picked = chosen.subquery("picked")
        trust = and_(clients.c.kind == "trust", clients.c.code == picked.c.sender)
        shown = (messages.c.view.label("the_view"), ages.c.age_months_at_opinion.label("the_age"), clients.c.name.label("the_name"))
        statement = (
            select(picked, *shown)
            .join(messages, messages.c.id == picked.c.message_id)
            .outerjoin(ages, ages.c.message_id == picked.c.message_id)
            .outerjoin(clients, trust)
        )
        rows = self._connection.execute(statement.order_by(*(_outer(each, picked) for each in order)))
        return [_read(row) for row in rows]

    def _where(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        ours = [_c.authority == self._authority]
        if wanted.reference is not None:
            # Whoever names one wants to see it wherever it lies.
            return [*ours, _c.reference == wanted.reference]
        bucket = {Tab.WAITING: Bucket.WAITING, Tab.FINISHED: Bucket.FINISHED}.get(wanted.tab, Bucket.TO_DO)
        found = [*ours, _c.bucket == bucket.value]
        if wanted.tab is Tab.MINE:
            found.append(_c.officer == wanted.person)
        if wanted.tab is Tab.NOT_ASSIGNED:
            found.append(_c.officer.is_(None))
        since, until = wanted.arrived
        if wanted.late:
            found.append(_c.reply_on < wanted.late_before)
        if wanted.new:
            found.append(_c.status == Status.RECEIVED.value)
        if wanted.statuses:
            found.append(_c.status.in_(wanted.statuses))
        if wanted.needs:
            found.append(_c.main_need.in_(wanted.needs))
        exact = ((_c.sender, wanted.sender), (_c.officer, wanted.officer))
        found += [column == value for column, value in exact if value is not None]
        if since is not None:
            found.append(_c.arrived_at >= since)
        if until is not None:
            found.append(_c.arrived_at < until)
        if wanted.months is not None:
            aged = and_(ages.c.message_id == _c.message_id, ages.c.age_months_at_opinion.between(*wanted.months))
            found.append(select(ages.c.message_id).where(aged).exists())
        return found


def _outer(order: Any, picked: Any) -> Any:
    """Return the order of the inner select for the outer one."""
    column = getattr(order, "element", order)
    outer = picked.c[column.name]
    return outer.desc() if column is not order else outer


def _read(row: Row[Any]) -> Shown:
    values = dict(row._mapping)
    view, age, name = values.pop("the_view"), values.pop("the_age"), values.pop("the_name")
    return Shown(CaseRow(**values), view, age, name)
