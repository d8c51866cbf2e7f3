# SPDX-License-Identifier: MIT
"""What the page of one notification shows before anybody asks who the child is: what the trust said, what was done, what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from notify_gateway.domain.casework import STATUSES, Decision, Status, Step
from notify_gateway.domain.clock import london_day
from notify_gateway.privacy.wording import KINDS, PARENT_VIEWS, STRENGTHS
from notify_gateway.use_cases.inbox.read import Assignment, Case, Need, Related
from notify_gateway.web.inbox import words
from notify_gateway.web.inbox.attempts_presenter import Tried, tried
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
class Banner:
    """Something not to be overlooked; ``kind`` is ``stop``, ``mind`` or nothing."""

    title: str
    text: str
    kind: str = ""
    address: str = ""
    link: str = ""


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
        Fact("Age then", tuple(filter(None, (row.age or "Erased", came)))),
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


def banners(case: Case) -> tuple[Banner, ...]:
    """Return what must not be overlooked, the gravest first."""
    row, here = case.row, f"/notifications/{case.row.reference}"
    found: list[Banner] = []
    if case.erased:
        found.append(
            Banner("Erased", "Who this was about was erased and cannot be read again. What was done stays in the history.", "stop")
        )
    if row.status is Status.WITHDRAWN:
        text = "Do not contact the family because of it. What you did stays in the history."
        found.append(Banner("The trust has withdrawn this notification", text, "stop"))
    if case.parent.do_not_contact_before is not None:
        text = "The trust asks you to wait: it still has something to tell the family itself."
        found.append(Banner(f"Do not contact the family before {day(case.parent.do_not_contact_before)}", text, "stop"))
    if case.asked_not_to_contact:
        text = "They said so to your team. Ask a manager before anybody tries again."
        found.append(Banner("The family asked not to be contacted", text, "stop"))
    elif case.parent.contact_sensitively:
        text = "The parent objects to this notification. The law still required it; make contact with care."
        found.append(Banner("Contact sensitively", text, "mind"))
    for warning in case.warnings:
        on = warning.contacted_on or warning.planned_on
        what = "was contacted" if warning.contacted_on else "is to be contacted"
        title = f"The family {what} about another notification{f' on {day(on)}' if on else ''}"
        text = f"Speak with {name_of(warning.officer)} first, so that they do not hear twice." if warning.officer else ""
        found.append(Banner(title, text, "mind", f"/notifications/{warning.reference}", warning.reference))
    if case.sent_back is not None:
        found.append(_sent_back(case))
    if case.failed_tries >= 3 and case.may_ask:
        text = "The trust may have better contact details."
        found.append(Banner(f"{case.failed_tries} tries without success", text, "", f"{here}/question", "Ask the trust"))
    for other in case.related:
        if other.decision is Decision.OPEN:
            text = f"{other.reference} may be about the same child."
            found.append(Banner("Possible duplicate", text, "", f"/inbox/duplicates/{other.pair}", "Compare the two"))
    return tuple(found)


def _sent_back(case: Case) -> Banner:
    back = case.sent_back
    assert back is not None
    suggested = f" You suggested {back.suggested_name}." if back.suggested_name else ""
    if back.disputed:
        text = "It was sent back twice. Your managers, theirs and the operator settle whose it is; until then nobody sends it back again."
        return Banner("Nobody says that this child is theirs", text, "stop")
    if back.resent_at is not None:
        return Banner("Sent on", f"{back.label}.{suggested} The trust sent it again on {day(london_day(back.resent_at))}.")
    text = f"{back.label}.{suggested} It stays open here until the trust sends it again."
    return Banner("Not in our area", text, "mind")


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
    return tuple(map(tried, case.contacts)), tuple(map(entry, case.history))


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
