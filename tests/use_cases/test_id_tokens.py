# SPDX-License-Identifier: MIT
"""ID tokens and the keys that providers publish: which key is taken for which token, and that a bad one is never."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey

from notify_gateway.credentials.id_tokens import Asked, IdTokenRefused, KeyNotPublished, verify
from notify_gateway.credentials.providers import Provider

TENANT, OTHER = "11111111-0000-4000-8000-000000000023", "22222222-0000-4000-8000-000000000023"
ISSUER = "https://login.example/{tenantid}/v2.0"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RSA = RSAKey.generate_key(2048, {"kid": "one"})
EC = ECKey.generate_key("P-256", {"kid": "one"})
GRANT = {"value": "officer", "organisation": "E06000004", "role": "officer"}


def provider(algorithm: str = "RS256") -> Provider:
    grants = [GRANT | {"tenant": tenant} for tenant in (TENANT, OTHER)]
    named = {"id": "tees", "name": "Tees", "shape": "entra", "issuer": ISSUER, "client_id": "us", "client_secret_file": "secret"}
    return Provider.model_validate(named | {"tenants": [TENANT, OTHER], "algorithm": algorithm, "grant": grants})


def claims(**more: object) -> dict[str, Any]:
    seconds = int(NOW.timestamp())
    said = {"iss": ISSUER.replace("{tenantid}", TENANT), "tid": TENANT, "aud": "us", "sub": "s", "oid": "o", "nonce": "n"}
    return said | {"iat": seconds, "exp": seconds + 300} | more


def token(key: RSAKey | ECKey = RSA, algorithm: str = "RS256", **more: object) -> str:
    return jwt.encode({"alg": algorithm, "kid": "one"}, claims(**more), key, algorithms=[algorithm])


def judged(text: str, keys: Sequence[Mapping[str, Any]], algorithm: str = "RS256", asked: Asked | None = None) -> Mapping[str, Any]:
    return verify(text, provider(algorithm), keys=keys, asked=asked or Asked("n"), now=NOW)


def published(key: RSAKey | ECKey = RSA, **more: object) -> dict[str, Any]:
    return key.as_dict(private=False) | {"use": "sig", **more}


def test_a_good_token_is_believed_by_either_kind_of_key() -> None:
    assert judged(token(), [published(), published(RSA, kid="two")])["oid"] == "o"
    assert judged(token(EC, "ES256"), [published(EC)], "ES256")["oid"] == "o"


def test_a_key_that_is_published_for_one_tenant_is_not_another_s() -> None:
    """Entra names an issuer with each key: of all tenants with a placeholder, or of one."""
    everybody, mine, other = (ISSUER, ISSUER.replace("{tenantid}", TENANT), ISSUER.replace("{tenantid}", OTHER))
    assert judged(token(), [published(issuer=everybody)])
    assert judged(token(), [published(issuer=mine)])
    with pytest.raises(IdTokenRefused, match="key-issuer"):
        judged(token(), [published(issuer=other)])


def test_the_tenant_and_the_issuer_have_to_agree() -> None:
    with pytest.raises(IdTokenRefused, match="iss"):
        judged(token(tid=OTHER), [published()])


WEAK = RSAKey.generate_key(1024, {"kid": "one"})


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ([], "kid-unknown"),
        ([published(kid="two")], "kid-unknown"),
        ([published(), published()], "key"),
        ([published(use="enc")], "key"),
        ([published(alg="RS512")], "key"),
        ([published(EC)], "key"),
        ([{"kid": "one", "kty": "RSA"}], "key"),
        ([{"kid": "one", "kty": "RSA", "n": "!", "e": "AQAB"}], "key"),
        ([{"kid": "one", "kty": "oct", "k": "c2VjcmV0"}], "key"),
        ([published(WEAK)], "key"),
    ],
    ids=["none", "another", "twice", "encryption", "another algorithm", "another kind", "no number", "no base64", "a secret", "weak"],
)
def test_a_key_that_does_not_fit_proves_nothing(keys: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(IdTokenRefused) as error:
        judged(token(), keys)
    assert error.value.reason == reason
    assert isinstance(error.value, KeyNotPublished) == (reason == "kid-unknown")


def test_a_name_that_is_said_twice_is_said_by_nobody() -> None:
    text = json.dumps(claims())[:-1] + ', "oid": "somebody-else"}'
    twice = jws.serialize_compact({"alg": "RS256", "kid": "one"}, text.encode(), RSA, algorithms=["RS256"])
    with pytest.raises(IdTokenRefused, match="form"):
        judged(twice, [published()])


def test_an_access_token_of_another_answer_is_noticed() -> None:
    with pytest.raises(IdTokenRefused, match="at_hash"):
        judged(token(at_hash="AAAAAAAAAAAAAAAAAAAAAA"), [published()], asked=Asked("n", "an access token"))


def test_what_is_refused_says_nothing_of_the_token() -> None:
    for text in ("", "a.b", "a.b.c", "é.b.c", "e30.e30.e30", token()[:-8], token(nonce="secret-nonce")):
        with pytest.raises(IdTokenRefused) as error:
            judged(text, [published()])
        assert "secret" not in str(error.value)
        assert len(str(error.value)) < 20
