# SPDX-License-Identifier: MIT
"""Legal holds: one person sets one, and it takes two to end it. What is held is not erased."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed, NotFound, Refused
from notify_gateway.domain.retention import HoldReason
from notify_gateway.store import erasure
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core

_CASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_-]{0,39}")


def require_case(case_reference: str) -> str:
    """Return the reference of the case; raises ``Refused`` unless it is one, for words may name people."""
    if _CASE.fullmatch(case_reference) is None:
        raise Refused(Issue(Code.CASE_REFERENCE))
    return case_reference


def require_notification(connection: Connection, reference: str) -> UUID:
    """Return the notification of the reference, which nobody else changes until the transaction ends; raises ``NotFound``."""
    found = erasure.find_notification(connection, reference, lock=True)
    if found is None:
        raise NotFound(Issue(Code.TASK_UNKNOWN))
    return found


def set_hold(core: Core, *, reference: str, reason: HoldReason, case_reference: str, actor: str) -> erasure.Hold:
    """Put a notification under a legal hold; raises ``NotFound``, and ``Refused`` without a case reference."""
    now = core.clock.now()
    made = erasure.Hold(uuid4(), reference, reason.value, require_case(case_reference), actor, now, None)
    with core.engine.begin() as connection:
        notification = require_notification(connection, reference)
        erasure.set_hold(connection, made, notification)
        fields = {"reason": made.reason, "case": made.case_reference, "hold": str(made.id)}
        append(connection, audit_tables, [Event("hold:set", at=now, actor=actor, subject=str(notification), fields=fields)])
    return made


def release(core: Core, *, reference: str, case_reference: str, actor: str) -> bool:
    """Propose to end the hold of that case, or end it as somebody else has proposed; return whether it has ended.

    Raises ``NotFound`` when there is none, ``NotAllowed`` for whoever proposed it already.
    """
    now = core.clock.now()
    with core.engine.begin() as connection:
        notification = require_notification(connection, reference)
        held = erasure.holds(connection, notification, lock=True)
        hold = next((each for each in held if each.case_reference == case_reference), None)
        if hold is None:
            raise NotFound(Issue(Code.HOLD_UNKNOWN))
        if hold.release_by == actor:
            raise NotAllowed(Issue(Code.HOLD_SECOND_PERSON))
        fields = {"case": hold.case_reference, "hold": str(hold.id)}
        if hold.release_by is None:
            erasure.change_hold(connection, hold.id, release_by=actor, release_at=now)
            told = Event("hold:ending", at=now, actor=actor, subject=str(notification), fields=fields)
        else:
            erasure.change_hold(connection, hold.id, released_by=actor, released_at=now)
            fields["proposed_by"] = hold.release_by
            told = Event("hold:released", at=now, actor=actor, subject=str(notification), fields=fields)
        append(connection, audit_tables, [told])
    return hold.release_by is not None


def in_force(core: Core) -> list[erasure.Hold]:
    """Return all holds in force, oldest first."""
    with reading(core.engine).begin() as connection:
        return erasure.holds(connection)
