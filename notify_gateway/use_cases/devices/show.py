# SPDX-License-Identifier: MIT
"""An authority's devices and recovery keys as its managers see them: live, waiting, ended, and what each could open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.privacy.keys import RecipientPurpose
from notify_gateway.store import proposals
from notify_gateway.store.devices import AuthorityDevices, Device, Drill, HeldKey
from notify_gateway.store.row_level import scoped
from notify_gateway.use_cases.authority_changes import MOST_WORKING_KEYS
from notify_gateway.use_cases.devices.drill import DRILL_EVERY, MOST_FAILURES
from notify_gateway.use_cases.devices.enrol import receiver_of
from notify_gateway.use_cases.gateway import Gateway


class Standing(StrEnum):
    """How a device stands."""

    LIVE = "live"
    WAITING = "waiting"
    LAPSED = "lapsed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A device in the list. ``mine``: the one who looks has enrolled it, and so cannot approve it."""

    device: Device
    standing: Standing
    mine: bool
    since: datetime | None
    """Since when everything is sealed to its key; None where that never began."""
    could_open: int
    """How many messages it holds a key to: what somebody could still open who has the device and gets at what the service keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """A live recovery key, when it was last proved to work, and the drill that is under way."""

    key: HeldKey
    last_passed_at: datetime | None
    due: bool
    """It was never drilled, or not for half a year."""
    open_drill: Drill | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """All of it."""

    devices: tuple[Listed, ...]
    recovery: tuple[Recovery, ...]
    live_keys: int
    """Working keys that are live, those of no device among them."""
    most_keys: int = MOST_WORKING_KEYS


def show_devices(gateway: Gateway, *, by: Person) -> Devices:
    """Return the devices and recovery keys of the person's authority; for managers. Raises ``NotAllowed``, ``Conflict``."""
    require(by, Act.ENROL_DEVICE)
    receiver = receiver_of(gateway, by)
    now = gateway.clock.now()
    with gateway.engine.begin() as connection:
        waiting = {each.subject for each in proposals.waiting(connection, now=now) if each.authority == receiver.gss}
    with scoped(gateway.engine, receiver.gss, reading=True) as connection:
        own = AuthorityDevices(connection, receiver.gss)
        keys = {key.kid: key for key in own.registered()}
        listed = tuple(_listed(own, device, keys.get(device.kid), waiting, by, now) for device in own.devices())
        live = [key for key in keys.values() if key.retired_at is None]
        kept = [key for key in live if key.purpose == RecipientPurpose.RECOVERY]
        drills = own.drills([key.kid for key in kept])
    return Devices(
        devices=listed,
        recovery=tuple(_recovery(key, [drill for drill in drills if drill.kid == key.kid], now) for key in kept),
        live_keys=sum(key.purpose == RecipientPurpose.WORKING for key in live),
    )


def _listed(own: AuthorityDevices, device: Device, key: HeldKey | None, waiting: set[str], by: Person, now: datetime) -> Listed:
    if device.ended_at is not None:
        standing = Standing.ENDED
    elif key is not None and key.retired_at is None:
        standing = Standing.LIVE
    elif key is not None:
        standing = Standing.ENDED
    else:
        standing = Standing.WAITING if device.kid in waiting else Standing.LAPSED
    since = key.created_at if key else None
    could_open = own.sealed_between(key.created_at, key.retired_at or now) if key else 0
    return Listed(device=device, standing=standing, mine=device.enrolled_by == by.actor, since=since, could_open=could_open)


def _recovery(key: HeldKey, drills: list[Drill], now: datetime) -> Recovery:
    passed = [drill.passed_at for drill in drills if drill.passed_at is not None]
    under_way = [each for each in drills if each.passed_at is None and each.expires_at > now and each.failures < MOST_FAILURES]
    last = max(passed, default=None)
    due = last is None or last + DRILL_EVERY <= now
    return Recovery(key=key, last_passed_at=last, due=due, open_drill=under_way[0] if under_way else None)
