# SPDX-License-Identifier: MIT
"""What came of a notification. The trust is told a code and a day."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

from notify_gateway.domain.case_clock import Stage
from notify_gateway.domain.casework import ReopenReason
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.feedback import read_outcome
from notify_gateway.domain.lifecycle import State
from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.feedback import Taken, take_step
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.follow import after_acknowledgement
from notify_gateway.use_cases.inbox.working import Sent, Work, carry_out

MOST_AHEAD = timedelta(days=731)


def record_outcome(
    gateway: Gateway,
    *,
    by: Person,
    reference: str,
    version: int,
    outcome: str,
    on: date,
    review_on: date | None = None,
    form: UUID | None = None,
) -> Done:
    """The outcome (``domain.feedback.AuthorityOutcome``) is recorded, the trust is told code and day, and the case is finished.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for an unknown code or a day that cannot be, and ``Conflict``.
    """
    code = read_outcome(outcome).value

    def steps(work: Work) -> None:
        open_ = work.case.asked_at is None and work.case.duplicate_of is None
        work.require(when=open_ and work.case.stage in (Stage.ACKNOWLEDGED, Stage.CONTACTED))
        if review_on is not None and not work.today <= review_on <= work.today + MOST_AHEAD:
            raise Refused(Issue(Code.CASE_DAY))
        taken = Taken(by.organisation, work.case.delivery_id, by.actor, State.OUTCOME, on=on, code=code)
        work.told_trust = take_step(work.connection, taken, now=work.now) is not None
        work.parts.add_outcome(work.case.id, uuid4(), code=code, on=on, review_on=review_on, by=by.actor, at=work.now)
        work.change(stage=Stage.OUTCOME.value, outcome=code, next_try_on=None)
        days = {"on": on.isoformat(), "review_on": review_on.isoformat() if review_on else None}
        event_id = work.log("case:outcome", code=code, **days)
        work.tell("outcome", event_id, code=code, on=on, review_on=review_on)

    return carry_out(gateway, by, Sent(reference, version, form), steps)


def reopen(gateway: Gateway, *, by: Person, reference: str, version: int, reason: str, form: UUID | None = None) -> Done:
    """The case is to be worked again (``ReopenReason``); the outcome stays in its history, and with the trust until there is another.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` without a reason, and ``Conflict``.
    """
    if reason not in set(ReopenReason):
        raise Refused(Issue(Code.CASE_CHOICE))

    def steps(work: Work) -> None:
        work.require(when=work.case.stage == Stage.OUTCOME and work.case.duplicate_of is None)
        work.parts.supersede_outcome(work.case.id, at=work.now, by=by.actor, because=reason)
        # The time begins anew: what is taken up again today was not late yesterday.
        work.change(stage=after_acknowledgement(work.case).value, outcome=None, clock_on=work.today, paused_days=0)
        event_id = work.log("case:reopened", reason=reason)
        work.tell("reopened", event_id, reason=reason)

    return carry_out(gateway, by, Sent(reference, version, form), steps)
