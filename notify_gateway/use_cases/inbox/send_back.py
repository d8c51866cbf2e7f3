# SPDX-License-Identifier: MIT
"""Not in our area: back to the trust, with the authority that is thought responsible; open until the trust sends again."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from notify_gateway.domain.case_clock import Stage
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.feedback import read_send_back_reason
from notify_gateway.domain.lifecycle import State
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.store import disputes
from notify_gateway.use_cases.feedback import Taken, check_suggested, take_step
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.placing import go_on
from notify_gateway.use_cases.inbox.working import Sent, Work, carry_out

MOST_TIMES = 2
"""So often a notification may be sent back before people settle whose it is."""
_RETURNABLE = (Stage.RECEIVED, Stage.ACKNOWLEDGED, Stage.CONTACTED)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An authority that may be named as the responsible one."""

    gss: str
    name: str
    on_service: bool


def suggestions(gateway: Gateway, by: Person) -> tuple[Suggestion, ...]:
    """Return every authority in office today but the person's own, by name. Raises ``NotAllowed``."""
    require(by, Act.WORK_CASE)
    served = {gss for gss, each in gateway.receivers.get().items() if each.closed_at is None}
    known = gateway.directory.all(london_day(gateway.clock.now()))
    found = (Suggestion(each.gss, each.name, each.gss in served) for each in known if each.gss != by.organisation)
    return tuple(sorted(found, key=lambda each: each.name))


def send_back(
    gateway: Gateway,
    *,
    by: Person,
    reference: str,
    version: int,
    reason: str,
    suggested: str | None,
    form: UUID | None = None,
) -> Done:
    """The trust is told that the authority is not the responsible one, why (``SendBackReason``), and which may be.

    The second time that a notification is sent back, by whichever authority, it is disputed: operator and managers of both see it.
    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for an unknown reason or authority, and ``Conflict``: also while it is disputed
    (``CASE_DISPUTED``).
    """
    code = read_send_back_reason(reason).value
    check_suggested(gateway, by.organisation, suggested)

    def steps(work: Work) -> None:
        work.require(when=work.case.stage in _RETURNABLE and work.case.duplicate_of is None)
        notification = work.case.notification_id
        work.require(when=not disputes.is_open(work.connection, notification), code=Code.CASE_DISPUTED)
        taken = Taken(by.organisation, work.case.delivery_id, by.actor, State.SENT_BACK, code=code, suggested=suggested)
        event_id = take_step(work.connection, taken, now=work.now)
        work.told_trust = True
        work.parts.close_questions(work.case.id, at=work.now, by="sent-back")
        sent = {"sent_back_at": work.now, "sent_back_reason": code, "suggested": suggested, "resent_at": None}
        work.change(stage=Stage.SENT_BACK.value, **sent, **go_on(work.case, now=work.now))
        times = disputes.times_sent_back(work.connection, notification)
        if times >= MOST_TIMES:
            disputes.begin(work.connection, notification, times=times, at=work.now)
            work.tell("disputed", work.log("case:disputed", times=times), times=times)
        work.tell("sent-back", event_id, reason=code, suggested=suggested)

    return carry_out(gateway, by, Sent(reference, version, form), steps)
