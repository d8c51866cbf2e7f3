# SPDX-License-Identifier: MIT
"""A device of an authority gets a working key: its browser makes it, a manager proposes the public half, a second person compares.

From the approval on everything that comes for the authority is sealed to this key as well. What was sealed before is not.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.privacy.encoding import from_base64
from notify_gateway.privacy.key_fields import derived_kid
from notify_gateway.privacy.keys import RecipientPublicKey, RecipientPurpose, Suite, fingerprint
from notify_gateway.store.devices import AuthorityDevices, Device, HeldKey
from notify_gateway.store.parties import Receiver
from notify_gateway.store.row_level import scoped
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import authority_changes as changes
from notify_gateway.use_cases import two_people
from notify_gateway.use_cases.gateway import Gateway

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 .,'()/_-]{0,58}[A-Za-z0-9.)])?")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device that was put on the list. ``live``: its key was let in before, made by the command; else a second person is needed."""

    device: Device
    live: bool


def enrol(gateway: Gateway, *, by: Person, label: str, public: str) -> Enrolled:
    """The device is on the list, and its key, base64 of 32 bytes, is proposed, unless two people have let it in before. For managers.

    Raises ``NotAllowed``; ``Refused`` for a label or key that cannot be used; ``Conflict`` in managed custody, without a live recovery key,
    for a key that is or was registered for another device, and beyond the number of working keys that an authority may have.
    """
    require(by, Act.ENROL_DEVICE)
    receiver = receiver_of(gateway, by)
    key = _key(receiver.gss, label, public)
    now = gateway.clock.now()
    with gateway.engine.begin() as connection:
        own = AuthorityDevices(connection, receiver.gss)
        held = own.registered()
        if not any(_is_live(each, RecipientPurpose.RECOVERY) for each in held):
            raise Conflict(Issue(Code.RECOVERY_KEY_MISSING))
        known = own.of_key(key.kid)
        if known is not None:
            raise Conflict(Issue(Code.KEY_KNOWN))
        live = any(each.kid == key.kid and _is_live(each, RecipientPurpose.WORKING) for each in held)
        made = Device(uuid4(), receiver.gss, key.kid, label, fingerprint(key), by.actor, now)
        fields = {"authority": receiver.gss, "kid": key.kid}
        if not live:
            proposal = two_people.put_forward(connection, gateway, key=key, actor=by.actor)
            fields |= {"proposal": str(proposal.id)}
        own.add(made)
        _tell(connection, "device:enrolled", by, made, now, **fields)
    return Enrolled(made, live)


def approve(gateway: Gateway, *, by: Person, kid: str, typed: str) -> Device:
    """The device's key is let in; ``typed`` is the fingerprint that the device itself shows. For managers.

    Raises ``NotAllowed``, also for the one who proposed it; ``NotFound`` when nothing is proposed; ``Conflict`` for another fingerprint.
    """
    require(by, Act.ENROL_DEVICE)
    device = _device_of(gateway, by, kid)
    two_people.approve(gateway, directory=gateway.directory, subject=kid, fingerprint=typed, actor=by.actor)
    gateway.receivers.forget()
    return device


def end(gateway: Gateway, *, by: Person, device: str, reason: str) -> Enrolled:
    """Nothing more is sealed to the device's key and nothing more handed to it, from the commit on. For managers, one alone.

    A key that goes lets nobody read anything, and one that is lost must go at once: it takes one person where one that comes takes two.
    Raises ``NotAllowed``; ``NotFound`` for a device that is not there or was ended; ``Refused`` for another reason than lost or replaced.
    """
    require(by, Act.ENROL_DEVICE)
    if reason not in ("lost", "replaced"):
        raise Refused(Issue(Code.PARAMETER_INVALID))
    now = gateway.clock.now()
    with gateway.engine.begin() as connection:
        own = AuthorityDevices(connection, by.organisation)
        found = own.of_key(device)
        if found is None or found.ended_at is not None:
            raise NotFound(Issue(Code.DEVICE_UNKNOWN))
        live = any(key.kid == found.kid and key.retired_at is None for key in own.registered())
        if live:
            changes.end_key(connection, found.kid, actor=by.actor, now=now)
        else:
            with suppress(NotFound):  # it has lapsed, or was refused
                two_people.drop(connection, gateway, subject=found.kid, actor=by.actor)
        because = reason if live else "never-approved"
        if not own.end(found.id, by=by.actor, at=now, because=because):
            raise NotFound(Issue(Code.DEVICE_UNKNOWN))
        _tell(connection, "device:ended", by, found, now, authority=found.authority, kid=found.kid, reason=because)
    gateway.receivers.forget()
    return Enrolled(found, live)


def receiver_of(gateway: Gateway, by: Person) -> Receiver:
    """Return the person's authority; raises ``NotFound`` when it is not on the service, ``Conflict`` when the service keeps its key."""
    receiver = gateway.receivers.get().get(by.organisation)
    if receiver is None:
        raise NotFound(Issue(Code.AUTHORITY_NOT_SERVED))
    if receiver.custody != "authority-held":
        raise Conflict(Issue(Code.CUSTODY_MANAGED))
    return receiver


def _device_of(gateway: Gateway, by: Person, kid: str) -> Device:
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        found = AuthorityDevices(connection, by.organisation).of_key(kid)
    if found is None:
        raise NotFound(Issue(Code.DEVICE_UNKNOWN))
    return found


def _key(gss: str, label: str, public: str) -> RecipientPublicKey:
    try:
        raw = from_base64(public)
        key = RecipientPublicKey(derived_kid(RecipientPurpose.WORKING, raw), gss, Suite.X25519, raw, RecipientPurpose.WORKING)
        key.handle()
    except ValueError:
        raise Refused(Issue(Code.DEVICE_DETAILS)) from None
    if _LABEL.fullmatch(label) is None:
        raise Refused(Issue(Code.DEVICE_DETAILS))
    return key


def _is_live(key: HeldKey, purpose: RecipientPurpose) -> bool:
    return key.retired_at is None and key.purpose == purpose


def _tell(connection: Connection, tag: str, by: Person, device: Device, now: datetime, **fields: str) -> None:
    append(connection, audit_tables, [Event(tag, at=now, actor=by.actor, subject=str(device.id), fields=fields)])
