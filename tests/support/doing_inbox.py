# SPDX-License-Identifier: MIT
"""Doing, for real, what officers and managers do on the pages of the inbox: what goes before it is done first, then the act is returned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from itertools import count
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from notify_gateway.domain.staff import Role
from notify_gateway.store.tables import deliveries, notifications
from notify_gateway.use_cases import deliver, reveal_to_staff, staff_sessions
from notify_gateway.use_cases.inbox import acknowledge, ask, assign, contact, outcome, pairs, read
from notify_gateway.use_cases.inbox.contact import Attempt
from notify_gateway.use_cases.staff_sessions import Visit
from tests.support.acts import HARTLEPOOL, Act, World
from tests.support.messages import Message, a_message
from tests.support.staff import a_member, sign_in_as
from workers.channels.signature import RequestSigner
from workers.run import WorkerValues, make_channels

_ON = {"on-day": "20", "on-month": "11", "on-year": "2026"}
_LATER = {"on-day": "27", "on-month": "11", "on-year": "2026"}
_TRIED = {"how": "phone", "whom": "parent", "result": "no-answer", **_ON}
_WHY = {"reason": "contact-family", "case_reference": "EY-2026-17"}
_A_WHILE = timedelta(minutes=5)
_numbers = count(1)


class Desk:
    """An officer who is a manager too, in a session of their own, and what they have before them."""

    def __init__(self, world: World) -> None:
        self.world, self.gateway = world, world.house.gateway
        self.cookie = sign_in_as(self.gateway, Role.OFFICER, Role.MANAGER, authority=HARTLEPOOL, name="Sam Carter", stepped_up=True)
        visit = staff_sessions.look(self.gateway, self.cookie)
        assert isinstance(visit, Visit)
        self.visit, self.person = visit, visit.person

    def arrives(self, message: Message | None = None) -> str:
        """Have a notification arrive in the inbox; return its reference."""
        delivery = self.world.queued((message or a_message()).for_child(postcode="TS24 8AY").to_authority(HARTLEPOOL))
        outgoing = deliver.begin_attempts(self.gateway, [delivery], owner="test")
        channels = make_channels(WorkerValues(broker_url="memory://", signer=RequestSigner("k", Ed25519PrivateKey.generate())))
        deliver.finish_attempts(self.gateway, asyncio.run(channels["inbox"].send(outgoing)), owner="test")
        with self.gateway.engine.begin() as connection:
            joined = select(notifications.c.reference).join(deliveries, deliveries.c.notification_id == notifications.c.id)
            return str(connection.scalars(joined.where(deliveries.c.id == delivery)).one())

    def version(self, reference: str) -> int:
        """Return the version of the case."""
        return read.show_case(self.gateway, self.person, reference).row.version

    def does(self, act: Callable[..., object], reference: str, **more: object) -> None:
        """Do an act before the one that is looked at."""
        act(self.gateway, by=self.person, reference=reference, version=self.version(reference), **more)

    def sends(self, path: str, status: int = 303, **fields: str) -> Act:
        """Return the sending of a form."""
        headers = {"Cookie": f"staff={self.cookie}", "Origin": "http://testserver", "Accept": "text/html"}
        data = {"form_token": self.visit.form_token, "form": str(uuid4()), **fields}

        def do() -> None:
            answer = self.world.http.post(path, data=data, headers=headers)
            assert answer.status_code == status, answer.text

        return do

    def sees(self, path: str) -> Act:
        """Return the asking for a page."""

        def do() -> None:
            answer = self.world.http.get(path, headers={"Cookie": f"staff={self.cookie}", "Accept": "text/html"})
            assert answer.status_code == 200, answer.text

        return do

    def about(self, reference: str, path: str, status: int = 303, **fields: str) -> Act:
        """Return the sending of a form about a notification, as it is now."""
        return self.sends(f"/notifications/{reference}{path}", status, version=str(self.version(reference)), **fields)


def _fresh(path: str, **fields: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        desk = Desk(world)
        return desk.about(desk.arrives(), path, **fields)

    return prepare


def _acknowledged(path: str, **fields: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        desk = Desk(world)
        reference = desk.arrives()
        desk.does(acknowledge.acknowledge, reference)
        return desk.about(reference, path, **fields)

    return prepare


def _assign(world: World) -> Act:
    desk = Desk(world)
    other = a_member(desk.gateway, Role.OFFICER, authority=HARTLEPOOL, name=f"Officer {next(_numbers)}")
    return desk.about(desk.arrives(), "/assign", officer=str(other.id))


def _assign_many(world: World) -> Act:
    desk = Desk(world)
    reference = desk.arrives()
    return desk.sends("/inbox/assign", case=f"{reference}:{desk.version(reference)}", officer=str(desk.person.id))


def _undo_assignment(world: World) -> Act:
    desk = Desk(world)
    reference = desk.arrives()
    desk.does(assign.assign, reference, officer=desk.person.id)
    return desk.about(reference, "/assign/undo")


def _correct(world: World) -> Act:
    desk = Desk(world)
    reference = desk.arrives()
    desk.does(acknowledge.acknowledge, reference)
    attempt = Attempt(how="phone", whom="parent", result="no-answer", on=date(2026, 11, 20))
    desk.does(contact.record_contact, reference, attempt=attempt)
    (held,) = read.show_case(desk.gateway, desk.person, reference).contacts
    return desk.about(reference, f"/contacts/{held.id}", **_TRIED | {"result": "spoke"})


def _reopen(world: World) -> Act:
    desk = Desk(world)
    reference = desk.arrives()
    desk.does(acknowledge.acknowledge, reference)
    desk.does(outcome.record_outcome, reference, outcome="portage", on=date(2026, 11, 20))
    return desk.about(reference, "/reopen", reason="new-information")


def _take_back(world: World) -> Act:
    desk = Desk(world)
    reference = desk.arrives()
    desk.does(acknowledge.acknowledge, reference)
    desk.does(ask.ask_trust, reference, question="needs")
    return desk.about(reference, "/question/take-back")


def _withdrawn(world: World) -> tuple[Desk, str]:
    desk = Desk(world)
    message = a_message()
    reference = desk.arrives(message)
    desk.arrives(message.followed_by("delete"))
    return desk, reference


def _close(world: World) -> Act:
    desk, reference = _withdrawn(world)
    return desk.about(reference, "/close")


def _dismiss(world: World) -> Act:
    desk, reference = _withdrawn(world)
    (notice, *_) = read.show_case(desk.gateway, desk.person, reference).notices
    return desk.sends("/inbox/notices", notice=str(notice.id))


def _pair(world: World) -> tuple[Desk, pairs.Pair]:
    desk = Desk(world)
    one, other = desk.arrives(), desk.arrives()
    return desk, pairs.link(desk.gateway, by=desk.person, reference=one, version=desk.version(one), other=other)


def _link(world: World) -> Act:
    desk = Desk(world)
    one, other = desk.arrives(), desk.arrives()
    return desk.about(one, "/duplicate", other=other)


def _decide(world: World) -> Act:
    desk, pair = _pair(world)
    return desk.sends(f"/inbox/duplicates/{pair.id}", version=str(pair.version), decision="not-the-same")


def _undo_pair(world: World) -> Act:
    desk, pair = _pair(world)
    decided = pairs.decide(desk.gateway, by=desk.person, pair=pair.id, version=pair.version, decision="not-the-same")
    return desk.sends(f"/inbox/duplicates/{pair.id}/undo", version=str(decided.version))


def _permitted(world: World) -> tuple[Desk, str]:
    desk = Desk(world)
    reference = desk.arrives()
    permit = partial(reveal_to_staff.permit, desk.gateway, by=desk.person, reference=reference, kind="card")
    permit(reason="contact-family", case_reference="EY-2026-17", window=_A_WHILE * 6)
    return desk, reference


def _look(world: World) -> Act:
    desk, reference = _permitted(world)
    return desk.sees(f"/notifications/{reference}/identity")


def _hide(world: World) -> Act:
    desk, reference = _permitted(world)
    return desk.sends(f"/notifications/{reference}/identity/hide")


def _original(world: World) -> Act:
    desk = Desk(world)
    return desk.sends(f"/notifications/{desk.arrives()}/identity/original", 200, **_WHY)


def _settings(world: World) -> Act:
    days = dict.fromkeys(("acknowledge_days", "allocate_days", "contact_days", "outcome_days"), "30")
    return Desk(world).sends("/team/settings", reveal_minutes="30", restricted_contact="By the social worker.", **days)


def _leave(world: World) -> Act:
    desk = Desk(world)
    day = (("day", "1"), ("month", "12"), ("year", "2026"))
    days = {f"{name}-{part}": value for name in ("away_from", "away_to") for part, value in day}
    return desk.sends(f"/team/members/{desk.person.id}/leave", deputy="", **days)


_CASE = "/notifications/{reference}"
IN_THE_INBOX: Mapping[str, Callable[[World], Act]] = {
    "POST /inbox/notices": _dismiss,
    "POST /inbox/assign": _assign_many,
    "POST /inbox/duplicates/{pair_id}": _decide,
    "POST /inbox/duplicates/{pair_id}/undo": _undo_pair,
    f"POST {_CASE}/take": _fresh("/take"),
    f"POST {_CASE}/close": _close,
    f"POST {_CASE}/acknowledge": _fresh("/acknowledge"),
    f"POST {_CASE}/assign": _assign,
    f"POST {_CASE}/assign/undo": _undo_assignment,
    f"POST {_CASE}/contacts/new": _acknowledged("/contacts/new", **_TRIED),
    f"POST {_CASE}/contacts/{{contact_id}}": _correct,
    f"POST {_CASE}/outcome": _acknowledged("/outcome", outcome="portage", **_ON),
    f"POST {_CASE}/reopen": _reopen,
    f"POST {_CASE}/transfer": _fresh("/transfer", reason="moved", suggested="not-known"),
    f"POST {_CASE}/question": _acknowledged("/question", question="needs"),
    f"POST {_CASE}/question/take-back": _take_back,
    f"POST {_CASE}/extend": _fresh("/extend", reason="staffing", **_LATER),
    f"POST {_CASE}/duplicate": _link,
    f"POST {_CASE}/identity": _fresh("/identity", **_WHY),
    f"GET {_CASE}/identity": _look,
    f"POST {_CASE}/identity/hide": _hide,
    f"POST {_CASE}/identity/original": _original,
    "POST /team/settings": _settings,
    "POST /team/members/{member_id}/leave": _leave,
}
