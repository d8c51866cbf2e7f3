# SPDX-License-Identifier: MIT
"""Letting a trust's keys in: one person proposes them, a second one compares the fingerprint outside the service and approves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine

from audit.events import Event
from audit.log import append
from notify_gateway.credentials.keys import MOST_BYTES, PublicKey, is_fingerprint_of, read_key_set, usable_keys, write_key_set
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import Clock
from notify_gateway.domain.errors import Conflict, Issue, NotAllowed, NotFound, NotifyError, Refused
from notify_gateway.domain.model import OrganisationType
from notify_gateway.egress.fetch import Fetcher, FetchFailed
from notify_gateway.egress.guard import Egress, EgressRefused
from notify_gateway.settings import Settings
from notify_gateway.store import parties, sign_in
from notify_gateway.store.tables import audit_tables

PROPOSAL_LASTS = timedelta(days=14)
MOST_LIVE_KEYS = 2
"""Keys by file of one client that are live at once: one, and the one that takes over."""
PUBLISHED = "published-keys"
"""Who registered a key that was found at the client's own address."""
FETCH_WITHIN = timedelta(seconds=5)


class Books(Protocol):
    """What these acts need: the database and the clock, and no key of the service, so that each operator can act from an own account."""

    @property
    def settings(self) -> Settings:
        """Return the settings."""

    @property
    def clock(self) -> Clock:
        """Return the clock."""

    @property
    def engine(self) -> Engine:
        """Return the main database."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Where proposed keys come from: a JWK Set that was handed over, or the address where the trust publishes one."""

    jwks: bytes | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        if (self.jwks is None) == (self.url is None):
            raise ValueError("keys come by file or from an address")


def fetcher(settings: Settings) -> Fetcher:
    """Return how published keys are fetched by this deployment."""
    return Fetcher(Egress(allow_private=settings.webhook_allow_private), MOST_BYTES, FETCH_WITHIN)


def invite(books: Books, *, ods: str, name: str, organisation_type: OrganisationType, offer: Offer, actor: str) -> sign_in.Proposal:
    """Propose a trust with its first keys; nothing is open to it until a second person approves. Replaces an earlier open proposal.

    Raises ``Refused`` for keys that cannot be let in, ``Conflict`` when the trust has live keys or a key is another client's.
    """
    keys = _offered(books, offer)
    now = books.clock.now()
    with books.engine.begin() as connection:
        client = parties.find_client(connection, kind="trust", code=ods)
        if client is not None and any(key.revoked_at is None for key in sign_in.keys_of(connection, client.id)):
            raise Conflict(Issue(Code.CLIENT_HAS_KEYS))
        earlier = sign_in.open_proposal(connection, now=now, ods=ods)
        known = client or earlier
        client_id = uuid4() if known is None else known.id if isinstance(known, parties.Client) else known.client_id
        named = (client.name, client.organisation_type) if client else (name, organisation_type.value)
        return _propose(connection, ods, named, client_id, keys, offer, now, actor)


def propose_keys(books: Books, *, ods: str, offer: Offer, actor: str) -> sign_in.Proposal:
    """Propose further keys, or another address of keys, for a trust that is on the service; raises as ``invite`` does, or ``NotFound``."""
    keys = _offered(books, offer)
    now = books.clock.now()
    with books.engine.begin() as connection:
        client = parties.find_client(connection, kind="trust", code=ods)
        if client is None:
            raise NotFound(Issue(Code.CLIENT_UNKNOWN))
        return _propose(connection, ods, (client.name, client.organisation_type), client.id, keys, offer, now, actor)


def approve(books: Books, *, ods: str, fingerprints: Sequence[str], actor: str) -> sign_in.Proposal:
    """Let the proposed keys in: from now on the trust can sign in with them. ``fingerprints`` are what the trust read out, one per key.

    Raises ``NotFound`` when nothing is proposed, ``NotAllowed`` for the one who proposed it, ``Conflict`` when a fingerprint differs.
    """
    try:
        return _approve(books, ods, fingerprints, actor)
    except (NotAllowed, Conflict) as error:
        _record_denial(books, ods, error, actor)
        raise


def revoke_key(books: Books, *, ods: str, kid: str, actor: str) -> None:
    """Revoke a key, and with it every token that was issued under it; raises ``NotFound`` when the trust has no such live key."""
    now = books.clock.now()
    with books.engine.begin() as connection:
        client = parties.find_client(connection, kind="trust", code=ods)
        if client is None:
            raise NotFound(Issue(Code.CLIENT_UNKNOWN))
        key = next((key for key in sign_in.keys_of(connection, client.id) if key.kid == kid and key.revoked_at is None), None)
        if key is None or not sign_in.revoke_key(connection, key.id, by=actor, at=now):
            raise NotFound(Issue(Code.CLIENT_KEY_UNKNOWN))
        record(connection, "client_key:revoked", actor, key.thumbprint, now, organisation=ods)


def forget_address(books: Books, *, ods: str, actor: str) -> None:
    """Fetch keys from the trust's address no longer, and revoke those found there; raises ``NotFound`` when it has no address."""
    now = books.clock.now()
    with books.engine.begin() as connection:
        client = parties.find_client(connection, kind="trust", code=ods)
        if client is None or not sign_in.drop_source(connection, client.id):
            raise NotFound(Issue(Code.CLIENT_KEY_UNKNOWN))
        for key in sign_in.keys_of(connection, client.id):
            if key.registered_by == PUBLISHED and sign_in.revoke_key(connection, key.id, by=actor, at=now):
                record(connection, "client_key:revoked", actor, key.thumbprint, now, organisation=ods)
        record(connection, "config:changed", actor, f"key-address/{ods}", now, after="none")


def look_again(books: Books, fetch: Fetcher, *, client: parties.Client, source: sign_in.KeySource) -> bool:
    """Read the published keys anew: new ones are let in, vanished ones are revoked. Tell whether the address answered with a key set.

    Whoever approved the address has approved what is published there.
    """
    try:
        keys = usable_keys(fetch.fetch(source.url))
    except (EgressRefused, FetchFailed, Refused):
        return False
    now = books.clock.now()
    with books.engine.begin() as connection:
        # The row is locked by this, so that two processes do not let the same key in twice.
        if not sign_in.note_answer(connection, client.id, url=source.url, at=now):
            return False
        _take_over(connection, client, source.approved_by, keys, now)
    return True


def record(connection: Connection, tag: str, actor: str, subject: str, now: datetime, **fields: str | int) -> None:
    """Append an event about a client; a key goes by ``jkt:`` and its thumbprint, for a kid is the client's own word."""
    named = f"jkt:{subject}" if tag.startswith("client_key:") else subject
    append(connection, audit_tables, [Event(tag, at=now, actor=actor, subject=named, fields=fields)])


def _offered(books: Books, offer: Offer) -> tuple[PublicKey, ...]:
    if offer.jwks is not None:
        return read_key_set(offer.jwks)
    assert offer.url is not None
    try:
        document = fetcher(books.settings).fetch(offer.url)
    except EgressRefused:
        raise Refused(Issue(Code.KEYS_ADDRESS_REFUSED)) from None
    except FetchFailed:
        raise Refused(Issue(Code.KEYS_ADDRESS_FAILED)) from None
    # Where none is usable, the strict reading says why.
    return usable_keys(document) or read_key_set(document)


def _propose(
    connection: Connection,
    ods: str,
    named: tuple[str, str],
    client_id: UUID,
    keys: tuple[PublicKey, ...],
    offer: Offer,
    now: datetime,
    actor: str,
) -> sign_in.Proposal:
    _require_admissible(connection, client_id, keys, by_file=offer.url is None)
    sign_in.decide(connection, ods=ods, decision="superseded", by=actor, at=now)
    made = sign_in.Proposal(uuid4(), client_id, ods, *named, write_key_set(keys), offer.url, actor, now, now + PROPOSAL_LASTS)
    sign_in.add_proposal(connection, made)
    record(connection, "client:invited", actor, str(client_id), now, organisation=ods, keys=_thumbprints(keys))
    return made


def _approve(books: Books, ods: str, fingerprints: Sequence[str], actor: str) -> sign_in.Proposal:
    now = books.clock.now()
    with books.engine.begin() as connection:
        proposal = sign_in.open_proposal(connection, now=now, ods=ods)
        if proposal is None:
            raise NotFound(Issue(Code.PROPOSAL_UNKNOWN))
        if proposal.proposed_by == actor:
            raise NotAllowed(Issue(Code.SECOND_PERSON_NEEDED))
        keys = proposed_keys(proposal)
        if len(fingerprints) != len(keys) or not all(
            any(is_fingerprint_of(typed, key.thumbprint) for typed in fingerprints) for key in keys
        ):
            raise Conflict(Issue(Code.FINGERPRINT_DIFFERS))
        # The one who marks it as approved is the one who goes on; a second approval at the same time finds nothing open.
        if not sign_in.decide(connection, ods=ods, decision="approved", by=actor, at=now, proposal=proposal.id):
            raise NotFound(Issue(Code.PROPOSAL_UNKNOWN))
        client = parties.find_client(connection, kind="trust", code=ods)
        if client is None:
            client = parties.Client(proposal.client_id, "trust", ods, proposal.name, proposal.organisation_type, now, None)
            parties.add_client(connection, client)
            record(connection, "client:registered", actor, ods, now, organisation=ods, confirmed_by=proposal.proposed_by)
        elif client.id != proposal.client_id:
            raise NotFound(Issue(Code.PROPOSAL_UNKNOWN))
        _require_admissible(connection, client.id, keys, by_file=proposal.url is None)
        if proposal.url is not None:
            source = sign_in.KeySource(client.id, proposal.url, actor, now, proposal.proposed_at, proposal.proposed_at)
            sign_in.save_source(connection, source)
        _let_in(connection, client.id, keys, PUBLISHED if proposal.url else proposal.proposed_by, actor, now)
        fields = {"organisation": ods, "proposed_by": proposal.proposed_by, "keys": _thumbprints(keys)}
        record(connection, "client:approved", actor, str(client.id), now, **fields)
    return proposal


def proposed_keys(proposal: sign_in.Proposal) -> tuple[PublicKey, ...]:
    """Return the keys of a proposal."""
    return read_key_set(proposal.jwks.encode())


def _require_admissible(connection: Connection, client_id: UUID, keys: tuple[PublicKey, ...], *, by_file: bool) -> None:
    held = sign_in.keys_of(connection, client_id)
    own = {key.thumbprint: key for key in held}
    owners = sign_in.owners_of(connection, [key.thumbprint for key in keys])
    for key in keys:
        known = own.get(key.thumbprint)
        # The same live key under the same kid may come again from an address: that is how a client changes from file to address.
        again = known is not None and not by_file and known.kid == key.kid and known.revoked_at is None
        if not again and (key.thumbprint in owners or any(other.kid == key.kid for other in held)):
            raise Conflict(Issue(Code.CLIENT_KEY_TAKEN))
    live = sum(key.revoked_at is None and key.registered_by != PUBLISHED for key in held)
    if by_file and live + len(keys) > MOST_LIVE_KEYS:
        raise Refused(Issue(Code.CLIENT_KEYS_TOO_MANY))


def _let_in(
    connection: Connection, client_id: UUID, keys: Sequence[PublicKey], registered_by: str, approved_by: str, now: datetime
) -> None:
    held = {key.thumbprint for key in sign_in.keys_of(connection, client_id)}
    for key in keys:
        if key.thumbprint not in held:
            jwk = json.dumps(key.jwk(), sort_keys=True)
            sign_in.add_key(
                connection, sign_in.ClientKey(uuid4(), client_id, key.kid, key.thumbprint, jwk, registered_by, approved_by, now)
            )


def _take_over(connection: Connection, client: parties.Client, approved_by: str, keys: tuple[PublicKey, ...], now: datetime) -> None:
    held = sign_in.keys_of(connection, client.id)
    own, kids = {key.thumbprint: key for key in held}, {key.kid for key in held}
    owners = sign_in.owners_of(connection, [key.thumbprint for key in keys])
    for key in keys:
        known = own.get(key.thumbprint)
        if known is not None and known.kid == key.kid and known.revoked_by == PUBLISHED:
            sign_in.revive_key(connection, known.id)
            record(connection, "client_key:found", PUBLISHED, key.thumbprint, now, organisation=client.code)
        elif key.thumbprint not in owners and key.kid not in kids:
            _let_in(connection, client.id, [key], PUBLISHED, approved_by, now)
            record(connection, "client_key:found", PUBLISHED, key.thumbprint, now, organisation=client.code)
    published = {key.thumbprint for key in keys}
    for gone in held:
        if gone.registered_by == PUBLISHED and gone.revoked_at is None and gone.thumbprint not in published:
            sign_in.revoke_key(connection, gone.id, by=PUBLISHED, at=now)
            record(connection, "client_key:revoked", PUBLISHED, gone.thumbprint, now, organisation=client.code)


def _record_denial(books: Books, ods: str, error: NotifyError, actor: str) -> None:
    with books.engine.begin() as connection:
        record(connection, "access:denied", actor, f"approval/{ods}", books.clock.now(), code=error.issues[0].code, organisation=ods)


def _thumbprints(keys: Sequence[PublicKey]) -> str:
    return ",".join(f"jkt:{key.thumbprint}" for key in keys)
