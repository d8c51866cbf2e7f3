# SPDX-License-Identifier: MIT
"""Cases in the words of the lists: needs by name, ages in years and months, days that are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from mappings.holidays import Calendar
from mappings.needs import BroadArea, NeedTables, SenType
from mappings.tables import pick
from notify_gateway.domain.case_clock import working_days
from notify_gateway.domain.casework import NoticeKind, Part, Status, Step
from notify_gateway.domain.standing import count_of
from notify_gateway.privacy.encoding import Json
from notify_gateway.store.case_lists import CaseLists, Shown
from notify_gateway.store.cases import CaseRow
from notify_gateway.store.staff import Member
from notify_gateway.use_cases.inbox.lists import Need, Notice, Officer, ReplyBy, Row, Trust

UNCODED = "A need that the tables have no code for"


@dataclass(frozen=True, slots=True)
class People:
    """The authority's members by id, those whose access is closed too: their names stay in the history."""

    members: Mapping[UUID, Member]

    @classmethod
    def of(cls, members: Sequence[Member]) -> People:
        """Return the people of the list."""
        return cls({each.id: each for each in members})

    def officer(self, person: UUID | None) -> Officer | None:
        """Return the member of that id."""
        if person is None:
            return None
        found = self.members.get(person)
        return Officer(person, found.name if found is not None else "Somebody who has left")

    def name(self, actor: str, trusts: Mapping[str, str], authority: str) -> str | None:
        """Return what the actor of a history's entry is called; None for the service itself."""
        kind, _, rest = actor.partition(":")
        if kind == "staff" and rest:
            found = self.officer(UUID(rest))
            return found.name if found is not None else None
        if actor == authority:
            return "Your authority’s own system"
        return trusts.get(actor)


def row_of(shown: Shown, people: People, today: date) -> Row:
    """Return the case as a list shows it."""
    case, view = shown.case, orjson.loads(shown.view)
    needs = needs_of(view, today)
    return Row(
        reference=case.reference,
        version=case.version,
        needs=needs,
        certainty="has" if any(need.certainty == "has" for need in needs) else "probably-has",
        age=None if shown.months is None else age_in_words(shown.months),
        trust=Trust(case.sender, shown.trust or case.sender),
        received_at=case.arrived_at,
        reply_by=reply_by(case, today),
        officer=people.officer(case.officer),
        status=Status(case.status),
        sensitive=case.sensitive,
        additional=case.related,
    )


def reply_by(case: CaseRow, today: date) -> ReplyBy | None:
    """Return until when the next step is to be taken, where there is one with a day."""
    if case.reply_on is None:
        return None
    days, late = working_days(case.reply_on, today, Calendar.load())
    extended = case.extended_on == case.reply_on and case.extended_step == case.step
    return ReplyBy(Step(case.step), case.reply_on, days, late and case.asked_at is None, case.asked_at, extended)


def needs_of(view: Mapping[str, Any], on: date) -> tuple[Need, ...]:
    """Return the needs of a view in plain words."""
    return tuple(
        Need(
            code=need["sen_type"] or need["area"],
            label=need_label(need["sen_type"] or need["area"], on),
            area=need["area"],
            certainty=need["certainty"],
            kinds=tuple(need["kinds"]),
            strength=need["strength"],
        )
        for need in view["needs"]
    )


def need_label(code: str | None, on: date) -> str:
    """Return what a type or an area of need is called, today or, for a code that is no longer in force, at last."""
    tables = NeedTables.load()
    rows: list[SenType | BroadArea] = [*tables.sen_types.get(code or "", ()), *tables.areas.get(code or "", ())]
    current = pick(rows, on)
    if current is not None:
        return current.label
    return rows[-1].label if rows else UNCODED


def codes_of(need: str) -> frozenset[str]:
    """Return the codes that a filter by a type, or by an area with all its types, takes in."""
    types = NeedTables.load().sen_types
    return frozenset({need, *(code for code, rows in types.items() if rows[-1].area == need)})


def age_in_words(months: int) -> str:
    """Return an age as people say it: 7 months, 1 year, 2 years 7 months."""
    years, rest = divmod(months, 12)
    said = [count_of(number, noun) for number, noun in ((years, "year"), (rest, "month")) if number]
    return " ".join(said) or "under a month"


def notices_of(rows: Sequence[Any], disputed: Sequence[Any], lists: CaseLists, trusts: Mapping[str, str]) -> tuple[Notice, ...]:
    """Return the notices with what changed of each, which is told by keyed digests and never to what."""
    ids = {each for row in rows for each in (row.message_before, row.message_id) if each is not None}
    prints = lists.prints(ids) if ids else {}
    told = [
        Notice(
            id=row.id,
            kind=NoticeKind(row.kind),
            reference=row.reference,
            at=row.at,
            parts=_parts(prints.get(row.message_before), prints.get(row.message_id)),
            by=Trust(row.sender, trusts.get(row.sender, row.sender)),
        )
        for row in rows
    ]
    settled = [Notice(id=row.notification_id, kind=NoticeKind.DISPUTED, reference=row.reference, at=row.opened_at) for row in disputed]
    return (*settled, *told)


def _parts(before: tuple[Any, ...] | None, after: tuple[Any, ...] | None) -> tuple[Part, ...]:
    if before is None or after is None:
        return ()
    changed = [part for part, old, new in zip((Part.NAME, Part.ADDRESS, Part.CONTACT), before[1:], after[1:], strict=True) if old != new]
    known = None not in (*before[1:], *after[1:])
    needs = [Part.NEEDS] if _needs(before[0]) != _needs(after[0]) else []
    return (*(changed if known else ()), *needs)


def _needs(view: bytes) -> Json:
    needs: Json = orjson.loads(view)["needs"]
    return needs
