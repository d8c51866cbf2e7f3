# SPDX-License-Identifier: MIT
"""An authority, its channel and its keys: one person proposes, a second one compares outside the service and approves, or refuses.

Whoever changes a key or a route decides who can read what is sent, so no single account can. A proposal lapses after 14 days, and a
later one about the same authority or key takes its place. Each step is an event that names the authority, who finds it in its export.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from uuid import uuid4

from sqlalchemy import Connection

from mappings.authorities import Directory
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue, NotAllowed, NotFound, NotifyError
from notify_gateway.privacy.encoding import Json, canonical_json, to_crockford
from notify_gateway.privacy.keys import RecipientPublicKey, fingerprint, spoken
from notify_gateway.store import proposals
from notify_gateway.store.proposals import Proposal
from notify_gateway.use_cases import authority_changes as changes
from notify_gateway.use_cases.client_keys import PROPOSAL_LASTS, Books

SETTINGS, REGISTRATION, RETIREMENT = "settings", "registration", "retirement"


def about_authority(gss: str) -> str:
    """Return the subject of proposals about an authority's settings; one about a key has the key's id, which never looks like this."""
    return f"authority/{gss}"


def propose_settings(
    books: Books, *, directory: Directory, gss: str, custody: str, channel: str, route: Mapping[str, str | None], actor: str
) -> Proposal:
    """Propose to put an authority on the service, or to change its custody, channel or route. Nothing changes until it is approved.

    Raises ``Refused`` when the code is no responsible authority's today, or when the route is not what the channel needs.
    """
    wanted = changes.described(directory, gss=gss, custody=custody, channel=channel, route=route, now=books.clock.now())
    content: dict[str, Json] = {"gss": gss, "name": wanted.name, "custody": custody, "channel": channel, "route": dict(wanted.route)}
    with books.engine.begin() as connection:
        made = _made(books, gss, SETTINGS, about_authority(gss), content, _digest(content), actor)
        _replace(connection, made)
        changes.tell(connection, "authority:proposed", actor, made.subject, made.proposed_at, **_about(made), after=f"{custody}/{channel}")
    return made


def propose_key(books: Books, *, key: RecipientPublicKey, actor: str) -> Proposal:
    """Propose a further public key of an authority. Nothing is sealed to it until a second person has compared its fingerprint.

    Raises ``NotFound`` for an authority that is not on the service, ``Conflict`` for a key that is or was registered.
    """
    with books.engine.begin() as connection:
        return put_forward(connection, books, key=key, actor=actor)


def put_forward(connection: Connection, books: Books, *, key: RecipientPublicKey, actor: str) -> Proposal:
    """Propose a key as ``propose_key`` does, in the caller's transaction."""
    changes.require_new_key(connection, key)
    made = _made(books, key.authority, REGISTRATION, key.kid, key.document(), fingerprint(key), actor)
    _replace(connection, made)
    changes.tell(connection, "key:proposed", actor, key.kid, made.proposed_at, **_about(made), act=REGISTRATION)
    return made


def propose_retirement(books: Books, *, kid: str, actor: str) -> Proposal:
    """Propose to seal nothing more to a key; it goes on until a second person approves. Raises ``NotFound`` for no live key."""
    with books.engine.begin() as connection:
        key = changes.live_key(connection, kid)
        content: dict[str, Json] = {"kid": kid, "authority": key.authority, "purpose": key.purpose}
        made = _made(books, key.authority, RETIREMENT, kid, content, key.fingerprint, actor)
        _replace(connection, made)
        changes.tell(connection, "key:proposed", actor, kid, made.proposed_at, **_about(made), act=RETIREMENT)
    return made


def approve(books: Books, *, directory: Directory, subject: str, fingerprint: str, actor: str) -> Proposal:
    """Do what was proposed about this authority or key; for a key ``fingerprint`` is what the authority read out.

    Raises ``NotFound`` when nothing is proposed, ``NotAllowed`` for the one who proposed it, ``Conflict`` when the fingerprint differs,
    and what the proposal raised where things have changed since.
    """
    try:
        return _approve(books, directory, subject, fingerprint, actor)
    except (NotAllowed, Conflict) as error:
        _record_denial(books, subject, error, actor)
        raise


def refuse(books: Books, *, subject: str, actor: str) -> Proposal:
    """Have what was proposed about this authority or key never happen; the proposer may withdraw it so. Raises ``NotFound``."""
    with books.engine.begin() as connection:
        return drop(connection, books, subject=subject, actor=actor)


def drop(connection: Connection, books: Books, *, subject: str, actor: str) -> Proposal:
    """Refuse what was proposed as ``refuse`` does, in the caller's transaction."""
    now = books.clock.now()
    found = _open(connection, books, subject)
    if not proposals.decide(connection, subject=subject, decision="refused", by=actor, at=now, proposal=found.id):
        raise NotFound(Issue(Code.PROPOSAL_UNKNOWN))
    changes.tell(connection, "proposal:refused", actor, subject, now, **_decided(found), act=found.act)
    return found


def content_of(proposal: Proposal) -> dict[str, Json]:
    """Return what was proposed, by the names of its parts."""
    found: dict[str, Json] = json.loads(proposal.content)
    return found


def _approve(books: Books, directory: Directory, subject: str, typed: str, actor: str) -> Proposal:
    now = books.clock.now()
    with books.engine.begin() as connection:
        found = _open(connection, books, subject)
        if found.proposed_by == actor:
            raise NotAllowed(Issue(Code.SECOND_PERSON_NEEDED))
        if not hmac.compare_digest(spoken(typed).encode(), spoken(found.fingerprint).encode()):
            raise Conflict(Issue(Code.FINGERPRINT_DIFFERS))
        # The one who marks it as approved is the one who goes on; a second approval at the same time finds nothing open.
        if not proposals.decide(connection, subject=subject, decision="approved", by=actor, at=now, proposal=found.id):
            raise NotFound(Issue(Code.PROPOSAL_UNKNOWN))
        content = json.loads(found.content)
        if found.act == SETTINGS:
            wanted = {name: content[name] for name in ("gss", "custody", "channel", "route")}
            receiver = changes.described(directory, **wanted, now=now)
            changes.put_on(connection, receiver, actor=actor, now=now, confirmed_by=found.proposed_by)
            after = f"{receiver.custody}/{receiver.channel}"
            changes.tell(connection, "authority:approved", actor, subject, now, **_decided(found), after=after)
            return found
        if found.act == REGISTRATION:
            changes.let_key_in(connection, RecipientPublicKey.from_document(content), actor=actor, now=now, confirmed_by=found.proposed_by)
        else:
            changes.end_key(connection, subject, actor=actor, now=now)
        changes.tell(connection, "key:approved", actor, subject, now, **_decided(found), act=found.act)
    return found


def _made(books: Books, gss: str, act: str, subject: str, content: Mapping[str, Json], bound_by: str, actor: str) -> Proposal:
    now = books.clock.now()
    return Proposal(uuid4(), gss, act, subject, canonical_json(dict(content)).decode(), bound_by, actor, now, now + PROPOSAL_LASTS)


def _replace(connection: Connection, made: Proposal) -> None:
    proposals.decide(connection, subject=made.subject, decision="superseded", by=made.proposed_by, at=made.proposed_at)
    proposals.add(connection, made)


def _open(connection: Connection, books: Books, subject: str) -> Proposal:
    found = proposals.waiting(connection, now=books.clock.now(), subject=subject)
    if not found:
        raise NotFound(Issue(Code.PROPOSAL_UNKNOWN))
    return found[-1]


def _record_denial(books: Books, subject: str, error: NotifyError, actor: str) -> None:
    with books.engine.begin() as connection:
        found = proposals.waiting(connection, now=books.clock.now(), subject=subject)
        whose = {"organisation": found[-1].authority} if found else {}
        code = error.issues[0].code
        changes.tell(connection, "access:denied", actor, f"approval/{subject}", books.clock.now(), code=code, **whose)


def _digest(content: Mapping[str, Json]) -> str:
    letters = to_crockford(sha256(canonical_json(dict(content))).digest()[:10])
    return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def _about(made: Proposal) -> dict[str, str]:
    return {"authority": made.authority, "fingerprint": changes.hyphened(made.fingerprint), "proposal": str(made.id)}


def _decided(found: Proposal) -> dict[str, str]:
    return {"authority": found.authority, "proposed_by": found.proposed_by, "proposal": str(found.id)}
