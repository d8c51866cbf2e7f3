# SPDX-License-Identifier: MIT
"""Tokens: who they admit, and how soon they stop."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotAllowed, NotFound, Refused
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose
from notify_gateway.store import tables
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, DENIALS_RECORDED_PER_MINUTE, TRUST_SCOPE, DoorKeeper
from notify_gateway.use_cases.gateway import PARTIES_KNOWN_FOR
from tests.use_cases.conftest import STOCKTON, House


def code_of(house: House, authorization: str | None, scope: str = TRUST_SCOPE) -> str:
    with pytest.raises(NotAllowed) as error:
        DoorKeeper(house.gateway).admit(authorization, scope)
    return error.value.issues[0].code


def test_a_token_admits_its_own_organisation(house: House) -> None:
    token = onboard.issue_token(house.gateway, kind="trust", code="RXX", lasts=None, actor="test")
    assert DoorKeeper(house.gateway).admit(f"Bearer {token.text}", TRUST_SCOPE).code == "RXX"
    assert token.text not in repr(token)


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic abc", "abc"])
def test_without_a_bearer_token_nobody_is_admitted(house: House, authorization: str | None) -> None:
    assert code_of(house, authorization) == Code.TOKEN_MISSING


@pytest.mark.parametrize("text", ["nonsense", "x" * 100_000, "\udcff", "ng_trust_' or 1=1 --"])
def test_an_unknown_token_is_refused(house: House, text: str) -> None:
    assert code_of(house, f"Bearer {text}") == Code.TOKEN_UNKNOWN


def test_a_token_expires(house: House) -> None:
    token = onboard.issue_token(house.gateway, kind="trust", code="RXX", lasts=timedelta(days=1), actor="test")
    house.clock.move(timedelta(days=1))
    assert code_of(house, f"Bearer {token.text}") == Code.TOKEN_EXPIRED


def test_a_revocation_takes_effect_within_the_time_that_tokens_are_remembered(house: House) -> None:
    token = onboard.issue_token(house.gateway, kind="trust", code="RXX", lasts=None, actor="test")
    keeper = DoorKeeper(house.gateway)
    keeper.admit(f"Bearer {token.text}", TRUST_SCOPE)
    onboard.revoke_token(house.gateway, token_id=token.id, actor="test")
    house.clock.move(PARTIES_KNOWN_FOR)
    with pytest.raises(NotAllowed) as error:
        keeper.admit(f"Bearer {token.text}", TRUST_SCOPE)
    assert error.value.issues[0].code == Code.TOKEN_REVOKED
    with pytest.raises(NotFound):
        onboard.revoke_token(house.gateway, token_id=token.id, actor="test")


def test_a_token_serves_its_own_purpose_only(house: House) -> None:
    token = onboard.issue_token(house.gateway, kind="authority", code=STOCKTON, lasts=None, actor="test")
    assert code_of(house, f"Bearer {token.text}", TRUST_SCOPE) == Code.SCOPE_MISSING
    assert DoorKeeper(house.gateway).admit(f"Bearer {token.text}", AUTHORITY_SCOPE).code == STOCKTON


def test_a_flood_of_bad_tokens_does_not_fill_the_log(house: House) -> None:
    keeper, before = DoorKeeper(house.gateway), house.count(tables.audit_tables.pending)
    for _ in range(50):
        with pytest.raises(NotAllowed):
            keeper.admit("Bearer wrong", TRUST_SCOPE)
    assert house.count(tables.audit_tables.pending) == before + DENIALS_RECORDED_PER_MINUTE


def test_no_token_is_kept_in_the_clear(house: House) -> None:
    token = onboard.issue_token(house.gateway, kind="trust", code="RXX", lasts=None, actor="test")
    with house.gateway.engine.begin() as connection:
        rows = repr(connection.execute(tables.tokens.select()).all())
    assert token.text not in rows


def test_what_is_not_an_authority_cannot_be_put_on_the_service(house: House) -> None:
    with pytest.raises(Refused) as error:
        onboard.register_authority(house.gateway, gss="E99999999", custody="managed", channel="pull", actor="test")
    assert error.value.issues[0].code == Code.RECEIVER_UNKNOWN


def test_a_key_is_registered_once_and_retired_once(house: House) -> None:
    key = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING).public()
    onboard.register_key(house.gateway, key=key, actor="test")
    with pytest.raises(Conflict):
        onboard.register_key(house.gateway, key=key, actor="test")
    assert key.kid in {live.kid for live in house.gateway.receivers.get()[STOCKTON].live_keys}
    onboard.retire_key(house.gateway, kid=key.kid, actor="test")
    assert key.kid not in {live.kid for live in house.gateway.receivers.get()[STOCKTON].live_keys}
    with pytest.raises(NotFound):
        onboard.retire_key(house.gateway, kid=key.kid, actor="test")
