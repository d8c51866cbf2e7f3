# SPDX-License-Identifier: MIT
"""Letting keys in: what a key has to be, the two people, the fingerprint, and one key taking over from another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from notify_gateway.credentials.keys import fingerprint, read_key_set, usable_keys, write_key_set
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotAllowed, NotFound, NotifyError, Refused
from notify_gateway.domain.model import OrganisationType
from notify_gateway.store import tables
from notify_gateway.use_cases import client_keys
from notify_gateway.use_cases.client_keys import PROPOSAL_LASTS, Offer
from tests.support.signing import TrustKey, b64, jwks
from tests.use_cases.conftest import House

KEY, NEXT, THIRD = TrustKey("rxx-1"), TrustKey("rxx-2", number=1), TrustKey("rxx-3", number=2)
RSA = TrustKey("rsa", "RSA")


def key_set(*changes: dict[str, Any], key: TrustKey = KEY) -> bytes:
    return json.dumps({"keys": [{**key.jwk, **change} for change in changes]}).encode()


@pytest.mark.parametrize("kind", ["RSA", "P-384", "Ed25519"])
def test_a_key_is_known_by_the_thumbprint_that_its_owner_reckons(kind: str) -> None:
    own = TrustKey("k", kind)
    (key,) = read_key_set(jwks(own))
    assert fingerprint(key.thumbprint).replace(" ", "") == own.fingerprint
    assert read_key_set(write_key_set((key,)).encode()) == (key,)
    assert read_key_set(json.dumps(own.jwk).encode()) == (key,)


def test_the_thumbprint_is_that_of_the_example_in_rfc_7638() -> None:
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W"
        "-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08q"
        "NLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    (key,) = read_key_set(json.dumps({"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS512", "kid": "2011-04-29"}).encode())
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert key.algorithms == {"RS512"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", Code.CLIENT_KEY_FORMAT),
        (b"[]", Code.CLIENT_KEY_FORMAT),
        (b'{"keys": []}', Code.CLIENT_KEY_FORMAT),
        (b'{"keys": [7]}', Code.CLIENT_KEY_FORMAT),
        (b'{"keys": {"a": 1}}', Code.CLIENT_KEY_FORMAT),
        (b"[" * 100_000, Code.CLIENT_KEY_FORMAT),
        (b" " * 70_000, Code.CLIENT_KEY_FORMAT),
        (jwks(KEY).replace(b'"kid"', b'"kty": "OKP", "kid"'), Code.CLIENT_KEY_FORMAT),
        (key_set({"kid": ""}), Code.CLIENT_KEY_FORMAT),
        (key_set({"kid": "a b"}), Code.CLIENT_KEY_FORMAT),
        (key_set({"kid": "x" * 129}), Code.CLIENT_KEY_FORMAT),
        (key_set({"kid": None}), Code.CLIENT_KEY_FORMAT),
        (key_set({"x": "AAAA"}), Code.CLIENT_KEY_FORMAT),
        (key_set({"x": 7}), Code.CLIENT_KEY_FORMAT),
        (key_set({}, {}), Code.CLIENT_KEY_FORMAT),
        (key_set({}, {"kid": "twin"}), Code.CLIENT_KEY_FORMAT),
        (key_set({"n": "AQ"}, key=RSA), Code.CLIENT_KEY_FORMAT),
        (key_set({"d": "c2VjcmV0"}), Code.CLIENT_KEY_PRIVATE),
        (key_set({"kty": "oct", "k": "c2VjcmV0"}), Code.CLIENT_KEY_PRIVATE),
        (jwks(TrustKey("k", "P-256")), Code.CLIENT_KEY_KIND),
        (key_set({"crv": "Ed448"}), Code.CLIENT_KEY_KIND),
        (key_set({"crv": ["Ed25519"]}), Code.CLIENT_KEY_KIND),
        (key_set({"use": "enc"}), Code.CLIENT_KEY_KIND),
        (key_set({"key_ops": ["sign"]}), Code.CLIENT_KEY_KIND),
        (key_set({"alg": "RS256"}, key=RSA), Code.CLIENT_KEY_KIND),
        (key_set({"alg": "HS512"}), Code.CLIENT_KEY_KIND),
        (jwks(TrustKey("k", "RSA-1024")), Code.CLIENT_KEY_WEAK),
        (key_set({"e": "Aw"}, key=RSA), Code.CLIENT_KEY_WEAK),
        (key_set({"n": b64(b"\xff" * 2000)}, key=RSA), Code.CLIENT_KEY_WEAK),
        (jwks(*(TrustKey(f"k{number}", number=number) for number in range(5))), Code.CLIENT_KEYS_TOO_MANY),
    ],
)
def test_what_is_no_good_key_is_refused_with_its_reason(document: bytes, code: Code) -> None:
    with pytest.raises(Refused) as refused:
        read_key_set(document)
    assert refused.value.issues[0].code == code


def test_of_published_keys_those_that_cannot_be_used_are_passed_over() -> None:
    published = json.loads(jwks(KEY))["keys"] + [
        {"kty": "oct", "k": "x", "kid": "s"},
        TrustKey("p", "P-256").jwk,
        {**KEY.jwk, "kid": "twin"},
    ]
    assert [key.kid for key in usable_keys(json.dumps({"keys": published}).encode())] == ["rxx-1"]
    assert usable_keys(b'{"keys": []}') == ()


def invite(house: House, *keys: TrustKey, ods: str = "RZZ", actor: str = "operator:a") -> str:
    offer = Offer(jwks=jwks(*keys))
    made = client_keys.invite(house.gateway, ods=ods, name="Z", organisation_type=OrganisationType.NHS_TRUST, offer=offer, actor=actor)
    return str(made.client_id)


def approve(house: House, *fingerprints: str, ods: str = "RZZ", actor: str = "operator:b") -> str:
    return str(client_keys.approve(house.gateway, ods=ods, fingerprints=fingerprints, actor=actor).client_id)


def code(error: pytest.ExceptionInfo[NotifyError]) -> str:
    return error.value.issues[0].code


def test_it_takes_two_people_and_the_very_fingerprint(house: House) -> None:
    client_id = invite(house, KEY)
    for actor, typed, wanted in (
        ("operator:a", KEY.fingerprint, Code.SECOND_PERSON_NEEDED),
        ("operator:b", NEXT.fingerprint, Code.FINGERPRINT_DIFFERS),
        ("operator:b", KEY.fingerprint[:40], Code.FINGERPRINT_DIFFERS),
        ("operator:b", "", Code.FINGERPRINT_DIFFERS),
    ):
        with pytest.raises((NotAllowed, Conflict)) as refused:
            approve(house, typed, actor=actor)
        assert code(refused) == wanted
    assert house.count(tables.client_keys) == 0
    grouped = " ".join(KEY.fingerprint.upper()[start : start + 4] for start in range(0, 64, 4))
    assert approve(house, grouped) == client_id
    with pytest.raises(NotFound) as gone:
        approve(house, KEY.fingerprint)
    assert code(gone) == Code.PROPOSAL_UNKNOWN
    told = tags(house)
    assert [told.count(tag) for tag in ("client:invited", "client:approved", "access:denied")] == [1, 1, 4]


def test_a_further_key_takes_two_people_too_and_there_are_two_at_once(house: House) -> None:
    first = invite(house, KEY)
    approve(house, KEY.fingerprint)
    with pytest.raises(Conflict) as signed_in:
        invite(house, NEXT)
    assert code(signed_in) == Code.CLIENT_HAS_KEYS
    propose(house, NEXT, actor="operator:b")
    with pytest.raises(NotAllowed):
        approve(house, NEXT.fingerprint, actor="operator:b")
    assert approve(house, NEXT.fingerprint, actor="operator:a") == first
    with pytest.raises(Refused) as third:
        propose(house, THIRD)
    assert code(third) == Code.CLIENT_KEYS_TOO_MANY
    client_keys.revoke_key(house.gateway, ods="RZZ", kid=KEY.kid, actor="operator:a")
    for used in (KEY, TrustKey(KEY.kid, number=5), TrustKey("another-kid")):
        with pytest.raises(Conflict) as taken:
            propose(house, used)
        assert code(taken) == Code.CLIENT_KEY_TAKEN
    propose(house, THIRD)
    approve(house, THIRD.fingerprint)
    with pytest.raises(NotFound):
        client_keys.revoke_key(house.gateway, ods="RZZ", kid=KEY.kid, actor="operator:a")


def test_a_key_is_one_client_s_alone_even_when_both_were_proposed_at_once(house: House) -> None:
    invite(house, KEY, ods="RYY")
    invite(house, KEY, ods="RZZ")
    approve(house, KEY.fingerprint, ods="RZZ")
    with pytest.raises(Conflict) as taken:
        approve(house, KEY.fingerprint, ods="RYY")
    assert code(taken) == Code.CLIENT_KEY_TAKEN
    with pytest.raises(Conflict):
        invite(house, KEY, ods="RWW")


def test_an_invitation_is_replaced_by_the_next_and_lapses_and_a_known_trust_keeps_its_name(house: House) -> None:
    assert invite(house, KEY, ods="RXX") == str(house.trust.id)
    invite(house, NEXT, ods="RXX")
    with pytest.raises(Conflict):
        approve(house, KEY.fingerprint, ods="RXX")
    house.clock.move(PROPOSAL_LASTS)
    with pytest.raises(NotFound):
        approve(house, NEXT.fingerprint, ods="RXX")
    client_id = invite(house, KEY, NEXT, ods="RXX")
    with pytest.raises(Conflict):
        approve(house, KEY.fingerprint, KEY.fingerprint, ods="RXX")
    assert approve(house, NEXT.fingerprint, KEY.fingerprint, ods="RXX") == client_id == str(house.trust.id)
    with pytest.raises(NotFound) as nobody:
        propose(house, THIRD, ods="RQQ")
    assert code(nobody) == Code.CLIENT_UNKNOWN


def propose(house: House, key: TrustKey, *, ods: str = "RZZ", actor: str = "operator:a") -> None:
    client_keys.propose_keys(house.gateway, ods=ods, offer=Offer(jwks=jwks(key)), actor=actor)


def tags(house: House) -> list[str]:
    with house.gateway.engine.begin() as connection:
        leaves = connection.execute(select(tables.audit_tables.pending.c.leaf)).scalars().all()
    return [json.loads(leaf)["event"] for leaf in leaves]
