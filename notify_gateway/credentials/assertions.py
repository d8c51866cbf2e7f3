# SPDX-License-Identifier: MIT
"""Client assertions (RFC 7523, private_key_jwt): making one, and judging one that somebody sent."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import deserialize_compact

from notify_gateway.credentials.keys import ALGORITHMS, PrivateOrPublic, PublicKey, Registry, strict_json
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotAllowed

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_BYTES = 8 * 1024
MOST_HEADER_BYTES = Registry.max_header_length
LONGEST_LIFE = timedelta(seconds=300)
LEEWAY = timedelta(seconds=30)
"""How far two honest clocks may be apart."""
MOST_JTI = 128
_FARTHEST = 10**11
"""Seconds since 1970 beyond which no claim is an instant."""
_BRING_KEYS = ("jwk", "x5c", "x5u", "crit", "b64")


class SignInRefused(NotAllowed):
    """The client did not prove who it is; ``detail`` helps the honest and holds nothing that was sent."""

    def __init__(self, code: Code, detail: str = "") -> None:
        self.detail = detail
        super().__init__(Issue(code))


@dataclass(frozen=True, slots=True)
class Unproven:
    """What an assertion says of itself before anybody has looked at the signature: good for finding the key, and for nothing else."""

    text: str
    algorithm: str
    kid: str
    key_address: str | None
    issuer: str

    def __repr__(self) -> str:
        return "Unproven(<withheld>)"


@dataclass(frozen=True, slots=True)
class Spent:
    """That an assertion was used: the SHA-256 of its jti, and until when that must be remembered."""

    jti_hash: bytes
    until: datetime


def read(text: str) -> Unproven:
    """Return what the assertion says of itself; raises ``SignInRefused`` for what cannot be an assertion of ours, whoever sent it."""
    parts = text.split(".")
    if len(text) > MOST_BYTES or not text.isascii() or len(parts) != 3 or len(parts[0]) > MOST_HEADER_BYTES * 4 // 3:
        raise SignInRefused(Code.ASSERTION_FORM)
    header = _object(parts[0])
    algorithm, kid, address = header.get("alg"), header.get("kid"), header.get("jku")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise SignInRefused(Code.ASSERTION_ALGORITHM)
    if any(name in header for name in _BRING_KEYS) or not isinstance(address, str | None):
        raise SignInRefused(Code.ASSERTION_HEADER)
    if not isinstance(kid, str) or not kid:
        raise SignInRefused(Code.ASSERTION_KID_MISSING)
    issuer = _object(parts[1]).get("iss")
    if not isinstance(issuer, str):
        raise SignInRefused(Code.ASSERTION_CLIENT_UNKNOWN)
    return Unproven(text, algorithm, kid, address, issuer)


def prove(unproven: Unproven, key: PublicKey, *, audience: str, now: datetime) -> Spent:
    """Return what is to be remembered of the assertion; raises ``SignInRefused`` unless signature and claims are right."""
    if unproven.algorithm not in key.algorithms:
        raise SignInRefused(Code.ASSERTION_ALGORITHM)
    try:
        payload = deserialize_compact(unproven.text, key.native(), registry=Registry(key.algorithms)).payload
        claims = strict_json(payload)
    except (JoseError, ValueError, TypeError):
        raise SignInRefused(Code.ASSERTION_SIGNATURE) from None
    if claims.get("sub") != unproven.issuer or claims.get("iss") != unproven.issuer:
        raise SignInRefused(Code.ASSERTION_SUBJECT)
    if claims.get("aud") not in (audience, [audience]):
        raise SignInRefused(Code.ASSERTION_AUDIENCE, f"Expected is {audience} .")
    expires = _check_times(claims, int(now.timestamp()))
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= MOST_JTI:
        raise SignInRefused(Code.ASSERTION_ID)
    digest = sha256(jti.encode("utf-8", "surrogatepass")).digest()
    return Spent(digest, datetime.fromtimestamp(expires, UTC) + 2 * LEEWAY)


def _check_times(claims: Mapping[str, Any], now: int) -> int:
    leeway, longest = int(LEEWAY.total_seconds()), int(LONGEST_LIFE.total_seconds())
    expires = _instant(claims, "exp", Code.ASSERTION_TOO_LONG)
    if expires is None:
        raise SignInRefused(Code.ASSERTION_TOO_LONG, "There is no exp.")
    issued, not_before = _instant(claims, "iat", Code.ASSERTION_TOO_SOON), _instant(claims, "nbf", Code.ASSERTION_TOO_SOON)
    if expires <= now - leeway:
        raise SignInRefused(Code.ASSERTION_EXPIRED, f"It expired {now - expires} seconds ago by this service's clock.")
    ahead = max(issued or now, not_before or now) - now
    if ahead > leeway:
        raise SignInRefused(Code.ASSERTION_TOO_SOON, f"It begins {ahead} seconds from now by this service's clock.")
    if expires - now > longest + leeway:
        raise SignInRefused(Code.ASSERTION_TOO_LONG, f"It would expire {expires - now} seconds from now by this service's clock.")
    if issued is not None and expires - issued > longest:
        raise SignInRefused(Code.ASSERTION_TOO_LONG, f"Between iat and exp lie {expires - issued} seconds.")
    return expires


def _instant(claims: Mapping[str, Any], name: str, code: Code) -> int | None:
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _FARTHEST:
        raise SignInRefused(code, f"The claim {name} is not a number of seconds since 1970.")
    return int(value)


def _object(segment: str) -> dict[str, Any]:
    try:
        found = strict_json(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        raise SignInRefused(Code.ASSERTION_FORM) from None
    if not isinstance(found, dict):
        raise SignInRefused(Code.ASSERTION_FORM)
    return found


def same_address(given: str | None, registered: str | None) -> bool:
    """Tell whether a ``jku`` is absent, or the very address that was registered (SMART App Launch allows it to be named)."""
    return given is None or (registered is not None and hmac.compare_digest(given.encode("utf-8", "replace"), registered.encode()))


def make(*, key: PrivateOrPublic, kid: str, algorithm: str, client_id: str, audience: str, jti: str, now: datetime) -> str:
    """Return an assertion for the token endpoint ``audience``, signed with a private key; good for one use within five minutes."""
    seconds = int(now.timestamp())
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "jti": jti, "iat": seconds, "exp": seconds + 290}
    return jwt.encode({"alg": algorithm, "kid": kid}, claims, key, registry=Registry(frozenset((algorithm,))))
