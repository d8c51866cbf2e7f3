# SPDX-License-Identifier: MIT
"""The team, who is away and who stands in, and the rules that the authority sets for its own inbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, NotFound, Refused
from notify_gateway.domain.policy import Act, may
from notify_gateway.store.parties import Receiver
from notify_gateway.use_cases.inbox import settings, team
from notify_gateway.use_cases.inbox.settings import InboxSettings
from notify_gateway.use_cases.inbox.team import Member
from notify_gateway.web.entrance.door import Visit, visitor, visitor_with_form
from notify_gateway.web.forms import Form, Option, Reading, an_id, day_fields, new_form
from notify_gateway.web.inbox.case_presenter import Fact
from notify_gateway.web.inbox.desk import gateway_of, see, status_of
from notify_gateway.web.inbox.late_presenter import minutes, rules
from notify_gateway.web.pages import ROLES, show_page
from notify_gateway.web.wording import day

router = APIRouter(tags=["Inbox"])
DONE: Final = {
    "leave": "Saved. What comes for them goes to their deputy meanwhile.",
    "settings": "Saved. Open notifications got their days anew.",
}
DAYS: Final = (
    ("acknowledge_days", "Acknowledge within"),
    ("allocate_days", "Give it to an officer within"),
    ("contact_days", "Contact the family within"),
    ("outcome_days", "Record an outcome within"),
)
WORDS: Final = {
    **dict.fromkeys(("restricted_contact", "service_email", "sendiass_name"), 200),
    **dict.fromkeys(("service_phone", "safeguarding_phone", "sendiass_phone"), 40),
}
CHANNELS: Final = {
    "inbox": "This inbox",
    "pull": "Your own system collects them",
    "webhook": "Sent to your own system",
    "mesh": "MESH mailbox",
    "sftp": "Files on your own server",
}
CUSTODIES: Final = {
    "authority-held": "Your authority alone, with keys that it holds itself",
    "managed": "The service's opener, after a reason was given",
}


@dataclass(frozen=True, slots=True)
class MemberLine:
    """One of the team."""

    name: str
    roles: str
    open: str
    leave: str
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """The team and its rules."""

    done: str
    members: tuple[MemberLine, ...]
    gaps: tuple[str, ...]
    rules: tuple[str, ...]
    reach: tuple[Fact, ...]
    carried: tuple[Fact, ...]
    """By which channel notifications come, who holds the keys that open them, and the keys to which they are sealed."""
    may_change: bool
    devices: bool
    """There are devices with keys of the authority's own, and the visitor manages them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """When somebody is away."""

    name: str
    address: str
    deputies: tuple[Option, ...]
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The authority's rules, to be changed."""

    days: tuple[tuple[str, str], ...]
    form: Form


@router.get("/team", response_class=Response)
async def show_team(request: Request) -> Response:
    """Show the team, who is away, and the rules."""
    visit = await visitor(request, Act.READ_INBOX)
    gateway, person = gateway_of(request), visit.person
    members = await asyncio.to_thread(team.list_team, gateway, person)
    held = await asyncio.to_thread(settings.show_settings, gateway, person)
    manages = may(person, Act.MANAGE_TEAM)
    receiver = gateway.receivers.get().get(person.organisation)
    gaps = tuple(f"{each.officer.name} is away and nobody stands in." for each in members if each.away_now and each.deputy is None)
    presenter = Team(
        done=DONE.get(request.query_params.get("done", ""), ""),
        members=tuple(_line(each, change=manages or each.officer.id == person.id) for each in members),
        gaps=gaps,
        rules=(*rules(held), f"The child's details are shown for {minutes(held.reveal_window)} after a reason was given."),
        reach=_reach(held),
        carried=_carried(receiver),
        may_change=may(person, Act.CHANGE_SETTINGS),
        devices=may(person, Act.ENROL_DEVICE) and receiver is not None and receiver.custody == "authority-held",
    )
    return show_page(request, "inbox/team.html", presenter, visit=visit, area="team")


@router.get("/team/members/{member_id}/leave", response_class=Response)
async def ask_for_leave(request: Request, member_id: str) -> Response:
    """Ask when a member is away, and who stands in."""
    visit = await visitor(request, Act.WORK_CASE)
    members = await asyncio.to_thread(team.list_team, gateway_of(request), visit.person)
    member = _of(members, member_id)
    values = {"deputy": str(member.deputy.id)} if member.deputy else {}
    values |= day_fields("away_from", member.away_from) if member.away_from else {}
    values |= day_fields("away_to", member.away_to) if member.away_to else {}
    return _leaving(request, visit, members, member, new_form(visit.form_token, values=values))


@router.post("/team/members/{member_id}/leave", response_class=Response)
async def set_leave(request: Request, member_id: str) -> Response:
    """Set when a member is away, and who stands in; one's own, or for managers anybody's."""
    visit, fields = await visitor_with_form(request, Act.WORK_CASE)
    gateway, reading = gateway_of(request), Reading(fields)
    away_from, away_to = reading.day("away_from"), reading.day("away_to")
    if (away_from is None) != (away_to is None):
        reading.wrong("away_to", "Enter both days, or none")
    elif away_from and away_to and away_to < away_from:
        reading.wrong("away_to", "Enter a last day that is not before the first")
    deputy = an_id(fields["deputy"]) if fields.get("deputy") else None
    member = an_id(member_id)
    if deputy == member:
        reading.wrong("deputy", "Select somebody else to stand in")
    if not reading.faults:
        act = partial(team.set_leave, gateway, by=visit.person, member=member, away_from=away_from, away_to=away_to, deputy=deputy)
        await asyncio.to_thread(act)
        return see("/team?done=leave")
    members = await asyncio.to_thread(team.list_team, gateway, visit.person)
    return _leaving(request, visit, members, _of(members, member_id), reading.again(visit.form_token))


@router.get("/team/settings", response_class=Response)
async def ask_for_settings(request: Request) -> Response:
    """Show the rules to be changed. For managers."""
    visit = await visitor(request, Act.CHANGE_SETTINGS)
    held = await asyncio.to_thread(settings.show_settings, gateway_of(request), visit.person)
    values = {name: str(getattr(held, name)) for name, _ in DAYS}
    values |= {name: getattr(held, name) for name in WORDS}
    values |= {"reveal_minutes": str(int(held.reveal_window.total_seconds() // 60))}
    values |= {"planning_only": "yes"} if held.planning_only else {}
    return _setting(request, visit, new_form(visit.form_token, values=values))


@router.post("/team/settings", response_class=Response)
async def save_settings(request: Request) -> Response:
    """Change the rules; open notifications get their days anew. For managers."""
    visit, fields = await visitor_with_form(request, Act.CHANGE_SETTINGS)
    reading = Reading(fields)
    days = {name: reading.number(name, 1, 120, "Enter working days from 1 to 120") for name, _ in DAYS}
    window = reading.number("reveal_minutes", 5, 60, "Enter minutes from 5 to 60")
    texts: dict[str, Any] = {name: reading.text(name, most) for name, most in WORDS.items()}
    wanted = InboxSettings(
        acknowledge_days=days["acknowledge_days"],
        allocate_days=days["allocate_days"],
        contact_days=days["contact_days"],
        outcome_days=days["outcome_days"],
        reveal_window=timedelta(minutes=window),
        **texts,
        planning_only=reading.ticked("planning_only"),
    )
    if not reading.faults:
        try:
            await asyncio.to_thread(partial(settings.save_settings, gateway_of(request), by=visit.person, settings=wanted))
            return see("/team?done=settings")
        except Refused as error:
            if error.issues[0].code != Code.INBOX_RULES:
                raise
            reading.wrong("acknowledge_days", "These rules cannot be: look at the days and the words again")
    return _setting(request, visit, reading.again(visit.form_token))


def _line(member: Member, *, change: bool) -> MemberLine:
    leave = f"{day(member.away_from)} to {day(member.away_to)}" if member.away_from else "None planned"
    deputy = f"; {member.deputy.name} stands in" if member.away_from and member.deputy else ""
    return MemberLine(
        name=member.officer.name,
        roles=" and ".join(ROLES[role] for role in sorted(member.roles)),
        open=str(member.open),
        leave=leave + deputy,
        change=f"/team/members/{member.officer.id}/leave" if change else "",
    )


def _reach(held: InboxSettings) -> tuple[Fact, ...]:
    lines = (
        ("Email that trusts see", held.service_email),
        ("Phone that trusts see", held.service_phone),
        ("Safeguarding, out of hours", held.safeguarding_phone),
        ("Advice for parents", " ".join(filter(None, (held.sendiass_name, held.sendiass_phone)))),
        ("Where an address is restricted", held.restricted_contact),
        (
            "What a notification leads to",
            "Planning, not by itself contact with the family" if held.planning_only else "Contact with the family",
        ),
    )
    return tuple(Fact(label, (text or "Not set",), not text) for label, text in lines)


def _carried(receiver: Receiver | None) -> tuple[Fact, ...]:
    if receiver is None:
        return ()
    keys = tuple(f"{key.kid}, {key.purpose}, since {day(london_day(key.created_at))}" for key in receiver.live_keys)
    return (
        Fact("Channel", (CHANNELS[receiver.channel],)),
        Fact("Who can open them", (CUSTODIES[receiver.custody],)),
        Fact("Sealed to", keys or ("No key",), not keys),
    )


def _of(members: tuple[Member, ...], wanted: str) -> Member:
    found = next((each for each in members if each.officer.id == an_id(wanted)), None)
    if found is None:
        raise NotFound(Issue(Code.NO_SUCH_PAGE))
    return found


def _leaving(request: Request, visit: Visit, members: tuple[Member, ...], member: Member, form: Form) -> Response:
    others = tuple(Option(str(each.officer.id), each.officer.name) for each in members if each.officer.id != member.officer.id)
    address = f"/team/members/{member.officer.id}/leave"
    presenter = Leaving(name=member.officer.name, address=address, deputies=others, form=form)
    return show_page(request, "inbox/leave.html", presenter, visit=visit, status=status_of(form), area="team")


def _setting(request: Request, visit: Visit, form: Form) -> Response:
    return show_page(request, "inbox/settings.html", Setting(days=DAYS, form=form), visit=visit, status=status_of(form), area="team")
