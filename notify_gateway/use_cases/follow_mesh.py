# SPDX-License-Identifier: MIT
"""Following what MESH holds: collected, given back, confirmed by the receiver, or lying there until people have to look.

Any number may follow. What is recorded of a message is recorded once: whoever comes second finds it ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.route import ChannelName
from notify_gateway.store import mesh, outbox
from notify_gateway.store.engine import reading
from notify_gateway.store.mesh import Carried, Uncollected
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.confirm import Receipt
from notify_gateway.use_cases.deliver import finish_attempts, settle_offered
from notify_gateway.use_cases.gateway import Core

LEAST_OFTEN = timedelta(minutes=15)
"""However old a message is, it is asked about so often."""
ASKED_AGAIN = timedelta(minutes=1)
"""When a poller that took a message says nothing more of it, another may ask after this."""
BELIEVED_GONE = timedelta(minutes=10)
"""A message that MESH does not know may be too young to be known everywhere; after this it is gone."""
KEPT_BY_MESH = timedelta(days=5, hours=6)
"""MESH keeps what nobody fetches for five days; what it still calls waiting some hours later is gone."""


def take_due(core: Core, *, limit: int = 100) -> list[Carried]:
    """Return messages that are due to be asked about; no other poller gets them meanwhile."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        return mesh.take_due(connection, now=now, again_at=now + max(ASKED_AGAIN, core.settings.mesh_track_every), limit=limit)


def collected(core: Core, carried: Carried) -> bool:
    """The receiver's system took the message out of MESH: the delivery is received, its digest unknown. Tells whether that was news."""
    return _settle(core, carried, code="collected", outcome=AttemptOutcome.RECEIVED)


def given_back(core: Core, carried: Carried, *, code: str) -> bool:
    """The message will not arrive: the delivery is queued again, with the code. Tells whether that was news."""
    return _settle(core, carried, code=code, outcome=AttemptOutcome.RETRY)


def unknown_to_mesh(core: Core, carried: Carried) -> None:
    """MESH does not know the message: it is given back, unless it is so young that MESH may know it soon."""
    if core.clock.now() - carried.sent_at >= BELIEVED_GONE:
        given_back(core, carried, code="mesh-gone")
    else:
        still_waiting(core, carried)


def still_waiting(core: Core, carried: Carried) -> Uncollected | None:
    """Nobody has fetched the message yet: ask again, the older the less often.

    Returns it when people have to be told, which happens once and stands in the log; one that MESH no longer keeps is given back.
    """
    now = core.clock.now()
    age = now - carried.sent_at
    if age >= KEPT_BY_MESH:
        given_back(core, carried, code="mesh-uncollected")
        return None
    again = now + min(max(core.settings.mesh_track_every, age / 8), LEAST_OFTEN)
    with core.engine.begin() as connection:
        if age < core.settings.mesh_uncollected_after or carried.told_at is not None:
            mesh.look_again(connection, carried, at=again)
            return None
        row = outbox.locked(connection, [carried.delivery_id])[carried.delivery_id]
        if row.state != "offered":
            mesh.end(connection, carried, code="overtaken", now=now)
            return None
        if not mesh.tell(connection, carried, at=again, told_at=now):
            return None
        fields: dict[str, str | int] = {"authority": row.authority, "channel": row.channel, "days": age.days}
        fields["notification"] = str(row.notification_id)
        append(connection, audit_tables, [Event("delivery:uncollected", at=now, actor="service", subject=str(row.id), fields=fields)])
    return Uncollected(row.id, row.authority, carried.mailbox, carried.sent_at, now)


def find_carried(core: Core, *, message_id: str) -> Carried | None:
    """Return our message of that id, or None when we sent none."""
    with reading(core.engine).begin() as connection:
        return mesh.by_message_id(connection, message_id)


def confirm(core: Core, *, delivery_id: UUID, sender: str, workflow: str, digest: bytes) -> Receipt:
    """Record that the mailbox ``sender`` holds the delivery whose document has the digest, if it went there under that workflow.

    A digest of something else means that the authority does not have what was sent: it is sent again.
    """
    with reading(core.engine).begin() as connection:
        carried = mesh.latest(connection, delivery_id, mailbox=sender)
        if carried is None:
            return Receipt.EARLY if _is_on_its_way(connection, delivery_id) else Receipt.UNKNOWN
    if carried.workflow != workflow:
        return Receipt.UNKNOWN
    if carried.digest != digest:
        given_back(core, carried, code="digest-mismatch")
        return Receipt.DIFFERS
    if not _settle(core, carried, code="confirmed", outcome=AttemptOutcome.RECEIVED, digest=digest.hex()):
        # MESH gave it back, and yet the receiver has it: then it need not go out again.
        result = AttemptResult(delivery_id, carried.number, AttemptOutcome.RECEIVED, "confirmed", digest=digest.hex())
        finish_attempts(core, [result], owner="")
    return Receipt.HELD


def uncollected(core: Core, *, limit: int = 500) -> list[Uncollected]:
    """Return, for operators, what has lain in MESH for longer than it should, longest first."""
    with reading(core.engine).begin() as connection:
        return mesh.uncollected(connection, sent_before=core.clock.now() - core.settings.mesh_uncollected_after, limit=limit)


def _settle(core: Core, carried: Carried, *, code: str, outcome: AttemptOutcome, digest: str | None = None) -> bool:
    now: datetime = core.clock.now()
    with core.engine.begin() as connection:
        if not mesh.end(connection, carried, code=code, now=now):
            return False
        result = AttemptResult(carried.delivery_id, carried.number, outcome, code, digest=digest)
        return settle_offered(core, connection, result, now=now)


def _is_on_its_way(connection: Connection, delivery_id: UUID) -> bool:
    row = outbox.locked(connection, [delivery_id]).get(delivery_id)
    return row is not None and row.channel == ChannelName.MESH and row.state == "queued"
