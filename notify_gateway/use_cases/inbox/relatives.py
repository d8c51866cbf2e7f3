# SPDX-License-Identifier: MIT
"""The other notifications of one child at one authority: linked by number or by hand, whatever nobody has said is not the same."""

from __future__ import annotations

from uuid import UUID

from notify_gateway.domain.casework import Decision, Status
from notify_gateway.store.case_parts import PairRow, Parts
from notify_gateway.store.cases import CaseRow, Cases

MOST = 50
_OVER = frozenset({Status.WITHDRAWN.value, Status.SENT_BACK.value})


def relatives(cases: Cases, parts: Parts, case: CaseRow) -> dict[UUID, CaseRow]:
    """Return the cases that are about the same child as ``case``, and not itself; those of a relative's relatives too, at most fifty."""
    known, edge = {case.id}, {case.id}
    while edge and len(known) <= MOST:
        found = {each for pair in parts.pairs(sorted(edge)) if linked(pair) for each in (pair.one_id, pair.other_id)}
        edge = found - known
        known |= edge
    return cases.all_of(known - {case.id}) if len(known) > 1 else {}


def linked(pair: PairRow) -> bool:
    """Tell whether the two of a pair are taken to be about one child."""
    return pair.decision != Decision.NOT_THE_SAME


def contacts_elsewhere(cases: Cases, parts: Parts, case: CaseRow) -> list[CaseRow]:
    """Return the related cases whose family was contacted, or is to be, so that no family is contacted twice by accident."""
    others = relatives(cases, parts, case).values() if case.related else ()
    return [each for each in others if each.status not in _OVER and (each.contacted_on is not None or each.next_try_on is not None)]
