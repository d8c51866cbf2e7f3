# SPDX-License-Identifier: MIT
"""A house whose authority works in the inbox, and the people who work there."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.events import Event
from audit.log import append
from notify_gateway.domain.staff import Person, Role
from notify_gateway.store.staff import Member, Members
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import deliver, onboard
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox import read
from notify_gateway.use_cases.inbox.read import Case
from tests.support.messages import Message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House
from workers.channels.signature import RequestSigner
from workers.run import WorkerValues, make_channels


def put_on(house: House, authority: str, channel: str = "inbox") -> None:
    """The authority is reached by the channel from now on."""
    onboard.register_authority(house.gateway, gss=authority, custody="authority-held", channel=channel, actor="test")


def carry(house: House, by: Gateway | None = None) -> list[UUID]:
    """Do what a worker does, with the channels that it has, and with the logins of ``by``."""
    core = by or house.gateway
    channels = make_channels(WorkerValues(broker_url="memory://", signer=RequestSigner("k", Ed25519PrivateKey.generate())))
    ids = [UUID(each) for hint in deliver.find_due(house.gateway) for each in hint.ids]
    outgoing = deliver.begin_attempts(core, ids, owner="one")
    results = [result for each in outgoing for result in asyncio.run(channels[each.channel].send([each]))]
    deliver.finish_attempts(core, results, owner="one")
    return [each.delivery_id for each in outgoing]


def somebody(house: House, name: str, *roles: Role, organisation: str = STOCKTON) -> Person:
    """Take a person into the organisation's team."""
    person = Person(uuid4(), organisation, frozenset(roles), name)
    member = Member(
        id=person.id,
        organisation=organisation,
        subject_hash=hashlib.sha256(person.id.bytes).digest(),
        provider="test",
        name=name,
        roles=person.roles,
        roles_from="register",
        added_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    with house.gateway.engine.begin() as connection:
        Members(connection, organisation).add(member)
        fields = {"organisation": organisation, "provider": "test", "roles": ",".join(sorted(roles))}
        append(connection, audit_tables, [Event("staff:added", at=house.clock.now(), actor="test", subject=person.actor, fields=fields)])
    return person


@dataclass
class Office:
    """An authority at work: two officers and a manager, and a manager of another authority."""

    house: House
    ann: Person
    bob: Person
    manager: Person
    stranger: Person
    by_role: dict[str, Gateway] = field(default_factory=dict)

    def arrives(self, message: Message, by: Gateway | None = None) -> str:
        """Send the message and carry it; return the reference."""
        accepted = self.house.accept(message)
        carry(self.house, by)
        return accepted.reference

    def case(self, reference: str, by: Person | None = None) -> Case:
        """Return the case as its page shows it."""
        return read.show_case(self.house.gateway, by or self.ann, reference)

    def version(self, reference: str) -> int:
        """Return the version of the case."""
        return self.case(reference).row.version


def an_office(house: House) -> Office:
    """Return the house's first authority at work in its inbox; the second one has its inbox too. No two things happen at one instant."""
    standing = house.clock.now
    ticks = itertools.count(1)
    house.clock.now = lambda: standing() + timedelta(microseconds=next(ticks))  # type: ignore[method-assign]
    put_on(house, STOCKTON)
    put_on(house, MIDDLESBROUGH)
    house.gateway.receivers.forget()
    return Office(
        house,
        somebody(house, "Ann Archer", Role.OFFICER),
        somebody(house, "Bob Baker", Role.OFFICER),
        somebody(house, "May Moss", Role.MANAGER),
        somebody(house, "Sam Stone", Role.MANAGER, Role.OFFICER, organisation=MIDDLESBROUGH),
    )
