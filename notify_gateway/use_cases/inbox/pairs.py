# SPDX-License-Identifier: MIT
"""Notifications that may be of one child: found by number, linked by hand, decided by people, undone within thirty days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.case_clock import Stage
from notify_gateway.domain.casework import Decision
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.store.case_lists import CaseLists
from notify_gateway.store.case_parts import PairRow, Parts
from notify_gateway.store.cases import CaseRow, Cases
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Members
from notify_gateway.store.tables import audit_tables, case_tables
from notify_gateway.use_cases.collect import take_up
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.follow import after_acknowledgement
from notify_gateway.use_cases.inbox.lists import Row
from notify_gateway.use_cases.inbox.placing import changed, tell
from notify_gateway.use_cases.inbox.relatives import linked
from notify_gateway.use_cases.inbox.rows import People, row_of
from notify_gateway.use_cases.inbox.working import locked

UNDO_WITHIN = timedelta(days=30)
MOST_LISTED = 50
_DECIDABLE = frozenset(Decision) - {Decision.OPEN}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two notifications, the earlier first; ``how`` is ``number`` or ``hand``, ``kept`` the reference that is worked, of a duplicate."""

    id: UUID
    how: str
    version: int
    one: Row
    other: Row
    decision: Decision = Decision.OPEN
    kept: str | None = None


def list_pairs(gateway: Gateway, by: Person) -> tuple[Pair, ...]:
    """Return the pairs that nobody has decided, the longest waiting first, at most fifty. Raises ``NotAllowed``."""
    require(by, Act.READ_INBOX)
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        return _shown(connection, by, Parts(connection, by.organisation).open_pairs(limit=MOST_LISTED), gateway)


def show_pair(gateway: Gateway, by: Person, pair: UUID) -> Pair:
    """Return the pair, decided or not. Raises ``NotAllowed``, ``NotFound``."""
    require(by, Act.READ_INBOX)
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        return _shown(connection, by, [_found(Parts(connection, by.organisation), pair)], gateway)[0]


def link(gateway: Gateway, *, by: Person, reference: str, version: int, other: str) -> Pair:
    """The two are about the same child, says the person; both are worked until somebody decides otherwise.

    Raises ``NotAllowed``, ``NotFound`` for either, and ``Conflict``, also where they are linked already or are one and the same.
    """
    require(by, Act.WORK_CASE)
    with scoped(gateway.engine, by.organisation) as connection:
        desk = _Desk(connection, by, gateway)
        one, two = desk.lock(desk.cases.find(reference), desk.cases.find(other))
        if desk.of(reference).version != version:
            raise Conflict(Issue(Code.CASE_CHANGED))
        if one.id == two.id:
            raise Conflict(Issue(Code.CASE_STATE))
        made = desk.parts.pair(one.id, two.id, how="hand", at=desk.now)
        known = next(each for each in desk.parts.pairs([one.id]) if {one.id, two.id} == {each.one_id, each.other_id})
        if made is None and linked(known):
            raise Conflict(Issue(Code.CASE_STATE))
        desk.save(known, decision=Decision.KEEP_BOTH, kept=None)
        desk.tell(known, "linked", "case:linked")
        return _shown(connection, by, [_found(desk.parts, known.id)], gateway)[0]


def decide(gateway: Gateway, *, by: Person, pair: UUID, version: int, decision: str, kept: str | None = None) -> Pair:
    """The pair is so decided (``Decision``). Of a duplicate ``kept`` is worked on, with the earlier of the two clocks, and the other rests.

    What was not the same is never offered as a pair again. Raises ``NotAllowed``, ``NotFound``, ``Refused``, and ``Conflict``.
    """
    if decision not in set(_DECIDABLE):
        raise Refused(Issue(Code.CASE_CHOICE))
    wanted = Decision(decision)

    def steps(desk: _Desk, row: PairRow, one: CaseRow, other: CaseRow) -> None:
        if row.decision == Decision.DUPLICATE:
            raise Conflict(Issue(Code.CASE_STATE))
        keeps = None
        if wanted is Decision.DUPLICATE:
            keeps, rests = _choice(one, other, kept)
            desk.rest(rests, keeps)
        desk.save(row, decision=wanted, kept=keeps.id if keeps else None)
        desk.tell(row, "pair-decided", "case:pair_decided", decision=wanted.value, kept=keeps.reference if keeps else None)

    return _act(gateway, by, pair, version, steps)


def undo(gateway: Gateway, *, by: Person, pair: UUID, version: int) -> Pair:
    """The pair is undecided again; one linked by hand is unlinked. Raises ``NotFound`` and ``Conflict`` (``UNDO_TOO_LATE``)."""

    def steps(desk: _Desk, row: PairRow, one: CaseRow, other: CaseRow) -> None:
        if row.decided_at is None or desk.now - row.decided_at > UNDO_WITHIN:
            raise Conflict(Issue(Code.UNDO_TOO_LATE))
        if row.decision == Decision.DUPLICATE:
            rests = other if row.kept == one.id else one
            desk.change(rests, duplicate_of=None)
        by_hand = row.how == "hand" and row.decision == Decision.KEEP_BOTH
        desk.save(row, decision=Decision.NOT_THE_SAME if by_hand else Decision.OPEN, kept=None)
        desk.tell(row, "pair-undone", "case:pair_undone", decision=row.decision)

    return _act(gateway, by, pair, version, steps)


def _act(gateway: Gateway, by: Person, pair: UUID, version: int, steps: Callable[[_Desk, PairRow, CaseRow, CaseRow], None]) -> Pair:
    require(by, Act.WORK_CASE)
    with scoped(gateway.engine, by.organisation) as connection:
        desk = _Desk(connection, by, gateway)
        seen = _found(desk.parts, pair)
        one, other = desk.lock(desk.cases.get(seen.one_id), desk.cases.get(seen.other_id))
        row = _found(desk.parts, pair, lock=True)
        if row.version != version:
            raise Conflict(Issue(Code.CASE_CHANGED))
        steps(desk, row, one, other)
        return _shown(connection, by, [_found(desk.parts, pair)], gateway)[0]


class _Desk:
    """Two cases side by side under somebody's hands."""

    def __init__(self, connection: Connection, by: Person, gateway: Gateway) -> None:
        self.connection, self.by, self.now = connection, by, gateway.clock.now()
        self.cases, self.parts = Cases(connection, by.organisation), Parts(connection, by.organisation)
        self._rules = self.cases.rules()
        self._held: dict[UUID, CaseRow] = {}

    def lock(self, one: CaseRow | None, other: CaseRow | None) -> tuple[CaseRow, CaseRow]:
        """Return both, locked, in the order in which they were given; raises ``NotFound`` where one is not there."""
        if one is None or other is None:
            raise NotFound(Issue(Code.CASE_UNKNOWN))
        # In one order for everybody, so that two people at once do not wait for each other.
        for each in sorted((one, other), key=lambda case: case.delivery_id):
            self._held[each.id] = locked(self.connection, self.cases, each)
        return self._held[one.id], self._held[other.id]

    def of(self, reference: str) -> CaseRow:
        """Return the locked case of that reference."""
        return next(each for each in self._held.values() if each.reference == reference)

    def change(self, case: CaseRow, **values: Any) -> None:
        """The case has these values, and stands where they put it."""
        self._held[case.id] = changed(self._held[case.id], self._rules, now=self.now, **values)
        self.cases.save(self._held[case.id])

    def rest(self, rests: CaseRow, keeps: CaseRow) -> None:
        """The one is not worked any more, the other is, by the earlier clock; the trust of the one sees that somebody took it on."""
        if rests.withdrawn_at is not None or rests.stage in (Stage.SENT_BACK, Stage.OUTCOME) or keeps.duplicate_of is not None:
            raise Conflict(Issue(Code.CASE_STATE))
        values: dict[str, Any] = {"duplicate_of": keeps.id}
        if rests.stage == Stage.RECEIVED:
            whose = self.by.organisation
            take_up(self.connection, authority=whose, delivery_id=rests.delivery_id, actor=self.by.actor, now=self.now)
            values["stage"] = after_acknowledgement(rests).value
        self.change(rests, **values)
        self.change(keeps, clock_on=min(rests.clock_on, keeps.clock_on))

    def save(self, row: PairRow, *, decision: Decision, kept: UUID | None) -> None:
        """The pair is so decided, and both cases know whether they have relatives still."""
        open_ = decision is Decision.OPEN
        who = {"decided_by": None if open_ else self.by.id, "decided_at": None if open_ else self.now}
        self.parts.change(case_tables.pairs, row.id, decision=decision.value, kept=kept, version=row.version + 1, **who)
        for case_id in (row.one_id, row.other_id):
            has = any(linked(each) for each in self.parts.pairs([case_id]))
            if self._held[case_id].related != has:
                self.change(self._held[case_id], related=has)

    def tell(self, row: PairRow, what: str, tag: str, *, decision: str | None = None, kept: str | None = None) -> None:
        """Put it into the log, and into the history of both."""
        one, other = self._held[row.one_id], self._held[row.other_id]
        given: dict[str, str | None] = {"other": other.reference, "decision": decision, "kept": kept, "pair": str(row.id)}
        fields: dict[str, str | int] = {name: value for name, value in given.items() if value is not None}
        fields["authority"] = self.by.organisation
        event = Event(tag, at=self.now, actor=self.by.actor, subject=str(one.notification_id), fields=fields)
        event_id = append(self.connection, audit_tables, [event])[0].event_id
        for case, beside in ((one, other), (other, one)):
            details = {"reference": beside.reference} | ({"decision": decision} if decision else {})
            tell(self.cases, case, what, at=self.now, actor=self.by.actor, event_id=event_id, details=details)


def _choice(one: CaseRow, other: CaseRow, kept: str | None) -> tuple[CaseRow, CaseRow]:
    """Return which of the two is worked on and which rests; raises ``Refused`` where neither was named."""
    if kept == one.reference:
        return one, other
    if kept == other.reference:
        return other, one
    raise Refused(Issue(Code.CASE_CHOICE))


def _found(parts: Parts, pair: UUID, *, lock: bool = False) -> PairRow:
    row = parts.find_pair(pair, lock=lock)
    if row is None:
        raise NotFound(Issue(Code.CASE_UNKNOWN))
    return row


def _shown(connection: Connection, by: Person, rows: list[PairRow], gateway: Gateway) -> tuple[Pair, ...]:
    today = london_day(gateway.clock.now())
    people = People.of(Members(connection, by.organisation).all())
    cases = CaseLists(connection, by.organisation).by_ids({each for row in rows for each in (row.one_id, row.other_id)})
    seen = {case_id: row_of(shown, people, today) for case_id, shown in cases.items()}
    return tuple(
        Pair(
            id=row.id,
            how=row.how,
            version=row.version,
            one=seen[row.one_id],
            other=seen[row.other_id],
            decision=Decision(row.decision),
            kept=seen[row.kept].reference if row.kept else None,
        )
        for row in rows
    )
