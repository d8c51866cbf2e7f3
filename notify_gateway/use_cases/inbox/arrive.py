# SPDX-License-Identifier: MIT
"""What a delivery makes of the inbox: a new case, or a change of one; once for each delivery, in the transaction that receives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import Connection, Row, select

from notify_gateway.domain.case_clock import DueRules, Stage
from notify_gateway.domain.casework import NoticeKind
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.section23 import Flag
from notify_gateway.store import case_parts
from notify_gateway.store.cases import CaseRow, Cases
from notify_gateway.store.tables import messages, notifications
from notify_gateway.use_cases.inbox.placing import changed, go_on, placed, tell

_SENSITIVE = frozenset({Flag.CONTACT_SENSITIVELY.value, Flag.ADDRESS_RESTRICTED.value})
_NONE: Mapping[UUID, UUID] = {}


def take_in(connection: Connection, rows: Iterable[Row[Any]], *, now: datetime, events: Mapping[UUID, UUID] = _NONE) -> None:
    """Each delivery, just received by the inbox, is in a case; ``events`` tell of each its entry in the log.

    The caller changes the state of each delivery once, under a lock, and so each counts once.
    """
    for row in sorted(rows, key=lambda each: each.id):
        cases = Cases(connection, row.authority)
        arrival = _Arrival(connection, cases, row, cases.rules(), now, events.get(row.id))
        held = cases.of_notification(row.notification_id, lock=True)
        if held is None:
            arrival.begin()
        elif row.event == "delete":
            arrival.withdraw(held)
        else:
            arrival.renew(held)


class _Arrival:
    """One delivery on its way into the inbox of its authority."""

    def __init__(self, connection: Connection, cases: Cases, row: Row[Any], rules: DueRules, now: datetime, event_id: UUID | None) -> None:
        self._connection, self._cases, self._row, self._rules, self._now, self._event_id = connection, cases, row, rules, now, event_id
        m, n = messages.c, notifications.c
        found = connection.execute(
            select(m.view, n.reference, n.thread_id).join(notifications, n.id == m.notification_id).where(m.id == row.message_id)
        ).one()
        self._view, self._reference, self._thread = orjson.loads(found.view), found.reference, found.thread_id

    def begin(self) -> None:
        """The first of a notification that comes to this authority; a withdrawal of what came by another channel is shown as that."""
        withdrawn = self._row.event == "delete"
        made = CaseRow(
            id=uuid4(),
            authority=self._row.authority,
            notification_id=self._row.notification_id,
            reference=self._reference,
            sender=self._view["sender"],
            **self._latest(),
            related=False,
            arrived_at=self._now,
            changed_at=self._now,
            version=1,
            stage=Stage.RECEIVED.value,
            status="",
            bucket="",
            step="",
            reply_on=None,
            clock_on=london_day(self._now),
            paused_days=0,
            asked_at=None,
            extended_step=None,
            extended_on=None,
            officer=None,
            contacted_on=None,
            next_try_on=None,
            failed_tries=0,
            asked_not_to=False,
            outcome=None,
            sent_back_at=None,
            sent_back_reason=None,
            suggested=None,
            resent_at=None,
            withdrawn_at=self._now if withdrawn else None,
            closed_at=None,
            duplicate_of=None,
        )
        made = placed(made, self._rules)
        self._cases.add(made)
        self._tell(made, "withdrawn" if withdrawn else "received")
        case_parts.hear(self._connection, made.authority, made.sender, at=self._now)
        self._join(made)

    def renew(self, held: CaseRow) -> None:
        """The trust sent it anew: it is to be acknowledged anew, and whoever acted on what it said before is told."""
        values = self._latest() | go_on(held, now=self._now)
        values |= {"stage": Stage.RECEIVED.value, "withdrawn_at": None, "closed_at": None, "duplicate_of": None, "outcome": None}
        values |= {"sensitive": values["sensitive"] or held.asked_not_to, "extended_step": None, "extended_on": None}
        if held.stage == Stage.SENT_BACK:
            # It came back to the one that said it was not theirs: the work begins anew.
            values |= {"clock_on": london_day(self._now), "paused_days": 0, "resent_at": None, "sent_back_at": None, "suggested": None}
            values |= {"sent_back_reason": None}
        renewed = changed(held, self._rules, now=self._now, **values)
        self._cases.save(renewed)
        parts = case_parts.Parts(self._connection, held.authority)
        parts.close_questions(held.id, at=self._now, by="update")
        parts.supersede_outcome(held.id, at=self._now, by=held.sender, because="update")
        parts.reopen_pairs(held.id, at=self._now)
        if held.officer is not None or held.stage != Stage.RECEIVED:
            parts.notice(NoticeKind.CHANGED, held.id, at=self._now, message_before=held.message_id, message_id=self._row.message_id)
        self._tell(renewed, "updated")
        case_parts.hear(self._connection, held.authority, held.sender, at=self._now)
        if self._thread != held.thread_id:
            self._join(renewed)

    def withdraw(self, held: CaseRow) -> None:
        """The trust took it back; where the authority had sent it back, that is what it waited for."""
        # What it said stays what it said: the message of a withdrawal says nothing.
        values: dict[str, Any] = {"delivery_id": self._row.id, "event": "delete", "turn_at": self._now}
        values |= go_on(held, now=self._now)
        resent = held.stage == Stage.SENT_BACK
        values |= {"resent_at": self._now} if resent else {"withdrawn_at": self._now, "closed_at": None}
        gone = changed(held, self._rules, now=self._now, **values)
        self._cases.save(gone)
        parts = case_parts.Parts(self._connection, held.authority)
        parts.close_questions(held.id, at=self._now, by="withdrawal")
        if not resent:
            parts.notice(NoticeKind.WITHDRAWN, held.id, at=self._now)
        self._tell(gone, "sent-again" if resent else "withdrawn")
        case_parts.hear(self._connection, held.authority, held.sender, at=self._now)

    def _latest(self) -> dict[str, Any]:
        """Return what the latest delivery says of a case."""
        needs = self._view["needs"]
        before = self._view.get("do_not_contact_before")
        return {
            "thread_id": self._thread,
            "delivery_id": self._row.id,
            "message_id": self._row.message_id,
            "event": self._row.event,
            "main_need": next((need["sen_type"] or need["area"] for need in needs if need["sen_type"] or need["area"]), None),
            "sensitive": not _SENSITIVE.isdisjoint(self._view["flags"]),
            "contact_from": date.fromisoformat(before) if before else None,
            "turn_at": self._now,
        }

    def _join(self, case: CaseRow) -> None:
        """Make pairs of the case with the others of its thread, and tell those who work on these."""
        parts = case_parts.Parts(self._connection, case.authority)
        others = self._cases.of_thread(case.thread_id, but=case.id)
        for other in others:
            if parts.pair(other.id, case.id, how="number", at=self._now) is None:
                continue
            self._cases.save(replace(other, related=True, version=other.version + 1))
            parts.notice(NoticeKind.RELATED, other.id, at=self._now)
            tell(
                self._cases,
                replace(other, version=other.version + 1),
                "related",
                at=self._now,
                actor=case.sender,
                details={"reference": case.reference},
            )
        if others:
            self._cases.save(replace(case, related=True))

    def _tell(self, case: CaseRow, what: str) -> None:
        tell(self._cases, case, what, at=self._now, actor=case.sender, event_id=self._event_id)
