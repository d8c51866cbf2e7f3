# SPDX-License-Identifier: MIT
"""People sign in at their organisation's identity provider (OpenID Connect: code, PKCE, state, nonce); what they may do follows from it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

import structlog

from audit.events import Event
from audit.log import append
from notify_gateway.credentials.claims import Claimed, read_claims
from notify_gateway.credentials.id_tokens import Asked, IdTokenRefused
from notify_gateway.credentials.providers import Provider, ProvidersRefused, Shape
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed, NotFound, Unavailable
from notify_gateway.domain.staff import Person
from notify_gateway.egress import openid
from notify_gateway.egress.openid import CodeRefused, ProviderAway
from notify_gateway.store import staff
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import BY_PROVIDER, BY_REGISTER, Member, Members, SignIn
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import staff_sessions
from notify_gateway.use_cases.access import Denials
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.staff_providers import Providers
from notify_gateway.use_cases.staff_sessions import ABSOLUTE, Opened, Visit

LOG = structlog.get_logger(__name__)

SIGN_IN_WITHIN = timedelta(minutes=10)
MOST_UNDER_WAY = 10_000
"""Sign-ins begun and not ended; more than so many are no people's."""
MOST_CODE = 4096
_HERE = re.compile(r"/(?:[A-Za-z0-9_~.%+=&?,:-][A-Za-z0-9_~.%+=&?,:/-]*)?")


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way: where the browser goes, and what it holds meanwhile."""

    url: str
    browser: str

    def __repr__(self) -> str:
        return "Begun(<withheld>)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brings back from a provider."""

    state: str
    code: str | None
    issuer: str | None

    def __repr__(self) -> str:
        return "Answer(<withheld>)"


@dataclass(frozen=True, slots=True)
class Arrived:
    """Somebody who has come in, and where they were going."""

    opened: Opened
    goes_to: str


def here(address: str | None) -> str:
    """Return the address if it is a place on this site, else an empty string: nobody is led elsewhere after signing in."""
    return address if address and len(address) <= 500 and _HERE.fullmatch(address) else ""


class Reception:
    """Where people sign in; one of each process."""

    def __init__(self, gateway: Gateway, providers: Providers) -> None:
        self._gateway = gateway
        self.providers = providers
        self._denials = Denials(gateway, "staff-sign-in")

    def begin(self, provider_id: str, *, goes_to: str, browser: str | None, visit: Visit | None = None) -> Begun:
        """Begin a sign-in, or with ``visit`` a proof that it is still the same person; the browser holds ``browser`` until it is back.

        Raises ``NotFound`` for a provider that is not there, ``Unavailable`` for one that does not answer.
        """
        provider = self.providers.get(provider_id)
        if provider is None:
            raise NotFound(Issue(Code.NO_SUCH_PAGE))
        now, browser = self._gateway.clock.now(), browser or secrets.token_urlsafe(32)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        more = {"nonce": nonce}
        if provider.acr_asked:
            more["acr_values"] = provider.acr_asked
        if visit is not None:
            more |= {"prompt": "login", "max_age": "0"}
        with _answering(provider):
            metadata, client = self.providers.metadata(provider), self.providers.client(provider)
            url = openid.authorization_url(metadata, client, scopes=provider.scopes, state=state, verifier=verifier, **more)
        session_id = visit.session_id if visit else None
        began = SignIn(_digest(state), _digest(browser), provider.id, nonce, verifier, here(goes_to), session_id, now, now + SIGN_IN_WITHIN)
        with self._gateway.engine.begin() as connection:
            staff.forget(connection, now=now, sessions_before=now - ABSOLUTE)
            if staff.count_sign_ins(connection) >= MOST_UNDER_WAY:
                raise Unavailable(Code.OVERLOADED)
            staff.add_sign_in(connection, began)
        return Begun(url, browser)

    def finish(self, provider_id: str, answer: Answer, *, browser: str | None, cookie: str | None) -> Arrived:
        """Return who has come in by the provider's answer, which is used up by it.

        Raises ``NotAllowed`` when the answer is not to a sign-in of this browser, cannot be believed, or is about somebody who may not come
        in, and ``Unavailable`` when the provider is away. That it was so is in the log.
        """
        organisation: str | None = None
        try:
            began = self._take(provider_id, answer, browser)
            provider = self.providers.get(began.provider)
            assert provider is not None  # it was there when the sign-in began, in a process with the same settings
            claimed = self._prove(provider, began, answer)
            organisation = claimed.organisation
            if began.session_id is not None:
                return Arrived(self._step_up(provider, claimed, began, cookie), began.goes_to)
            member = self._admit(provider, claimed)
            return Arrived(staff_sessions.open_session(self._gateway, member, provider=provider.id, before=cookie), began.goes_to)
        except NotAllowed as error:
            self._denials.record(error.issues[0].code, organisation=organisation)
            raise

    def provider_of(self, person: Person) -> str:
        """Return the id of the provider at which somebody last signed in."""
        with scoped(self._gateway.engine, person.organisation, reading=True) as connection:
            member = Members(connection, person.organisation).find(person.id)
        return "" if member is None else member.provider

    def _take(self, provider_id: str, answer: Answer, browser: str | None) -> SignIn:
        now = self._gateway.clock.now()
        with self._gateway.engine.begin() as connection:
            began = staff.take_sign_in(connection, _digest(answer.state))
        if began is None or began.expires_at <= now or began.provider != provider_id:
            raise NotAllowed(Issue(Code.STAFF_SIGN_IN_STALE))
        if browser is None or not hmac.compare_digest(_digest(browser), began.browser_hash):
            raise NotAllowed(Issue(Code.STAFF_SIGN_IN_STALE))
        return began

    def _prove(self, provider: Provider, began: SignIn, answer: Answer) -> Claimed:
        """Return who it is; raises ``NotAllowed`` unless the provider's answer is to be believed."""
        with _answering(provider):
            metadata, client = self.providers.metadata(provider), self.providers.client(provider)
            # RFC 9207: the answer of one provider is never taken to another. For one that does not name itself there is its own callback.
            if (answer.issuer is None and metadata.names_itself) or answer.issuer not in (None, provider.issuer):
                raise _unbelievable(provider, "response-iss")
            if not answer.code or len(answer.code) > MOST_CODE:
                raise NotAllowed(Issue(Code.STAFF_SIGN_IN_BROKEN_OFF))
            try:
                tokens = openid.exchange(metadata, client, code=answer.code, verifier=began.verifier)
                since = began.begun_at if began.session_id else None
                asked = Asked(began.nonce, tokens.access_token, since)
                claims = self.providers.verify(provider, tokens.id_token, asked)
            except CodeRefused as error:
                raise _unbelievable(provider, error.reason) from None
            except IdTokenRefused as error:
                raise _refused(provider, error.reason) from None
            # CIS2 names the roles there alone.
            more = openid.read_user(metadata, tokens, subject=claims["sub"]) if provider.shape is Shape.CIS2 else None
        return read_claims(provider, claims, more)

    def _admit(self, provider: Provider, claimed: Claimed) -> Member:
        """Return the member of staff, with what they may do from now on; raises ``NotAllowed`` for whoever may not come in."""
        now = self._gateway.clock.now()
        candidates = [claimed.organisation] if claimed.organisation else sorted(provider.organisations)
        with self._gateway.engine.begin() as connection:
            found = [held for each in candidates if (held := Members(connection, each).by_subject(claimed.subject_hash))]
            if len(found) > 1:
                raise NotAllowed(Issue(Code.STAFF_TWO_ORGANISATIONS))
            held = found[0] if found else None
            if held is not None and held.closed_at is not None:
                raise NotAllowed(Issue(Code.STAFF_CLOSED))
            if held is None and claimed.organisation is None:
                raise NotAllowed(Issue(Code.STAFF_NO_ROLE))
            member, events = _as_now(held, provider, claimed, now)
            if not member.roles:
                raise NotAllowed(Issue(Code.STAFF_NO_ROLE))
            members = Members(connection, member.organisation)
            (members.add if held is None else members.save)(member)
            append(connection, audit_tables, events)
        return member

    def _step_up(self, provider: Provider, claimed: Claimed, began: SignIn, cookie: str | None) -> Opened:
        found = staff_sessions.look(self._gateway, cookie) if cookie else None
        if cookie is None or not isinstance(found, Visit) or found.session_id != began.session_id:
            raise NotAllowed(Issue(Code.STAFF_SIGN_IN_STALE))
        with self._gateway.engine.begin() as connection:
            member = Members(connection, found.person.organisation).find(found.person.id)
        if member is None or not hmac.compare_digest(member.subject_hash, claimed.subject_hash):
            raise NotAllowed(Issue(Code.STAFF_TOKEN_REFUSED))
        return staff_sessions.step_up(self._gateway, found, cookie=cookie, provider=provider.id)


def _as_now(held: Member | None, provider: Provider, claimed: Claimed, now: datetime) -> tuple[Member, list[Event]]:
    """Return the member as the sign-in makes them, and the events of what has changed."""
    if held is None:
        assert claimed.organisation is not None and claimed.roles is not None  # noqa: PT018 - whoever is in the register is held
        member = Member(
            uuid4(), claimed.organisation, claimed.subject_hash, provider.id, claimed.name, claimed.roles, BY_PROVIDER, now, last_at=now
        )
        fields = {"organisation": member.organisation, "provider": provider.id, "roles": roles_as_term(member)}
        return member, [Event("staff:added", at=now, actor=f"provider:{provider.id}", subject=member.person.actor, fields=fields)]
    roles = held.roles if held.roles_from == BY_REGISTER or claimed.roles is None else claimed.roles
    member = replace(held, name=claimed.name, provider=provider.id, roles=roles, last_at=now)
    if member.roles == held.roles:
        return member, []
    fields = {"organisation": held.organisation, "before": roles_as_term(held), "after": roles_as_term(member)}
    return member, [Event("staff:roles_changed", at=now, actor=f"provider:{provider.id}", subject=member.person.actor, fields=fields)]


def roles_as_term(member: Member) -> str:
    """Return the roles as the log names them."""
    return ",".join(sorted(member.roles)) or "none"


@contextmanager
def _answering(provider: Provider) -> Iterator[None]:
    """While the block runs, a provider that is away is the caller's ``Unavailable``; the log says what was wrong with it."""
    try:
        yield
    except (ProviderAway, ProvidersRefused) as error:
        LOG.warning("provider-away", provider=provider.id, reason=error.reason if isinstance(error, ProviderAway) else "settings")
        raise Unavailable(Code.STAFF_PROVIDER_AWAY, retry_after=60) from None


def _unbelievable(provider: Provider, reason: str) -> NotAllowed:
    LOG.warning("sign-in-refused", provider=provider.id, reason=reason)
    return NotAllowed(Issue(Code.STAFF_TOKEN_REFUSED))


def _refused(provider: Provider, reason: str) -> NotAllowed:
    LOG.warning("sign-in-refused", provider=provider.id, reason=reason)
    codes = {"tenant": Code.STAFF_TENANT, "auth_time": Code.STAFF_ASSURANCE}
    return NotAllowed(Issue(codes.get(reason, Code.STAFF_TOKEN_REFUSED)))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
