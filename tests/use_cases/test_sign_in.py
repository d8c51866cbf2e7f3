# SPDX-License-Identifier: MIT
"""Signing in with a key of one's own: who gets a token, for how long, and who gets none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from notify_gateway.api.sign_in_endpoints import _refusal
from notify_gateway.credentials.assertions import SignInRefused
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotAllowed, NotifyError, Refused
from notify_gateway.domain.model import OrganisationType
from notify_gateway.settings import Deployment
from notify_gateway.store import tables
from notify_gateway.use_cases import client_keys, onboard
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, DENIALS_RECORDED_PER_MINUTE, TRUST_SCOPE, DoorKeeper
from notify_gateway.use_cases.client_keys import Offer
from notify_gateway.use_cases.gateway import PARTIES_KNOWN_FOR
from notify_gateway.use_cases.maintain import forget_expired_sign_ins
from notify_gateway.use_cases.sign_in import TOKEN_LASTS, Reception
from tests.support.forgeries import FORGERIES
from tests.support.signing import Assertion, TrustKey, jwks
from tests.use_cases.conftest import STOCKTON, House

FIRST, SECOND = TrustKey("rxx-1"), TrustKey("rxx-2", "P-384")


def bring_on(house: House, *keys: TrustKey, ods: str = "RXX") -> str:
    """Let the keys in by two people, and return the client id."""
    offer = Offer(jwks=jwks(*keys))
    proposal = client_keys.invite(
        house.gateway, ods=ods, name="A trust", organisation_type=OrganisationType.NHS_TRUST, offer=offer, actor="operator:a"
    )
    client_keys.approve(house.gateway, ods=ods, fingerprints=[key.fingerprint for key in keys], actor="operator:b")
    return str(proposal.client_id)


def assertion(house: House, key: TrustKey, client_id: str) -> Assertion:
    return Assertion(key, client_id, Reception(house.gateway).token_url, house.clock.now())


def code_of(refused: pytest.ExceptionInfo[NotifyError]) -> str:
    return refused.value.issues[0].code


def test_a_trust_signs_in_with_either_of_its_keys_until_one_is_revoked(house: House) -> None:
    client_id = bring_on(house, FIRST, SECOND)
    reception, keeper = Reception(house.gateway), DoorKeeper(house.gateway)
    first = reception.token_for(assertion(house, FIRST, client_id).signed(), None)
    second = reception.token_for(assertion(house, SECOND, client_id).signed(), TRUST_SCOPE)
    for token in (first, second):
        assert keeper.admit(f"Bearer {token.text}", TRUST_SCOPE).code == "RXX"
        assert token.text not in repr(token)
    with pytest.raises(NotAllowed):
        keeper.admit(f"Bearer {first.text}", AUTHORITY_SCOPE)

    client_keys.revoke_key(house.gateway, ods="RXX", kid="rxx-1", actor="operator:a")
    house.clock.move(PARTIES_KNOWN_FOR)
    with pytest.raises(NotAllowed) as revoked:
        keeper.admit(f"Bearer {first.text}", TRUST_SCOPE)
    assert code_of(revoked) == Code.TOKEN_REVOKED
    assert keeper.admit(f"Bearer {second.text}", TRUST_SCOPE).code == "RXX"
    with pytest.raises(SignInRefused) as gone:
        reception.token_for(assertion(house, FIRST, client_id).signed(), None)
    assert code_of(gone) == Code.ASSERTION_KEY_REVOKED

    house.clock.move(TOKEN_LASTS)
    with pytest.raises(NotAllowed) as expired:
        keeper.admit(f"Bearer {second.text}", TRUST_SCOPE)
    assert code_of(expired) == Code.TOKEN_EXPIRED


def test_no_forgery_passes_and_each_is_told_what_is_wrong_without_an_echo(house: House) -> None:
    client_id = bring_on(house, FIRST)
    reception = Reception(house.gateway)
    issued, told = house.count(tables.access_tokens), {}
    before = house.count(tables.audit_tables.pending)
    for name, (_, forge) in FORGERIES.items():
        text = forge(assertion(house, FIRST, client_id))
        with pytest.raises(SignInRefused) as refused:
            reception.token_for(text, None)
        told[name] = code_of(refused)
        answer = _refusal(refused.value)
        assert answer.status_code == 401
        assert client_id not in bytes(answer.body).decode()
        assert "example" not in bytes(answer.body).decode()
    assert told == {name: code for name, (code, _) in FORGERIES.items()}
    assert house.count(tables.access_tokens) == issued
    assert house.count(tables.audit_tables.pending) == before + DENIALS_RECORDED_PER_MINUTE


def test_an_assertion_is_good_once_and_so_is_its_id(house: House) -> None:
    client_id, other_id = bring_on(house, FIRST), bring_on(house, SECOND, ods="RYY")
    reception = Reception(house.gateway)
    made = assertion(house, FIRST, client_id)
    reception.token_for(made.signed(), None)
    for again in (made.signed(), assertion(house, FIRST, client_id).but(jti=made.claims["jti"]).signed()):
        with pytest.raises(SignInRefused) as spent:
            Reception(house.gateway).token_for(again, None)
        assert code_of(spent) == Code.ASSERTION_SPENT
    # Ids are each client's own.
    reception.token_for(assertion(house, SECOND, other_id).but(jti=made.claims["jti"]).signed(), None)
    # It is forgotten only when the assertion has expired anyway.
    house.clock.move(timedelta(seconds=329))
    forget_expired_sign_ins(house.gateway)
    with pytest.raises(SignInRefused) as spent:
        reception.token_for(made.signed(), None)
    assert code_of(spent) == Code.ASSERTION_SPENT
    house.clock.move(timedelta(hours=2))
    forget_expired_sign_ins(house.gateway)
    assert house.count(tables.spent_assertions) == house.count(tables.access_tokens) == 0
    with pytest.raises(SignInRefused) as expired:
        reception.token_for(made.signed(), None)
    assert code_of(expired) == Code.ASSERTION_EXPIRED


def test_what_was_refused_is_not_spent_and_the_leeway_is_thirty_seconds(house: House) -> None:
    client_id = bring_on(house, FIRST)
    reception, now = Reception(house.gateway), int(house.clock.now().timestamp())
    with pytest.raises(Refused) as scope:
        reception.token_for(assertion(house, FIRST, client_id).but(jti="once").signed(), f"{TRUST_SCOPE} everything")
    assert code_of(scope) == Code.SIGN_IN_SCOPE
    reception.token_for(assertion(house, FIRST, client_id).but(jti="once").signed(), "")
    for right in (
        {"iat": now + 30, "exp": now + 330},
        {"exp": now - 29, "iat": now - 300},
        {"nbf": now + 30},
        {"aud": [reception.token_url]},
    ):
        reception.token_for(assertion(house, FIRST, client_id).but(**right).signed(), None)
    with pytest.raises(SignInRefused) as late:
        reception.token_for(assertion(house, FIRST, client_id).but(exp=now - 45, iat=now - 300).signed(), None)
    assert "45 seconds ago" in late.value.detail


def test_no_secret_of_signing_in_is_kept_or_told(house: House) -> None:
    client_id = bring_on(house, FIRST)
    made = assertion(house, FIRST, client_id)
    issued = Reception(house.gateway).token_for(made.signed(), None)
    with house.gateway.engine.begin() as connection:
        kept = repr([connection.execute(table.select()).all() for table in tables.metadata.sorted_tables])
    for secret in (issued.text, made.signed(), made.claims["jti"], made.signed().rpartition(".")[2]):
        assert secret not in kept


def test_who_is_invited_and_not_approved_gets_no_token(house: House) -> None:
    proposal = client_keys.invite(
        house.gateway, ods="RZZ", name="Z", organisation_type=OrganisationType.NHS_TRUST, offer=Offer(jwks=jwks(FIRST)), actor="operator:a"
    )
    with pytest.raises(SignInRefused) as waiting:
        Reception(house.gateway).token_for(assertion(house, FIRST, str(proposal.client_id)).signed(), None)
    assert code_of(waiting) == Code.CLIENT_NOT_APPROVED


def test_a_client_that_was_closed_gets_no_token(house: House) -> None:
    client_id = bring_on(house, FIRST)
    with house.gateway.engine.begin() as connection:
        connection.execute(update(tables.clients).where(tables.clients.c.code == "RXX").values(closed_at=house.clock.now()))
        client_keys.record(connection, "config:changed", "operator:a", "client/RXX", house.clock.now(), after="closed")
    with pytest.raises(SignInRefused) as closed:
        Reception(house.gateway).token_for(assertion(house, FIRST, client_id).signed(), None)
    assert code_of(closed) == Code.CLIENT_CLOSED


def test_a_lasting_token_is_no_way_round_where_trusts_sign_in(house: House) -> None:
    settings = house.gateway.settings
    assert settings.trusts_get_lasting_tokens
    assert not settings.model_copy(update={"deployment": Deployment.LIVE}).trusts_get_lasting_tokens
    live = replace(house.gateway, settings=settings.model_copy(update={"lasting_trust_tokens": False}))
    with pytest.raises(NotAllowed) as refused:
        onboard.issue_token(live, kind="trust", code="RXX", lasts=None, actor="operator:a")
    assert code_of(refused) == Code.LASTING_TOKENS_OFF
    onboard.issue_token(live, kind="authority", code=STOCKTON, lasts=None, actor="operator:a")
