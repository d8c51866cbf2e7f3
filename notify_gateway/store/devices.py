# SPDX-License-Identifier: MIT
"""One authority's devices with the keys they hold, and the drills of its recovery keys. The scope stands in the constructor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from notify_gateway.store.tables import authority_keys, devices, envelopes, erased_messages, messages, recovery_drills


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that holds a working key; ``label`` is what its people call it."""

    id: UUID
    authority: str
    kid: str
    label: str
    fingerprint: str
    enrolled_by: str
    enrolled_at: datetime
    ended_by: str | None = None
    ended_at: datetime | None = None
    ended_because: str | None = None


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A public key of the authority, as the list of devices needs it."""

    kid: str
    suite: str
    purpose: str
    fingerprint: str
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Drill:
    """A trial whether a recovery key can still be used; ``document`` is sealed to it, ``answer_hash`` the SHA-256 of what is inside."""

    id: UUID
    authority: str
    kid: str
    document: bytes
    answer_hash: bytes
    begun_by: str
    begun_at: datetime
    expires_at: datetime
    failures: int = 0
    passed_by: str | None = None
    passed_at: datetime | None = None


class AuthorityDevices:
    """The devices, keys and drills of one authority."""

    def __init__(self, connection: Connection, authority: str) -> None:
        self._connection = connection
        self._authority = authority

    def registered(self) -> list[HeldKey]:
        """Return all keys that were ever let in, oldest first."""
        k = authority_keys.c
        columns = (k.kid, k.suite, k.purpose, k.fingerprint, k.created_at, k.retired_at)
        rows = self._connection.execute(select(*columns).where(k.authority == self._authority).order_by(k.created_at, k.kid))
        return [HeldKey(*row) for row in rows]

    def devices(self) -> list[Device]:
        """Return all devices that were ever enrolled, oldest first."""
        d = devices.c
        rows = self._connection.execute(select(devices).where(d.authority == self._authority).order_by(d.enrolled_at, d.id))
        return [Device(**row._mapping) for row in rows]

    def find(self, device_id: UUID, *, lock: bool = False) -> Device | None:
        """Return the device of this id."""
        return self._one(devices.c.id == device_id, lock=lock)

    def of_key(self, kid: str) -> Device | None:
        """Return the device that holds this key."""
        return self._one(devices.c.kid == kid)

    def _one(self, which: object, *, lock: bool = False) -> Device | None:
        statement = select(devices).where(devices.c.authority == self._authority, which)  # type: ignore[arg-type]
        row = self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        return Device(**row._mapping) if row else None

    def add(self, device: Device) -> None:
        """Insert a device; its key is no other's."""
        self._connection.execute(insert(devices), [asdict(device)])

    def end(self, device_id: UUID, *, by: str, at: datetime, because: str) -> bool:
        """Mark a device as ended; tell whether it was not until now."""
        d = devices.c
        changed = self._connection.execute(
            update(devices)
            .where(d.id == device_id, d.authority == self._authority, d.ended_at.is_(None))
            .values(ended_by=by, ended_at=at, ended_because=because)
        )
        return changed.rowcount == 1

    def sealed_between(self, since: datetime, until: datetime) -> int:
        """Return to how many messages, not erased since, a key that was live from ``since`` to ``until`` has a copy of the content key."""
        m = messages.c
        gone = select(erased_messages.c.message_id).where(erased_messages.c.message_id == m.id).exists()
        held = select(envelopes.c.message_id).where(envelopes.c.message_id == m.id, envelopes.c.kind == "card").exists()
        counted = select(func.count()).where(m.authority == self._authority, m.accepted_at >= since, m.accepted_at <= until, held, ~gone)
        number: int = self._connection.execute(counted).scalar_one()
        return number

    def add_drill(self, drill: Drill) -> None:
        """Insert a drill that was begun."""
        self._connection.execute(insert(recovery_drills), [asdict(drill)])

    def drills(self, kids: Sequence[str]) -> list[Drill]:
        """Return the drills of these keys, the latest first."""
        d = recovery_drills.c
        rows = self._connection.execute(
            select(recovery_drills).where(d.authority == self._authority, d.kid.in_(kids)).order_by(d.begun_at.desc(), d.id)
        )
        return [Drill(**row._mapping) for row in rows]

    def find_drill(self, drill_id: UUID, *, lock: bool = False) -> Drill | None:
        """Return the drill of this id."""
        d = recovery_drills.c
        statement = select(recovery_drills).where(d.id == drill_id, d.authority == self._authority)
        row = self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()
        return Drill(**row._mapping) if row else None

    def note_failure(self, drill_id: UUID) -> None:
        """Count a wrong answer."""
        d = recovery_drills.c
        which = (d.id == drill_id, d.authority == self._authority)
        self._connection.execute(update(recovery_drills).where(*which).values(failures=d.failures + 1))

    def pass_drill(self, drill_id: UUID, *, by: str, at: datetime) -> None:
        """The drill is passed."""
        d = recovery_drills.c
        which = (d.id == drill_id, d.authority == self._authority)
        self._connection.execute(update(recovery_drills).where(*which).values(passed_by=by, passed_at=at))
