# SPDX-License-Identifier: MIT
"""What is written, and told to the log, when an authority or one of its keys comes, changes or goes; in the caller's transaction.

Who may do so, and whether it takes one person or two, is for those who call: ``onboard`` and ``two_people``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from audit.events import Event
from audit.log import append
from mappings.authorities import Directory
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotFound, Refused
from notify_gateway.domain.route import read_route
from notify_gateway.privacy.keys import RecipientPublicKey, RecipientPurpose, fingerprint
from notify_gateway.store import parties, rerouting
from notify_gateway.store.tables import audit_tables

MOST_WORKING_KEYS = 12
"""Working keys of one authority that are live at once: an acceptance wraps its content keys to each of them."""


def described(
    directory: Directory, *, gss: str, custody: str, channel: str, route: Mapping[str, str | None], now: datetime
) -> parties.Receiver:
    """Return the authority as it would be on the service.

    Raises ``Refused`` when the code is no responsible authority's today, or when the route is not what the channel needs.
    """
    known = directory.by_gss(gss, now.date())
    if known is None:
        raise Refused(Issue(Code.RECEIVER_UNKNOWN))
    return parties.Receiver(gss, known.name, custody, channel, now, None, read_route(channel, route), ())


def put_on(connection: Connection, receiver: parties.Receiver, *, actor: str, now: datetime, **known: str) -> None:
    """The authority is on the service as ``receiver`` says, and what waits for it goes by its channel. ``known``: of the event."""
    parties.save_authority(connection, receiver)
    gss = receiver.gss
    if parties.find_client(connection, kind="authority", code=gss) is None:
        client = parties.Client(uuid4(), "authority", gss, receiver.name, "local-authority", now, None)
        parties.add_client(connection, client)
        tell(connection, "client:registered", actor, gss, now, organisation=gss, **known)
    after = f"{receiver.custody}/{receiver.channel}"
    tell(connection, "config:changed", actor, f"authority/{gss}", now, authority=gss, after=after)
    for delivery, notification, before in rerouting.follow(connection, gss, channel=receiver.channel, now=now):
        moved = {"authority": gss, "notification": str(notification), "channel": receiver.channel, "before": before}
        tell(connection, "delivery:moved", actor, str(delivery), now, **moved)


def require_new_key(connection: Connection, key: RecipientPublicKey) -> None:
    """Raises ``NotFound`` for an authority not on the service, ``Conflict`` for a key that is or was registered, or one too many."""
    held = parties.receivers(connection)
    if key.authority not in held:
        raise NotFound(Issue(Code.AUTHORITY_NOT_SERVED))
    if any(key.kid == other.kid for receiver in held.values() for other in receiver.keys):
        raise Conflict(Issue(Code.KEY_KNOWN))
    working = sum(other.purpose == RecipientPurpose.WORKING for other in held[key.authority].live_keys)
    if key.purpose is RecipientPurpose.WORKING and working >= MOST_WORKING_KEYS:
        raise Conflict(Issue(Code.WORKING_KEYS_TOO_MANY))


def let_key_in(connection: Connection, key: RecipientPublicKey, *, actor: str, now: datetime, **known: str) -> parties.AuthorityKey:
    """From the commit on envelopes are sealed to this key too. Raises what ``require_new_key`` raises. ``known``: of the event."""
    require_new_key(connection, key)
    made = parties.AuthorityKey(key.kid, key.authority, key.suite, key.purpose, key.raw, fingerprint(key), now, None)
    parties.add_key(connection, made)
    about = {"authority": key.authority, "fingerprint": hyphened(made.fingerprint), "purpose": key.purpose}
    tell(connection, "key:registered", actor, key.kid, now, **about, **known)
    return made


def live_key(connection: Connection, kid: str) -> parties.AuthorityKey:
    """Return the live key of this id; raises ``NotFound`` when there is none."""
    for receiver in parties.receivers(connection).values():
        for key in receiver.live_keys:
            if key.kid == kid:
                return key
    raise NotFound(Issue(Code.KEY_UNKNOWN))


def end_key(connection: Connection, kid: str, *, actor: str, now: datetime) -> None:
    """From the commit on nothing is sealed to the key; raises ``NotFound`` when there is no such live key."""
    key = live_key(connection, kid)
    if not parties.retire_key(connection, kid, at=now):
        raise NotFound(Issue(Code.KEY_UNKNOWN))
    tell(connection, "key:retired", actor, kid, now, authority=key.authority, purpose=key.purpose)


def tell(connection: Connection, tag: str, actor: str, subject: str, now: datetime, **fields: str | int) -> None:
    """Append an event about an authority."""
    append(connection, audit_tables, [Event(tag, at=now, actor=actor, subject=subject, fields=fields)])


def hyphened(fingerprint: str) -> str:
    """Return a fingerprint as the log writes it."""
    return fingerprint.replace(" ", "-")
