# SPDX-License-Identifier: MIT
"""Closing what the trust has withdrawn."""

from __future__ import annotations

from uuid import UUID

from notify_gateway.domain.casework import NoticeKind
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue
from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.collect import take_up
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.working import Sent, Work, carry_out


def close_withdrawn(gateway: Gateway, *, by: Person, reference: str, version: int, form: UUID | None = None) -> Done:
    """The withdrawn case is finished, and the trust sees that somebody took note. Said again, it changes nothing.

    Raises ``NotAllowed``, ``NotFound``, and ``Conflict`` where it is not withdrawn.
    """

    def steps(work: Work) -> None:
        if work.case.withdrawn_at is None:
            raise Conflict(Issue(Code.CASE_STATE))
        if work.case.closed_at is not None:
            return
        whose, delivery = by.organisation, work.case.delivery_id
        told = take_up(work.connection, authority=whose, delivery_id=delivery, actor=by.actor, now=work.now)
        work.told_trust = told is not None
        work.parts.end_notices(work.case.id, NoticeKind.WITHDRAWN)
        work.change(closed_at=work.now)
        work.tell("closed", work.log("case:closed"))

    return carry_out(gateway, by, Sent(reference, version, form), steps)
