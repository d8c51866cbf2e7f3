# SPDX-License-Identifier: MIT
"""How a message stands to what is held already: a duplicate, a conflict, or nothing against it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, or_, select, tuple_

from notify_gateway.store.acceptance import Acceptance, Outcome, Standing
from notify_gateway.store.tables import messages, notifications, tombstones

Key: TypeAlias = tuple[UUID, bytes]

_ANY_WITHDRAWN = select(tombstones.c.expires_at).limit(1)


def standing_of(connection: Connection, group: Sequence[Acceptance], *, hopeful: bool) -> dict[UUID, Outcome]:
    """Return, by message id, what stands against each of the group; nothing for those that may be kept.

    ``hopeful``: look only for what no unique key guards, and leave the rest to the insert.
    """
    withdrawn = _withdrawn(connection, group)
    # Business identifiers are looked up before messages: whoever is seen in the first look is then seen in the second one too, so that
    # the same message at two doors at once is a duplicate and never something else.
    known = {} if hopeful else _known(connection, group)
    by_message, by_request = ({}, {}) if hopeful else _messages(connection, group)
    found: dict[UUID, Outcome] = {}
    for a in group:
        notification_id = known.get((a.client_id, a.business_key))
        withdrawn_at = withdrawn.get((a.client_id, a.business_key))
        if (row := by_message.get((a.client_id, a.message_key))) is not None:
            same = row.body_digest == a.body_digest
            found[a.message_id] = Outcome(Standing.DUPLICATE if same else Standing.CONFLICT, row.notification_id)
        elif (row := by_request.get((a.client_id, a.request_id))) is not None:
            found[a.message_id] = Outcome(Standing.REQUEST_ID_USED, row.notification_id)
        elif a.amends is None and notification_id is not None:
            standing = Standing.USE_UPDATE if a.event == "new" else Standing.OVERTAKEN
            found[a.message_id] = Outcome(standing, notification_id)
        elif a.amends is None and withdrawn_at is not None and withdrawn_at > a.version_at:
            found[a.message_id] = Outcome(Standing.WITHDRAWN_BEFORE, a.notification_id)
    return found


def _withdrawn(connection: Connection, group: Sequence[Acceptance]) -> dict[Key, datetime]:
    t = tombstones.c
    # A withdrawal of what never came is rare: mostly there is none to look through.
    if connection.scalar(_ANY_WITHDRAWN) is None:
        return {}
    keys = [(a.client_id, a.business_key) for a in group]
    rows = connection.execute(select(t.client_id, t.business_key, t.version_at).where(tuple_(t.client_id, t.business_key).in_(keys)))
    return {(row.client_id, row.business_key): row.version_at for row in rows}


def _known(connection: Connection, group: Sequence[Acceptance]) -> dict[Key, UUID]:
    n = notifications.c
    keys = [(a.client_id, a.business_key) for a in group]
    rows = connection.execute(select(n.client_id, n.business_key, n.id).where(tuple_(n.client_id, n.business_key).in_(keys)))
    return {(row.client_id, row.business_key): row.id for row in rows}


def _messages(connection: Connection, group: Sequence[Acceptance]) -> tuple[dict[Key, Any], dict[tuple[UUID, UUID], Any]]:
    m = messages.c
    rows = connection.execute(
        select(m.client_id, m.message_key, m.request_id, m.body_digest, m.notification_id).where(
            or_(
                tuple_(m.client_id, m.message_key).in_([(a.client_id, a.message_key) for a in group]),
                tuple_(m.client_id, m.request_id).in_([(a.client_id, a.request_id) for a in group]),
            )
        )
    ).all()
    by_message: dict[Key, Any] = {(row.client_id, row.message_key): row for row in rows}
    return by_message, {(row.client_id, row.request_id): row for row in rows}
