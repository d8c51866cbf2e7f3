# SPDX-License-Identifier: MIT
"""What the pages of devices and opening show. None of it is about a child: what is opened never comes to the server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import orjson

from notify_gateway.privacy.encoding import to_base64
from notify_gateway.privacy.keys import fingerprint
from notify_gateway.use_cases.devices.show import Devices, Listed, Recovery, Standing
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.reveal import RevealReason
from notify_gateway.web.forms import Form, Option
from notify_gateway.web.wording import day, instant, plural

REASONS: Final = (
    Option(RevealReason.CONTACT_FAMILY, "To contact the family"),
    Option(RevealReason.ALREADY_KNOWN, "To check if we already know this child"),
    Option(RevealReason.RESPONSIBLE_AUTHORITY, "To check which council is responsible"),
    Option(RevealReason.ANSWER_PARENT, "To answer the parent"),
    Option(RevealReason.SAFEGUARDING, "Safeguarding"),
)
_STANDINGS: Final = {
    Standing.LIVE: ("In use", "green"),
    Standing.WAITING: ("Waits for a second person", "yellow"),
    Standing.LAPSED: ("Never approved", "grey"),
    Standing.ENDED: ("Ended", "grey"),
}
_ENDED: Final = {"lost": "lost", "replaced": "replaced", "never-approved": "removed before it was approved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayKey:
    """The service's public key, which each device remembers from its enrolment on."""

    kid: str
    public: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device in the list."""

    label: str
    kid: str
    standing: str
    colour: str
    told: str
    could_open: str
    may_end: bool
    may_approve: bool
    waits_for_other: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRow:
    """A recovery key, with the drill that is under way."""

    kid: str
    last: str
    due: bool
    drill: str
    """The id of the open drill, if there is one."""
    drill_until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesPage:
    """The page of devices; ``known`` is what the script needs to say how this browser's key stands."""

    authority: str
    gateway: GatewayKey
    form: Form
    done: str
    known: str
    rows: tuple[DeviceRow, ...]
    recovery: tuple[RecoveryRow, ...]
    warning: str
    live: str
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPage:
    """The page on which a card, or the original, is opened."""

    kind: str
    title: str
    reference: str
    back: str
    address: str
    authority: str
    notification: str
    gateway: GatewayKey
    running: str
    reasons: tuple[Option, ...]
    form: Form
    file: str = ""
    """Where the sealed card is saved for the command."""
    original: str = ""
    """Where a manager asks for the original."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSealing:
    """What a form needs whose note is sealed in the browser; ``keys`` is JSON of key ids and public keys."""

    authority: str
    notification: str
    keys: str = field(repr=False)


def gateway_key(gateway: Gateway) -> GatewayKey:
    """Return the service's public key."""
    public = gateway.signing_key.public()
    return GatewayKey(kid=public.kid, public=to_base64(public.raw), fingerprint=fingerprint(public))


def devices_page(gateway: Gateway, authority: str, found: Devices, form: Form, done: str) -> DevicesPage:
    """Return the page of devices."""
    known = {each.device.kid: each.standing.value for each in found.devices}
    return DevicesPage(
        authority=authority,
        gateway=gateway_key(gateway),
        form=form,
        done=done,
        known=orjson.dumps(known).decode(),
        rows=tuple(_device(each) for each in reversed(found.devices)),
        recovery=tuple(_recovery(each) for each in found.recovery),
        warning=_warning(found),
        live=f"{plural(found.live_keys, 'working key')} of at most {found.most_keys} in use.",
        full=found.live_keys >= found.most_keys,
    )


def sealing_of(gateway: Gateway, authority: str, notification_id: UUID) -> NoteSealing | None:
    """Return what a form needs to seal a note in the browser; None where the service seals it."""
    receiver = gateway.receivers.get().get(authority)
    if receiver is None or receiver.custody != "authority-held":
        return None
    # Browsers wrap by X25519 alone; of a hybrid key that is the last 32 bytes.
    keys = [{"kid": key.kid, "public": to_base64(key.public_key[-32:])} for key in receiver.live_keys]
    return NoteSealing(authority=authority, notification=str(notification_id), keys=orjson.dumps(keys).decode())


def _device(each: Listed) -> DeviceRow:
    standing, colour = _STANDINGS[each.standing]
    device = each.device
    told = [f"Enrolled {day(device.enrolled_at.date())}"]
    if device.ended_at is not None:
        told.append(f"{_ENDED[device.ended_because or 'replaced']} {day(device.ended_at.date())}")
    could = f"Holds the key to {plural(each.could_open, 'notification')}" if each.since else ""
    if each.since and each.standing is Standing.ENDED:
        could = f"Its key still fits {plural(each.could_open, 'notification')} that came while it was in use, and none that came later"
    return DeviceRow(
        label=device.label,
        kid=device.kid,
        standing=standing,
        colour=colour,
        told=", ".join(told),
        could_open=could,
        may_end=each.standing is not Standing.ENDED,
        may_approve=each.standing is Standing.WAITING and not each.mine,
        waits_for_other=each.standing is Standing.WAITING and each.mine,
    )


def _recovery(each: Recovery) -> RecoveryRow:
    return RecoveryRow(
        kid=each.key.kid,
        last=instant(each.last_passed_at) if each.last_passed_at else "never",
        due=each.due,
        drill=str(each.open_drill.id) if each.open_drill else "",
        drill_until=day(each.open_drill.expires_at.date()) if each.open_drill else "",
    )


def _warning(found: Devices) -> str:
    if not found.recovery:
        return "There is no recovery key. Until there is one, no device can be enrolled."
    if all(each.last_passed_at is None for each in found.recovery):
        return "Nobody has ever proved that the recovery key works. Drill it now."
    if all(each.due for each in found.recovery):
        return "The recovery key was last drilled over six months ago. Drill it now."
    return ""
