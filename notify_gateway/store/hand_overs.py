# SPDX-License-Identifier: MIT
"""What one authority's people were handed, sealed, to open in their browsers, and the sealed notes they wrote. Scoped by construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update

from notify_gateway.domain.route import ChannelName
from notify_gateway.store.tables import deliveries, hand_overs, notifications, sealed_notes

MOST_NOTES = 100
"""Notes of one notification that are opened at once: the latest."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """That a person may have one kind of envelope of one notification for a while, why, for which key, and how often they took it."""

    id: UUID
    authority: str
    person_id: UUID
    notification_id: UUID
    kind: str
    reason: str
    kid: str
    granted_at: datetime
    expires_at: datetime
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A note under both layers."""

    id: UUID
    authority: str
    notification_id: UUID
    message_id: UUID
    header: bytes
    signature: bytes
    stored: bytes
    written_by: str
    written_at: datetime


class AuthorityHandOvers:
    """What of its notifications one authority's people may open, and have opened."""

    def __init__(self, connection: Connection, authority: str) -> None:
        self._connection = connection
        self._authority = authority

    def latest(self, reference: str) -> Row[Any] | None:
        """Return the newest delivery of the notification to the authority's inbox."""
        d, n = deliveries.c, notifications.c
        statement = (
            select(deliveries, n.reference)
            .join(notifications, n.id == d.notification_id)
            .where(n.reference == reference, d.authority == self._authority, d.channel == ChannelName.INBOX.value)
            .order_by(d.sequence.desc())
            .limit(1)
        )
        return self._connection.execute(statement).one_or_none()

    def running(self, person_id: UUID, notification_id: UUID, kind: str, *, now: datetime) -> HandOver | None:
        """Return the permission of the person that has not run out."""
        h = hand_overs.c
        which = (h.authority == self._authority, h.person_id == person_id, h.notification_id == notification_id, h.kind == kind)
        statement = select(hand_overs).where(*which, h.expires_at > now).order_by(h.expires_at.desc()).limit(1)
        row = self._connection.execute(statement).one_or_none()
        return HandOver(**row._mapping) if row else None

    def add(self, made: HandOver) -> None:
        """Insert a permission."""
        self._connection.execute(insert(hand_overs), [asdict(made)])

    def again(self, taken: HandOver, *, kid: str, at: datetime) -> HandOver:
        """The permission was used once more; return it as it now is."""
        h = hand_overs.c
        self._connection.execute(
            update(hand_overs).where(h.id == taken.id, h.authority == self._authority).values(times=h.times + 1, last_at=at, kid=kid)
        )
        return replace(taken, times=taken.times + 1, last_at=at, kid=kid)

    def end(self, held: HandOver, *, at: datetime) -> None:
        """The permission runs no longer."""
        h = hand_overs.c
        self._connection.execute(update(hand_overs).where(h.id == held.id, h.authority == self._authority).values(expires_at=at))

    def of_notification(self, notification_id: UUID) -> list[HandOver]:
        """Return who was handed what of the notification, oldest first."""
        h = hand_overs.c
        which = (h.authority == self._authority, h.notification_id == notification_id)
        rows = self._connection.execute(select(hand_overs).where(*which).order_by(h.granted_at, h.id))
        return [HandOver(**row._mapping) for row in rows]

    def add_note(self, note: Note) -> None:
        """Insert a sealed note."""
        self._connection.execute(insert(sealed_notes), [asdict(note)])

    def find_note(self, note_id: UUID) -> Note | None:
        """Return the note of this id."""
        s = sealed_notes.c
        row = self._connection.execute(select(sealed_notes).where(s.id == note_id, s.authority == self._authority)).one_or_none()
        return Note(**row._mapping) if row else None

    def notes(self, notification_id: UUID, *, limit: int) -> Sequence[Note]:
        """Return the latest notes about the notification, oldest first."""
        s = sealed_notes.c
        which = (s.authority == self._authority, s.notification_id == notification_id)
        rows = self._connection.execute(select(sealed_notes).where(*which).order_by(s.written_at.desc(), s.id).limit(limit)).all()
        return [Note(**row._mapping) for row in reversed(rows)]
