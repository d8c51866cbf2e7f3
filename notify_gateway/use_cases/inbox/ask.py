# SPDX-License-Identifier: MIT
"""Asking the trust a question in codes. The time to reply stands still until it answers, which it does by an update."""

from __future__ import annotations

from uuid import UUID

from audit.events import Event
from audit.log import append
from notify_gateway.domain.case_clock import Stage
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue
from notify_gateway.domain.feedback import read_question
from notify_gateway.domain.staff import Person
from notify_gateway.store.collection import AuthorityDeliveries, Step
from notify_gateway.store.tables import audit_tables, case_tables
from notify_gateway.use_cases.feedback import require_latest
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done
from notify_gateway.use_cases.inbox.placing import go_on
from notify_gateway.use_cases.inbox.working import Sent, Work, carry_out

_ASKABLE = (Stage.RECEIVED, Stage.ACKNOWLEDGED, Stage.CONTACTED)


def ask_trust(gateway: Gateway, *, by: Person, reference: str, version: int, question: str, form: UUID | None = None) -> Done:
    """The trust sees the question (``domain.feedback.Question``) at its Task, and the case waits for it.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for an unknown code, and ``Conflict``, also while a question is open already.
    """
    code = read_question(question).value

    def steps(work: Work) -> None:
        work.require(when=work.case.stage in _ASKABLE and work.case.asked_at is None and work.case.duplicate_of is None)
        event_id = _say(work, "question", "delivery:questioned", code)
        work.parts.add(case_tables.questions, case_id=work.case.id, code=code, by=by.id, at=work.now)
        work.change(asked_at=work.now)
        work.tell("question", event_id, code=code)

    return carry_out(gateway, by, Sent(reference, version, form), steps)


def take_question_back(gateway: Gateway, *, by: Person, reference: str, version: int, form: UUID | None = None) -> Done:
    """No answer is waited for any more, the trust sees that, and the time to reply goes on. Raises ``NotFound``, ``Conflict``."""

    def steps(work: Work) -> None:
        work.require(when=work.case.asked_at is not None)
        code = work.parts.of_case(case_tables.questions, work.case.id)[0].code
        event_id = _say(work, "question-closed", "delivery:question_closed", code)
        work.parts.close_questions(work.case.id, at=work.now, by="officer")
        work.change(**go_on(work.case, now=work.now))
        work.tell("question-closed", event_id, code=code)

    return carry_out(gateway, by, Sent(reference, version, form), steps)


def _say(work: Work, step: str, tag: str, code: str) -> UUID:
    """Put the step where the trust's Task shows it; return its event. The state of the delivery stays."""
    own = AuthorityDeliveries(work.connection, work.by.organisation)
    row = own.find(work.case.delivery_id)
    if row is None:
        raise Conflict(Issue(Code.CASE_STATE))
    require_latest(own, row)
    fields: dict[str, str | int] = {"notification": str(row.notification_id), "authority": work.by.organisation, "code": code}
    event = Event(tag, at=work.now, actor=work.by.actor, subject=str(row.id), fields=fields)
    event_id = append(work.connection, audit_tables, [event])[0].event_id
    own.add_step(row.id, len(own.steps(row.id)) + 1, Step(step, code, None, None, work.now, event_id), by=work.by.actor)
    work.told_trust = True
    return event_id
