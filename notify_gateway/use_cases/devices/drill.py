# SPDX-License-Identifier: MIT
"""Drilling the recovery key: the service seals a few words to it, somebody takes the file to the key, and brings the words back.

That proves, without the key ever coming near a network, that it is there, that its passphrase is known, and that somebody knows how.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.privacy.drills import answer_hash, make_drill
from notify_gateway.privacy.keys import RecipientPublicKey, RecipientPurpose, Suite
from notify_gateway.store.devices import AuthorityDevices, Drill
from notify_gateway.store.row_level import scoped
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.devices.enrol import receiver_of
from notify_gateway.use_cases.gateway import Gateway

LASTS = timedelta(days=7)
MOST_FAILURES = 5
DRILL_EVERY = timedelta(days=183)
"""A recovery key that was not used for so long may be lost without anybody knowing: the page of devices then warns."""


def begin(gateway: Gateway, *, by: Person, kid: str) -> Drill:
    """A drill of the live recovery key stands for seven days; its document is there to be downloaded. For managers.

    Raises ``NotAllowed``, ``NotFound`` for a key that is no live recovery key, ``Conflict`` without any, or in managed custody.
    """
    require(by, Act.ENROL_DEVICE)
    receiver = receiver_of(gateway, by)
    live = [key for key in receiver.live_keys if key.purpose == RecipientPurpose.RECOVERY]
    if not live:
        raise Conflict(Issue(Code.RECOVERY_KEY_MISSING))
    key = next((each for each in live if each.kid == kid), None)
    if key is None:
        raise NotFound(Issue(Code.KEY_UNKNOWN))
    now = gateway.clock.now()
    public = RecipientPublicKey(key.kid, key.authority, Suite(key.suite), key.public_key, RecipientPurpose(key.purpose))
    drill_id = uuid4()
    made = make_drill(drill_id, public, gateway.signing_key)
    drill = Drill(drill_id, receiver.gss, kid, made.document, made.answer_hash, by.actor, now, now + LASTS)
    with gateway.engine.begin() as connection:
        AuthorityDevices(connection, receiver.gss).add_drill(drill)
        _tell(connection, "recovery:drill_begun", by, drill, now)
    return drill


def document_of(gateway: Gateway, *, by: Person, drill_id: UUID) -> Drill:
    """Return the drill, whose document only the recovery key opens. Raises ``NotAllowed``, ``NotFound``."""
    require(by, Act.ENROL_DEVICE)
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        found = AuthorityDevices(connection, by.organisation).find_drill(drill_id)
    if found is None:
        raise NotFound(Issue(Code.DEVICE_UNKNOWN))
    return found


def answer(gateway: Gateway, *, by: Person, drill_id: UUID, words: str) -> Drill:
    """The drill is passed, and its day is in the log; said again, it changes nothing.

    Raises ``NotAllowed``, ``NotFound``, and ``Conflict`` for other words, after seven days or after five wrong answers.
    """
    require(by, Act.ENROL_DEVICE)
    now = gateway.clock.now()
    with gateway.engine.begin() as connection:
        own = AuthorityDevices(connection, by.organisation)
        drill = own.find_drill(drill_id, lock=True)
        if drill is None:
            raise NotFound(Issue(Code.DEVICE_UNKNOWN))
        if drill.passed_at is not None:
            return drill
        if drill.expires_at <= now or drill.failures >= MOST_FAILURES:
            raise Conflict(Issue(Code.DRILL_ANSWER))
        right = hmac.compare_digest(answer_hash(words), drill.answer_hash)
        if right:
            own.pass_drill(drill_id, by=by.actor, at=now)
        else:
            own.note_failure(drill_id)
        _tell(connection, "recovery:drilled" if right else "recovery:drill_failed", by, drill, now)
    if not right:
        raise Conflict(Issue(Code.DRILL_ANSWER))
    return drill


def _tell(connection: Connection, tag: str, by: Person, drill: Drill, now: datetime) -> None:
    fields = {"authority": drill.authority, "drill": str(drill.id)}
    append(connection, audit_tables, [Event(tag, at=now, actor=by.actor, subject=drill.kid, fields=fields)])
