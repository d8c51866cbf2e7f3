# SPDX-License-Identifier: MIT
"""The log of contacts: an attempt to reach the family, recorded or corrected. What the officer notes is sealed before it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.casework import How, Result, Whom
from notify_gateway.domain.casework_words import word
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.domain.policy import Act
from notify_gateway.privacy.notes import MOST_CHARACTERS
from notify_gateway.use_cases.devices import notes
from notify_gateway.use_cases.devices.notes import MOST_SENT, ReadyNote
from notify_gateway.use_cases.inbox import contact
from notify_gateway.use_cases.inbox.contact import Attempt
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.read import Case, Contact
from notify_gateway.web.devices.presenters import NoteSealing, sealing_of
from notify_gateway.web.entrance.door import Visit, visitor, visitor_with_form
from notify_gateway.web.forms import Form, Option, Reading, an_id, day_fields, new_form
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.attempts_presenter import Tried, tried
from notify_gateway.web.inbox.banner_presenter import Banner, banners
from notify_gateway.web.inbox.case_presenter import Head, head
from notify_gateway.web.inbox.desk import NO_DAY, find, gateway_of, perform, see_case, status_of
from notify_gateway.web.pages import show_page

router = APIRouter(tags=["Inbox"])
FAULTS: Final = {
    Code.STEP_DATE: ("on", NO_DAY),
    Code.CASE_DAY: ("on", NO_DAY),
    Code.CONTACT_RELATED: ("related_seen", "Confirm that you know of the other contact with this family"),
    Code.CONTACT_TOO_EARLY: ("on", "The trust asks you to wait until the day that it named"),
    Code.NOTE_UNUSABLE: ("note", "The note could not be sealed. Write 1 to 2,000 characters"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacting:
    """The form, with what was tried before above it."""

    head: Head
    address: str
    correcting: bool
    banners: tuple[Banner, ...]
    tried: tuple[Tried, ...]
    trust: str
    how: tuple[Option, ...]
    whom: tuple[Option, ...]
    results: tuple[Option, ...]
    warned: bool
    sealing: NoteSealing | None
    """What the browser needs to seal the note; None where the service seals it."""
    form: Form


@router.get("/notifications/{reference}/contacts/new", response_class=Response)
async def ask_for_contact(request: Request, reference: str) -> Response:
    """Ask what was tried, with whom, when, and what came of it."""
    visit = await visitor(request, Act.WORK_CASE)
    case = await find(request, visit, reference)
    today = day_fields("on", london_day(gateway_of(request).clock.now()))
    return _page(request, visit, case, new_form(visit.form_token, version=case.row.version, values=today))


@router.post("/notifications/{reference}/contacts/new", response_class=Response)
async def record_contact_on_the_page(request: Request, reference: str) -> Response:
    """Record an attempt to reach the family; the trust hears of it only where that is ticked."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading = Reading(fields)
    attempt, note = _attempt(reading), _note(reading)
    case = await find(request, visit, reference)
    act = partial(contact.record_contact, gateway_of(request), by=visit.person, reference=reference, version=reading.version())

    def do() -> Done:
        return act(attempt=_whole(attempt), form=reading.form(), note=_ready(request, visit, case, note))

    came = await perform(request, visit, reference, reading, do, FAULTS)
    if isinstance(came, tuple):
        return _page(request, visit, *came)
    return see_case(came.reference, "contact-told" if came.told_trust else "contact")


@router.get("/notifications/{reference}/contacts/{contact_id}", response_class=Response)
async def ask_for_correction(request: Request, reference: str, contact_id: str) -> Response:
    """Show an attempt that its author may still correct."""
    visit = await visitor(request, Act.WORK_CASE)
    case = await find(request, visit, reference)
    before = _of(case, an_id(contact_id))
    values = {"how": _code(How, before.how), "whom": _code(Whom, before.whom), "result": _code(Result, before.result)}
    values |= day_fields("on", before.on)
    values |= {"interpreter": "yes"} if before.interpreter else {}
    values |= day_fields("next_try_on", before.next_try_on) if before.next_try_on else {}
    return _page(request, visit, case, new_form(visit.form_token, version=case.row.version, values=values), before.id)


@router.post("/notifications/{reference}/contacts/{contact_id}", response_class=Response)
async def correct_contact_on_the_page(request: Request, reference: str, contact_id: str) -> Response:
    """Correct an attempt within 24 hours; what stood there before is kept, struck through."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    reading, before = Reading(fields), an_id(contact_id)
    attempt, note = _attempt(reading), _note(reading)
    case = await find(request, visit, reference)
    act = partial(contact.correct_contact, gateway_of(request), by=visit.person, reference=reference, version=reading.version())

    def do() -> Done:
        return act(contact=before, attempt=_whole(attempt), form=reading.form(), note=_ready(request, visit, case, note))

    came = await perform(request, visit, reference, reading, do, FAULTS)
    return _page(request, visit, *came, before) if isinstance(came, tuple) else see_case(came.reference, "corrected")


def _attempt(reading: Reading) -> Attempt | None:
    how = reading.chosen(How, "how", "Select how you tried to reach them")
    whom = reading.chosen(Whom, "whom", "Select whom you tried to reach")
    result = reading.chosen(Result, "result", "Select what came of it")
    on = reading.day("on", "Enter the day on which you tried")
    next_try_on = reading.day("next_try_on")
    if how is None or whom is None or result is None or on is None or reading.faults:
        return None
    return Attempt(
        how=how,
        whom=whom,
        result=result,
        on=on,
        interpreter=reading.ticked("interpreter"),
        next_try_on=next_try_on,
        tell_trust=reading.ticked("tell_trust"),
        related_seen=reading.ticked("related_seen"),
    )


def _note(reading: Reading) -> bytes:
    """Return the note: sealed by the browser where it came so, else as it was typed."""
    return (reading.text("sealed_note", MOST_SENT) or reading.text("note", MOST_CHARACTERS)).encode()


def _ready(request: Request, visit: Visit, case: Case, note: bytes) -> ReadyNote | None:
    """Return the note sealed, to be kept with the attempt or not at all."""
    if not note:
        return None
    return notes.ready(gateway_of(request), by=visit.person, notification_id=case.notification_id, message_id=case.message_id, sent=note)


def _whole(attempt: Attempt | None) -> Attempt:
    assert attempt is not None  # what is not whole has faults, and is not recorded
    return attempt


def _code(kind: type[StrEnum], words: str) -> str:
    """Return the code that is called so."""
    return next((code.value for code in kind if word(kind, code.value) == words), "")


def _of(case: Case, wanted: UUID) -> Contact:
    found = next((each for each in case.contacts if each.id == wanted and each.editable), None)
    if found is None:
        raise NotFound(Issue(Code.NO_SUCH_PAGE))
    return found


def _page(request: Request, visit: Visit, case: Case, form: Form, correcting: UUID | None = None) -> Response:
    presenter = Contacting(
        head=head(case),
        address=f"/notifications/{case.row.reference}/contacts/{correcting or 'new'}",
        correcting=correcting is not None,
        banners=tuple(each for each in banners(case) if each.kind),
        tried=() if correcting else tuple(map(tried, case.contacts)),
        trust=case.row.trust.name,
        how=words.options(words.HOW),
        whom=words.options(words.WHOM),
        results=words.options(words.RESULTS),
        warned=bool(case.warnings),
        sealing=sealing_of(gateway_of(request), visit.person.organisation, case.notification_id),
        form=form,
    )
    return show_page(request, "inbox/contact.html", presenter, visit=visit, status=status_of(form), area="inbox")
