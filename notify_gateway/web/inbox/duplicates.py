# SPDX-License-Identifier: MIT
"""Notifications that may be about one child: the queue, the two side by side without identity, the decision, linking by hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Final

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.casework import Decision
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Conflict, NotFound
from notify_gateway.domain.policy import Act
from notify_gateway.use_cases.inbox import pairs
from notify_gateway.use_cases.inbox.pairs import Pair
from notify_gateway.use_cases.inbox.read import Case, Row
from notify_gateway.web.entrance.door import Visit, visitor, visitor_with_form
from notify_gateway.web.forms import Form, Option, Reading, an_id, new_form
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.case_presenter import Head, head
from notify_gateway.web.inbox.desk import find, gateway_of, perform, see, status_of
from notify_gateway.web.inbox.listing_presenters import list_row, name_of, need_words
from notify_gateway.web.pages import show_page
from notify_gateway.web.wording import day

router = APIRouter(tags=["Inbox"])
DONE: Final = {"decided": "Decided. It can be undone for 30 days.", "undone": "Undone: the pair is to be decided again."}
HOW: Final = {"number": "Same NHS number, found by the service without showing it", "hand": "Linked by one of your team"}


@dataclass(frozen=True, slots=True)
class PairLine:
    """A pair in the queue."""

    address: str
    one: str
    other: str
    needs: str
    how: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The pairs that nobody has decided."""

    done: str
    pairs: tuple[PairLine, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of both cards."""

    label: str
    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One of the two."""

    reference: str
    address: str
    status: str
    colour: str
    lines: tuple[Compared, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """The two, side by side."""

    address: str
    how: str
    cards: tuple[Card, ...]
    decisions: tuple[Option, ...]
    keeping: tuple[Option, ...]
    decided: str
    undo: bool
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """Saying by hand that another is about the same child."""

    head: Head
    form: Form


@router.get("/inbox/duplicates", response_class=Response)
async def list_possible_duplicates(request: Request) -> Response:
    """List the pairs that nobody has decided, the longest waiting first."""
    visit = await visitor(request, Act.READ_INBOX)
    found = await asyncio.to_thread(pairs.list_pairs, gateway_of(request), visit.person)
    presenter = Queue(done=DONE.get(request.query_params.get("done", ""), ""), pairs=tuple(map(_line, found)))
    return show_page(request, "inbox/duplicates.html", presenter, visit=visit, area="duplicates")


@router.get("/inbox/duplicates/{pair_id}", response_class=Response)
async def compare_pair(request: Request, pair_id: str) -> Response:
    """Show two notifications side by side; who they are about is on neither card."""
    visit = await visitor(request, Act.READ_INBOX)
    pair = await asyncio.to_thread(pairs.show_pair, gateway_of(request), visit.person, an_id(pair_id))
    return await _comparing(request, visit, pair, new_form(visit.form_token, version=pair.version))


@router.post("/inbox/duplicates/{pair_id}", response_class=Response)
async def decide_pair(request: Request, pair_id: str) -> Response:
    """Record what the two are; neither is deleted, and it can be undone for 30 days."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    gateway, wanted, reading = gateway_of(request), an_id(pair_id), Reading(fields)
    decision = reading.chosen(Decision, "decision", "Select what the two are")
    kept = reading.text("kept", 20)
    if decision is Decision.DUPLICATE and not kept:
        reading.wrong("kept", "Select which of the two is worked")
    if decision is not None and not reading.faults:
        act = partial(pairs.decide, gateway, by=visit.person, pair=wanted, version=reading.version(), decision=decision)
        try:
            await asyncio.to_thread(act, kept=kept if decision is Decision.DUPLICATE else None)
            return see("/inbox/duplicates?done=decided")
        except Conflict as error:
            if error.issues[0].code != Code.CASE_CHANGED:
                raise
            now = await asyncio.to_thread(pairs.show_pair, gateway, visit.person, wanted)
            changes = ("Somebody decided about these two, or one of them changed",)
            return await _comparing(request, visit, now, reading.again(visit.form_token, version=now.version, changes=changes))
    pair = await asyncio.to_thread(pairs.show_pair, gateway, visit.person, wanted)
    return await _comparing(request, visit, pair, reading.again(visit.form_token))


@router.post("/inbox/duplicates/{pair_id}/undo", response_class=Response)
async def undo_pair(request: Request, pair_id: str) -> Response:
    """Take a decision about a pair back, within 30 days."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    act = partial(pairs.undo, gateway_of(request), by=visit.person, pair=an_id(pair_id), version=reading.version())
    await asyncio.to_thread(act)
    return see("/inbox/duplicates?done=undone")


@router.get("/notifications/{reference}/duplicate", response_class=Response)
async def ask_which_other(request: Request, reference: str) -> Response:
    """Ask which other notification is about the same child."""
    visit = await visitor(request, Act.WORK_CASE)
    case = await find(request, visit, reference)
    return _linking(request, visit, case, new_form(visit.form_token, version=case.row.version))


@router.post("/notifications/{reference}/duplicate", response_class=Response)
async def link_by_hand(request: Request, reference: str) -> Response:
    """Record that another notification is about the same child; then the two are compared."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    other = reading.text("other", 20).upper()
    if not other or other == reference:
        reading.wrong("other", "Enter the reference of the other notification, such as SEN-7G2K40MQ-X")

    def do() -> Pair:
        act = partial(pairs.link, gateway_of(request), by=visit.person, reference=reference, other=other)
        return act(version=reading.version())

    try:
        came = await perform(request, visit, reference, reading, do)
    except NotFound:
        case = await find(request, visit, reference)
        reading.wrong("other", "Your authority has no notification of this reference")
        return _linking(request, visit, case, reading.again(visit.form_token))
    return _linking(request, visit, *came) if isinstance(came, tuple) else see(f"/inbox/duplicates/{came.id}")


def _line(pair: Pair) -> PairLine:
    needs = " / ".join(need_words(row) for row in (pair.one, pair.other))
    since = f"Since {day(london_day(pair.other.received_at))}"
    return PairLine(f"/inbox/duplicates/{pair.id}", pair.one.reference, pair.other.reference, needs, HOW[pair.how], since)


async def _comparing(request: Request, visit: Visit, pair: Pair, form: Form) -> Response:
    case = await find(request, visit, pair.one.reference)
    known = next((each for each in case.related if each.pair == pair.id), None)
    now = gateway_of(request).clock.now()
    sides = [_told(row) for row in (pair.one, pair.other)]
    cards = []
    for row, told in zip((pair.one, pair.other), sides, strict=True):
        shown = list_row(row)
        lines = tuple(Compared(label, text, len({side[label] for side in sides}) > 1) for label, text in told.items())
        cards.append(Card(row.reference, shown.address, shown.status, shown.colour, lines))
    presenter = Comparing(
        address=f"/inbox/duplicates/{pair.id}",
        how=HOW[pair.how],
        cards=tuple(cards),
        decisions=words.options(words.DECISIONS),
        keeping=tuple(Option(card.reference, f"Work {card.reference}") for card in cards),
        decided=words.DECIDED[known.decision] if known and known.decision is not Decision.OPEN else "",
        undo=known is not None and known.undoable_until is not None and known.undoable_until > now,
        form=form,
    )
    return show_page(request, "inbox/compare.html", presenter, visit=visit, status=status_of(form), area="duplicates")


def _told(row: Row) -> dict[str, str]:
    return {
        "From": row.trust.name,
        "Received": day(london_day(row.received_at)),
        "Needs": need_words(row),
        "Sure": words.CERTAINTIES[row.certainty],
        "Age at the opinion": row.age or "Not kept",
        "Officer": name_of(row.officer),
    }


def _linking(request: Request, visit: Visit, case: Case, form: Form) -> Response:
    return show_page(request, "inbox/link.html", Linking(head=head(case), form=form), visit=visit, status=status_of(form), area="inbox")
