# SPDX-License-Identifier: MIT
"""An authority with an inbox and keys of its own: its people, its devices, and what they ask of the service."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from audit.events import Event, read_leaf
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import NotifyError
from notify_gateway.domain.staff import Person, Role
from notify_gateway.privacy.encoding import from_base64, to_base64
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, fingerprint
from notify_gateway.privacy.sealing import open_envelope
from notify_gateway.store.tables import audit_tables, deliveries
from notify_gateway.use_cases import deliver, onboard
from notify_gateway.use_cases.devices import enrol
from notify_gateway.use_cases.devices.hand_over import Asked, hand_over
from notify_gateway.use_cases.gateway import Gateway
from tests.support.messages import a_message
from tests.use_cases.conftest import STOCKTON, House


def somebody(*roles: Role, authority: str = STOCKTON) -> Person:
    return Person(uuid4(), authority, frozenset(roles), "Somebody")


def code_of(act: Callable[[], object], kind: type[NotifyError]) -> str:
    with pytest.raises(kind) as caught:
        act()
    return caught.value.issues[0].code


@dataclass
class Council:
    """An authority with an inbox and keys of its own, its people, and its devices' private keys, which nobody else has."""

    house: House
    manager: Person = field(default_factory=lambda: somebody(Role.MANAGER))
    other: Person = field(default_factory=lambda: somebody(Role.MANAGER, Role.OFFICER))
    officer: Person = field(default_factory=lambda: somebody(Role.OFFICER))

    def __post_init__(self) -> None:
        onboard.register_authority(self.gateway, gss=STOCKTON, custody="authority-held", channel="inbox", actor="test")

    @property
    def gateway(self) -> Gateway:
        return self.house.gateway

    @property
    def recovery(self) -> RecipientPrivateKey:
        return next(key for key in self.house.keys[STOCKTON] if key.purpose is RecipientPurpose.RECOVERY)

    def proposed(self, label: str = "Office laptop 3") -> RecipientPrivateKey:
        key = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING)
        made = enrol.enrol(self.gateway, by=self.manager, label=label, public=to_base64(key.public().raw))
        assert (made.live, made.device.kid, made.device.fingerprint) == (False, key.kid, fingerprint(key.public()))
        return key

    def device(self, label: str = "Office laptop 3") -> RecipientPrivateKey:
        key = self.proposed(label)
        enrol.approve(self.gateway, by=self.other, kid=key.kid, typed=fingerprint(key.public()).lower())
        return key

    def offered(self) -> str:
        self.house.clock.move(timedelta(minutes=1))
        accepted = self.house.accept(a_message())
        self.house.clock.move(timedelta(minutes=1))
        with self.gateway.engine.begin() as connection:
            found = select(deliveries.c.id).where(deliveries.c.notification_id == accepted.notification_id)
            wanted = connection.scalars(found).one()
        (item,) = deliver.begin_attempts(self.gateway, [wanted], owner="worker")
        deliver.finish_attempts(self.gateway, [AttemptResult(wanted, item.attempt, AttemptOutcome.OFFERED, "ok")], owner="worker")
        return accepted.reference

    def asks(self, reference: str, key: RecipientPrivateKey, by: Person | None = None, **changes: Any) -> dict[str, Any]:
        asked = {"reason": "contact-family", "case_reference": "EY-2026-17", "kind": "card"} | changes
        given = hand_over(self.gateway, by=by or self.officer, asked=Asked(reference=reference, kid=key.kid, **asked))
        document: dict[str, Any] = json.loads(given)
        return document

    def opens(self, key: RecipientPrivateKey, envelope: dict[str, str]) -> bytes:
        header, signature, sealed = (from_base64(envelope[name]) for name in ("header", "signature", "sealed"))
        return open_envelope(header, signature, sealed, private_key=key, gateway_public=self.gateway.signing_key.public())

    def events(self, *tags: str) -> list[Event]:
        with self.gateway.engine.begin() as connection:
            leaves = connection.scalars(select(audit_tables.pending.c.leaf).order_by(audit_tables.pending.c.arrival)).all()
        return [event for event in map(read_leaf, leaves) if event.tag in tags]


def delivered(council: Council) -> dict[str, UUID]:
    """Return notification and message of the one delivery."""
    with council.gateway.engine.begin() as connection:
        row = connection.execute(select(deliveries.c.notification_id, deliveries.c.message_id)).one()
    return {"notification_id": row.notification_id, "message_id": row.message_id}
