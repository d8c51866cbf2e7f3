# SPDX-License-Identifier: MIT
"""A later day for the next step, set by a manager with a reason, counted and not hidden."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from notify_gateway.domain.casework import ExtendReason
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.policy import Act
from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.working import Sent, Work, carry_out

MOST_AHEAD = timedelta(days=60)


def extend(gateway: Gateway, *, by: Person, reference: str, version: int, on: date, reason: str, form: UUID | None = None) -> Done:
    """The next step is due on that day (``ExtendReason``). For managers.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for a day that is past or over 60 days ahead, and ``Conflict``.
    """
    if reason not in set(ExtendReason):
        raise Refused(Issue(Code.CASE_CHOICE))

    def steps(work: Work) -> None:
        work.require(when=work.case.reply_on is not None)
        if not work.today <= on <= work.today + MOST_AHEAD:
            raise Refused(Issue(Code.CASE_DAY))
        work.change(extended_step=work.case.step, extended_on=on)
        event_id = work.log("case:extended", step=work.case.step, on=on.isoformat(), reason=reason)
        work.tell("extended", event_id, step=work.case.step, on=on, reason=reason)

    return carry_out(gateway, by, Sent(reference, version, form), steps, act=Act.ASSIGN_OTHERS)
