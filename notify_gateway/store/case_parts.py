# SPDX-License-Identifier: MIT
"""What belongs to a case: assignments, contacts, outcomes, questions, pairs, notices; and when each trust was heard from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, and_, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from notify_gateway.domain.casework import Decision, NoticeKind
from notify_gateway.store.tables import case_tables

_T = case_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """Two cases that may be of one child, as they are stored."""

    id: UUID
    authority: str
    one_id: UUID
    other_id: UUID
    how: str
    version: int
    made_at: datetime
    decision: str
    kept: UUID | None
    decided_by: UUID | None
    decided_at: datetime | None


class Parts:
    """What belongs to the cases of one authority."""

    def __init__(self, connection: Connection, authority: str) -> None:
        self._connection = connection
        self._authority = authority

    def add(self, table: Any, **values: Any) -> UUID:
        """Insert a row of a table of parts; return its id."""
        made: UUID = values.pop("id", None) or uuid4()
        self._connection.execute(insert(table), [{"id": made, "authority": self._authority, **values}])
        return made

    def change(self, table: Any, row_id: UUID, **values: Any) -> None:
        """Give a row of a table of parts these values."""
        t = table.c
        self._connection.execute(update(table).where(t.id == row_id, t.authority == self._authority).values(values))

    def of_case(self, table: Any, case_id: UUID) -> Sequence[Row[Any]]:
        """Return the rows of a table of parts that belong to the case, the latest first."""
        t = table.c
        found = select(table).where(t.case_id == case_id, t.authority == self._authority).order_by(t.at.desc(), t.id)
        return self._connection.execute(found).all()

    def add_outcome(
        self, case_id: UUID, row_id: UUID, *, code: str, on: date | None, review_on: date | None, by: str, at: datetime
    ) -> None:
        """An outcome stands from now on."""
        values = {"case_id": case_id, "code": code, "on_date": on, "review_on": review_on, "by": by, "at": at}
        self.add(_T.outcomes, id=row_id, **values)

    def supersede_outcome(self, case_id: UUID, *, at: datetime, by: str, because: str) -> None:
        """The outcome that stands, if any, stands no longer."""
        o = _T.outcomes.c
        standing = update(_T.outcomes).where(o.case_id == case_id, o.authority == self._authority, o.reopened_at.is_(None))
        self._connection.execute(standing.values(reopened_at=at, reopened_by=by, reopened_because=because))

    def close_questions(self, case_id: UUID, *, at: datetime, by: str) -> None:
        """No question of the case is open any more."""
        q = _T.questions.c
        still = update(_T.questions).where(q.case_id == case_id, q.authority == self._authority, q.closed_at.is_(None))
        self._connection.execute(still.values(closed_at=at, closed_by=by))

    def pair(self, one: UUID, other: UUID, *, how: str, at: datetime) -> UUID | None:
        """Make a pair of two cases, the earlier first; return its id, or None where they were one already, whatever was decided of it."""
        p = _T.pairs.c
        known = or_(and_(p.one_id == one, p.other_id == other), and_(p.one_id == other, p.other_id == one))
        if self._connection.execute(select(p.id).where(p.authority == self._authority, known)).first() is not None:
            return None
        return self.add(_T.pairs, one_id=one, other_id=other, how=how, version=1, made_at=at, decision=Decision.OPEN.value)

    def pairs(self, case_ids: Sequence[UUID]) -> list[PairRow]:
        """Return the pairs that any of the cases is in."""
        p = _T.pairs.c
        found = select(_T.pairs).where(p.authority == self._authority, or_(p.one_id.in_(case_ids), p.other_id.in_(case_ids)))
        return [PairRow(**row._mapping) for row in self._connection.execute(found.order_by(p.made_at, p.id))]

    def find_pair(self, pair_id: UUID, *, lock: bool = False) -> PairRow | None:
        """Return the pair of that id."""
        p = _T.pairs.c
        found = select(_T.pairs).where(p.authority == self._authority, p.id == pair_id)
        row = self._connection.execute(found.with_for_update() if lock else found).one_or_none()
        return None if row is None else PairRow(**row._mapping)

    def open_pairs(self, *, limit: int) -> list[PairRow]:
        """Return the pairs that nobody has decided, the longest waiting first."""
        p = _T.pairs.c
        found = select(_T.pairs).where(p.authority == self._authority, p.decision == Decision.OPEN.value)
        return [PairRow(**row._mapping) for row in self._connection.execute(found.order_by(p.made_at, p.id).limit(limit))]

    def reopen_pairs(self, case_id: UUID, *, at: datetime) -> None:
        """A case that rested as a duplicate is one no longer: what was decided of it is open."""
        p = _T.pairs.c
        mine = and_(p.authority == self._authority, or_(p.one_id == case_id, p.other_id == case_id))
        rests = and_(p.decision == Decision.DUPLICATE.value, p.kept != case_id)
        fresh = {"decision": Decision.OPEN.value, "kept": None, "decided_by": None, "decided_at": None, "made_at": at}
        self._connection.execute(update(_T.pairs).where(mine, rests).values(**fresh, version=p.version + 1))

    def notice(
        self, kind: NoticeKind, case_id: UUID, *, at: datetime, message_before: UUID | None = None, message_id: UUID | None = None
    ) -> None:
        """Everybody is told of it on top of the page; an earlier notice of the same kind about the same case is over."""
        n = _T.notices.c
        same = update(_T.notices).where(n.authority == self._authority, n.case_id == case_id, n.kind == kind.value, n.over.is_(False))
        self._connection.execute(same.values(over=True))
        values = {"kind": kind.value, "at": at, "message_before": message_before, "message_id": message_id, "over": False}
        self.add(_T.notices, case_id=case_id, **values)

    def end_notices(self, case_id: UUID, *kinds: NoticeKind) -> None:
        """Notices of these kinds about the case are over, for everybody."""
        n = _T.notices.c
        mine = update(_T.notices).where(n.authority == self._authority, n.case_id == case_id, n.kind.in_([kind.value for kind in kinds]))
        self._connection.execute(mine.values(over=True))


def hear(connection: Connection, authority: str, sender: str, *, at: datetime) -> None:
    """The trust was heard from."""
    s = _T.senders.c
    # Both databases spell it alike.
    first = upsert(_T.senders).values(authority=authority, sender=sender, first_at=at, last_at=at, count=1)
    again = {"last_at": at, "count": s.count + 1}
    connection.execute(first.on_conflict_do_update(index_elements=[s.authority, s.sender], set_=again))
