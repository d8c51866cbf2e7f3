# SPDX-License-Identifier: MIT
"""What the page of one notification shows before anybody asks who the child is: what the trust said, what was done, what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from notify_gateway.domain.casework import STATUSES, Step
from notify_gateway.domain.clock import london_day
from notify_gateway.privacy.wording import KINDS, PARENT_VIEWS, STRENGTHS
from notify_gateway.use_cases.inbox.read import Assignment, Case, Need, Related
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.attempts_presenter import Tried, tried
from notify_gateway.web.inbox.banner_presenter import Banner as Banner
from notify_gateway.web.inbox.banner_presenter import banners as banners
from notify_gateway.web.inbox.history_presenter import Entry, entry
from notify_gateway.web.inbox.identity_presenter import Identity
from notify_gateway.web.inbox.listing_presenters import Due, NoticeLine, due, name_of, need_words, notice_line
from notify_gateway.web.wording import day, instant

NOT_SAID = "The trust did not say"
TOLD_ELSEWHERE = frozenset({"Not recorded", "Contact sensitively"})
"""Flags that stand in a banner, or beside the fact that is missing."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of what is known; ``missing`` where nobody said."""

    label: str
    texts: tuple[str, ...]
    missing: bool = False
    change: str = ""
    change_words: str = ""


@dataclass(frozen=True, slots=True)
class RelatedLine:
    """Another notification that is, or may be, about the same child."""

    reference: str
    address: str
    needs: str
    told: str
    decided: str
    compare: str


@dataclass(frozen=True, slots=True)
class Ending:
    """An outcome as it was recorded."""

    title: str
    told: str


@dataclass(frozen=True, slots=True)
class Head:
    """The top of each page about one notification."""

    reference: str
    address: str
    needs: str
    status: str
    colour: str
    sensitive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class May:
    """Which ways on there are for this person, now."""

    acknowledge: bool
    take: bool
    assign: bool
    undo: bool
    contact: bool
    outcome: bool
    reopen: bool
    send_back: bool
    ask: bool
    take_back: bool
    close: bool
    extend: bool
    link: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One notification."""

    head: Head
    version: str
    form: str
    form_token: str
    done: str
    done_more: str
    due: Due | None
    officer: str
    assigned: tuple[str, ...]
    may: May
    primary: str
    notices: tuple[NoticeLine, ...]
    banners: tuple[Banner, ...]
    told: tuple[Fact, ...]
    parent: tuple[Fact, ...]
    sharing: tuple[Fact, ...]
    tried: tuple[Tried, ...]
    endings: tuple[Ending, ...]
    questions: tuple[str, ...]
    related: tuple[RelatedLine, ...]
    identity: Identity
    history: tuple[Entry, ...]


def head(case: Case) -> Head:
    """Return what stands on top of each page about the notification."""
    known = STATUSES[case.row.status]
    return Head(
        reference=case.row.reference,
        address=f"/notifications/{case.row.reference}",
        needs=need_words(case.row),
        status=known.label,
        colour=known.colour,
        sensitive=case.row.sensitive,
    )


def primary(case: Case) -> str:
    """Return the single next step: the name of the act, or nothing."""
    steps = (
        ("close", case.may_close),
        ("acknowledge", case.may_acknowledge),
        ("contact", case.next in (Step.CONTACT, Step.ALLOCATE) and case.may_contact),
        ("outcome", case.may_record_outcome),
    )
    return next((name for name, may in steps if may), "")


def told(case: Case) -> tuple[Fact, ...]:
    """Return what the trust said about the child, as far as everybody of the team may see it."""
    row = case.row
    sender = row.trust.name + (f" ({case.service})" if case.service else "")
    came = "" if case.came_of_age_on is None else f"Of compulsory school age from {day(case.came_of_age_on)}"
    return (
        Fact("Needs", tuple(_need(need) for need in row.needs) or ("Not stated",)),
        Fact("The opinion was formed on", (day(case.opinion_formed_on) or NOT_SAID,), case.opinion_formed_on is None),
        Fact("By", (sender,)),
        Fact("Age then", tuple(filter(None, (row.age or "Not kept", came)))),
        Fact("Sent to you on", (day(case.sent_on),)),
    )


def parent(case: Case) -> tuple[Fact, ...]:
    """Return what the parent was told, and said; a fact that is missing says so, and leads to the question."""
    facts = case.parent
    ask = f"/notifications/{case.row.reference}/question" if case.may_ask else ""
    lines = (
        ("Told of the opinion, and that you would be told", day(facts.told_on)),
        ("Offered a discussion on", day(facts.discussion_offered_on)),
        ("Told of organisations that may help", words.ORGANISATIONS.get(facts.organisations or "", "")),
    )
    return (
        *(Fact(label, (text or NOT_SAID,), not text, "" if text else ask, "Ask the trust") for label, text in lines),
        Fact("The parent's view", (PARENT_VIEWS[facts.view],), facts.view == "not-recorded"),
    )


def sharing(case: Case) -> tuple[Fact, ...]:
    """Return who else may see this, and what its flags mean."""
    who = "Your authority's early-years team. The service keeps the child's details sealed."
    return (Fact("Who may see it", (who,)), *(Fact(title, (text,)) for title, text in case.flags if title not in TOLD_ELSEWHERE))


def related(case: Case) -> tuple[RelatedLine, ...]:
    """Return the other notifications of the thread."""
    return tuple(_related(other) for other in case.related)


def _related(other: Related) -> RelatedLine:
    contacted = f", family contacted on {day(other.contacted_on)}" if other.contacted_on else ""
    planned = f", contact planned for {day(other.contact_planned_on)}" if other.contact_planned_on else ""
    told_by = f"From {other.trust.name}, received {day(london_day(other.received_at))}, with {name_of(other.officer)}{contacted}{planned}"
    known = "found by NHS number" if other.how == "number" else "linked by hand"
    return RelatedLine(
        reference=other.reference,
        address=f"/notifications/{other.reference}",
        needs=", ".join(dict.fromkeys(need.label for need in other.needs)),
        told=told_by,
        decided=f"{words.DECIDED[other.decision]} ({known})",
        compare=f"/inbox/duplicates/{other.pair}",
    )


def endings(case: Case) -> tuple[Ending, ...]:
    """Return the outcomes, the latest first; one that no longer stands says why."""
    found = []
    for each in case.outcomes:
        review = f" Review on {day(each.review_on)}." if each.review_on else ""
        again = f" Reopened on {day(london_day(each.reopened_at))}: {each.reopened_because}." if each.reopened_at else ""
        found.append(Ending(each.label, f"{day(each.on)}, recorded by {name_of(each.by)}.{review}{again}"))
    return tuple(found)


def questions(case: Case) -> tuple[str, ...]:
    """Return what the trust was asked."""
    return tuple(
        f"{each.label}: asked {instant(each.at)}, "
        + (words.CLOSED_BY.get(each.closed_by or "", "closed") if each.closed_at else "not answered yet")
        for each in case.questions
    )


def assigned(case: Case) -> tuple[str, ...]:
    """Return the last assignments, so that a case is not passed round unnoticed."""
    return tuple(f"{_to(each)}, {instant(each.at)}" + (f", because: {each.reason}" if each.reason else "") for each in case.assignments)


def _to(given: Assignment) -> str:
    to = f"To {given.officer.name}" if given.officer else "To nobody"
    return f"{to}, from {given.before.name}" if given.before else to


def pages_of(case: Case) -> tuple[tuple[Tried, ...], tuple[Entry, ...]]:
    """Return the attempts and the history, the latest first."""
    back = case.sent_back
    names = {back.suggested: back.suggested_name} if back and back.suggested and back.suggested_name else {}
    return tuple(map(tried, case.contacts)), tuple(entry(each, names) for each in case.history)


def due_of(case: Case) -> Due | None:
    """Return until when the next step is to be taken."""
    return due(case.row.reply_by)


def notices(case: Case) -> tuple[NoticeLine, ...]:
    """Return the notices of this notification that the person has not dismissed."""
    return tuple(map(notice_line, case.notices))


def _need(need: Need) -> str:
    kinds = f" ({words.listed(KINDS[kind] for kind in need.kinds)})" if need.kinds else ""
    strength = f"; {STRENGTHS[need.strength]}" if need.strength else ""
    return f"{words.CERTAINTIES[need.certainty]}: {need.label}{kinds}{strength}"
