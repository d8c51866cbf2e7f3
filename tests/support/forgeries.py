# SPDX-License-Identifier: MIT
"""Assertions that must not pass, each with the code that tells an honest sender what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notify_gateway.domain.catalogue import Code
from tests.support.signing import Assertion, TrustKey, b64

OTHER = TrustKey("other", number=9)
_TWICE = b'{"alg":"EdDSA","alg":"none","kid":"k"}'


def _public_pem(a: Assertion) -> bytes:
    return a.key.native.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _by_another(a: Assertion, **header: object) -> str:
    """Sign with a key that is not registered, under the kid of the one that is."""
    forged = Assertion(OTHER, a.client_id, a.audience, a.now)
    return forged.headed(kid=a.key.kid, alg="EdDSA", **header).signed()


def _spoilt(text: str) -> str:
    head, body, signature = text.split(".")
    return f"{head}.{body}.{('B' if signature[0] == 'A' else 'A') + signature[1:]}"


def _at(a: Assertion) -> int:
    return int(a.now.timestamp())


FORGERIES: dict[str, tuple[Code, Callable[[Assertion], str]]] = {
    "no algorithm": (Code.ASSERTION_ALGORITHM, lambda a: a.headed(alg="none").unsigned()),
    "no algorithm, spelt otherwise": (Code.ASSERTION_ALGORITHM, lambda a: a.headed(alg="nOnE").unsigned()),
    "hashed with the public key": (Code.ASSERTION_ALGORITHM, lambda a: a.headed(alg="HS512").hashed_with(_public_pem(a))),
    "an algorithm of another kind of key": (Code.ASSERTION_ALGORITHM, lambda a: a.headed(alg="RS512").signed()),
    "an algorithm that is too weak": (Code.ASSERTION_ALGORITHM, lambda a: a.headed(alg="RS256").signed()),
    "a list for an algorithm": (Code.ASSERTION_ALGORITHM, lambda a: a.headed(alg=["EdDSA"]).signed()),
    "a key of its own in the header": (Code.ASSERTION_HEADER, lambda a: _by_another(a, jwk=OTHER.jwk)),
    "an address of keys in the header": (Code.ASSERTION_HEADER, lambda a: _by_another(a, jku="https://keys.example/jwks")),
    "a certificate in the header": (Code.ASSERTION_HEADER, lambda a: _by_another(a, x5c=["MIIB"])),
    "an address of a certificate": (Code.ASSERTION_HEADER, lambda a: _by_another(a, x5u="https://keys.example/cert")),
    "critical extensions": (Code.ASSERTION_HEADER, lambda a: a.headed(crit=["b64"], b64=False).signed()),
    "no kid": (Code.ASSERTION_KID_MISSING, lambda a: a.headed(without=("kid",)).signed()),
    "a kid that is a number": (Code.ASSERTION_KID_MISSING, lambda a: a.headed(kid=7).signed()),
    "an unknown kid": (Code.ASSERTION_KEY_UNKNOWN, lambda a: a.headed(kid="../../etc/passwd").signed()),
    "another's key": (Code.ASSERTION_SIGNATURE, _by_another),
    "a spoilt signature": (Code.ASSERTION_SIGNATURE, lambda a: _spoilt(a.signed())),
    "no signature": (Code.ASSERTION_SIGNATURE, lambda a: a.unsigned()),
    "claims changed after signing": (
        Code.ASSERTION_SIGNATURE,
        lambda a: ".".join([a.signed().split(".")[0], *a.but(scope="all").unsigned().split(".")[1:2], a.signed().split(".")[2][::-1]]),
    ),
    "a header too large": (Code.ASSERTION_FORM, lambda a: a.headed(filler="x" * 2000).signed()),
    "an assertion too large": (Code.ASSERTION_FORM, lambda a: a.but(filler="x" * 9000).signed()),
    "no assertion": (Code.ASSERTION_FORM, lambda _: "nonsense"),
    "two parts": (Code.ASSERTION_FORM, lambda a: a.signed().rpartition(".")[0]),
    "a header that is a list": (Code.ASSERTION_FORM, lambda a: f"{b64(b'[1]')}.{a.signed().partition('.')[2]}"),
    "a name used twice": (
        Code.ASSERTION_FORM,
        lambda a: f"{b64(_TWICE)}.{a.signed().partition('.')[2]}",
    ),
    "a deep header": (Code.ASSERTION_FORM, lambda a: f"{b64(b'[' * 700)}.{a.signed().partition('.')[2]}"),
    "an unknown client": (Code.ASSERTION_CLIENT_UNKNOWN, lambda a: a.but(iss=str(uuid4()), sub=str(uuid4())).signed()),
    "a client that is no id": (Code.ASSERTION_CLIENT_UNKNOWN, lambda a: a.but(iss="RXX", sub="RXX").signed()),
    "no issuer": (Code.ASSERTION_CLIENT_UNKNOWN, lambda a: a.but(without=("iss",)).signed()),
    "another subject": (Code.ASSERTION_SUBJECT, lambda a: a.but(sub=str(uuid4())).signed()),
    "no subject": (Code.ASSERTION_SUBJECT, lambda a: a.but(without=("sub",)).signed()),
    "another audience": (Code.ASSERTION_AUDIENCE, lambda a: a.but(aud="https://elsewhere.example/oauth2/token").signed()),
    "the audience with a slash": (Code.ASSERTION_AUDIENCE, lambda a: a.but(aud=f"{a.audience}/").signed()),
    "two audiences": (Code.ASSERTION_AUDIENCE, lambda a: a.but(aud=[a.audience, "https://elsewhere.example"]).signed()),
    "no audience": (Code.ASSERTION_AUDIENCE, lambda a: a.but(without=("aud",)).signed()),
    "expired": (Code.ASSERTION_EXPIRED, lambda a: a.but(iat=_at(a) - 400, exp=_at(a) - 120).signed()),
    "good for too long": (Code.ASSERTION_TOO_LONG, lambda a: a.but(exp=_at(a) + 3600).signed()),
    "good for too long since it was made": (Code.ASSERTION_TOO_LONG, lambda a: a.but(iat=_at(a) - 100, exp=_at(a) + 250).signed()),
    "good for ever": (Code.ASSERTION_TOO_LONG, lambda a: a.but(exp=10**400).signed()),
    "good until no number": (Code.ASSERTION_TOO_LONG, lambda a: a.but(exp=float("nan")).signed()),
    "good until words": (Code.ASSERTION_TOO_LONG, lambda a: a.but(exp="tomorrow").signed()),
    "without an end": (Code.ASSERTION_TOO_LONG, lambda a: a.but(without=("exp",)).signed()),
    "made in the future": (Code.ASSERTION_TOO_SOON, lambda a: a.but(iat=_at(a) + 120).signed()),
    "not valid before the future": (Code.ASSERTION_TOO_SOON, lambda a: a.but(nbf=_at(a) + 120).signed()),
    "no id": (Code.ASSERTION_ID, lambda a: a.but(without=("jti",)).signed()),
    "an id too long": (Code.ASSERTION_ID, lambda a: a.but(jti="x" * 129).signed()),
    "an id that is a number": (Code.ASSERTION_ID, lambda a: a.but(jti=7).signed()),
}
