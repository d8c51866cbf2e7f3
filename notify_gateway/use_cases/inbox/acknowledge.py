# SPDX-License-Identifier: MIT
"""Taking a notification on: it tells the trust that the authority has it, and the family nothing."""

from __future__ import annotations

from uuid import UUID

from notify_gateway.domain.case_clock import Stage
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.collect import take_up
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.assign import give
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.follow import after_acknowledgement
from notify_gateway.use_cases.inbox.working import Sent, Work, carry_out


def acknowledge(
    gateway: Gateway, *, by: Person, reference: str, version: int, form: UUID | None = None, officer: UUID | None = None
) -> Done:
    """The trust is told that a person took the notification on, and it is ``officer``'s (where none is named, as before, or one's own).

    Said again, it changes nothing. Raises ``NotAllowed``, ``NotFound``, and ``Conflict`` when somebody changed the case meanwhile
    (``CASE_CHANGED``), or the trust has withdrawn it (``CASE_WITHDRAWN``).
    """
    if officer not in (None, by.id):
        require(by, Act.ASSIGN_OTHERS)

    def steps(work: Work) -> None:
        stage = Stage(work.case.stage)
        if stage in (Stage.ACKNOWLEDGED, Stage.CONTACTED):
            return
        work.require(when=stage is Stage.RECEIVED and work.case.duplicate_of is None)
        event_id = take_up(work.connection, authority=by.organisation, delivery_id=work.case.delivery_id, actor=by.actor, now=work.now)
        whose = officer or work.case.officer or by.id
        if whose != work.case.officer:
            give(work, whose)
        work.change(stage=after_acknowledgement(work.case).value)
        work.told_trust = event_id is not None
        work.tell("acknowledged", event_id)

    return carry_out(gateway, by, Sent(reference, version, form), steps)
