# SPDX-License-Identifier: MIT
"""ID tokens judged (OpenID Connect Core 1.0, 3.1.3.7): signed by a published key, by the one algorithm, for us, for this sign-in, fresh."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact

from notify_gateway.credentials.keys import LEAST_RSA_BITS, MOST_RSA_BITS, strict_json
from notify_gateway.credentials.providers import TENANT, Algorithm, Provider, Shape

MOST_BYTES: Final = 48 * 1024
MOST_KEYS: Final = 64
LEEWAY: Final = timedelta(seconds=60)
"""How far two honest clocks may be apart."""
OLDEST: Final = timedelta(minutes=10)
"""A token that was made longer ago is no answer to a sign-in of now."""
_BRING_KEYS = ("jwk", "x5c", "x5u", "jku", "crit", "b64")
_KINDS: Final[Mapping[str, type[RSAKey | ECKey]]] = {"RSA": RSAKey, "EC": ECKey}
_WANTED: Final = {
    Algorithm.RS256: ("RSA", None),
    Algorithm.RS512: ("RSA", None),
    Algorithm.PS256: ("RSA", None),
    Algorithm.ES256: ("EC", "P-256"),
    Algorithm.ES384: ("EC", "P-384"),
}


class IdTokenRefused(Exception):
    """The token proves nothing; ``reason`` is a word of ours for the log, and holds nothing of the token."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class KeyNotPublished(IdTokenRefused):
    """No key of those known has the token's kid: perhaps the provider has published a new one."""

    def __init__(self) -> None:
        super().__init__("kid-unknown")


class _Registry(JWSRegistry):
    max_header_length = 2048
    max_payload_length = 32 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the provider, and what came beside the token; ``since``: the owner had to prove anew who they are, since then."""

    nonce: str
    access_token: str | None = None
    since: datetime | None = None


def verify(text: str, provider: Provider, *, keys: Sequence[Mapping[str, Any]], asked: Asked, now: datetime) -> Mapping[str, Any]:
    """Return the claims; raises ``IdTokenRefused`` unless the token is this provider's answer to what was asked."""
    header, payload = _signed(text, provider.algorithm, keys)
    try:
        claims = strict_json(payload)
    except ValueError:
        raise IdTokenRefused("form") from None
    if not isinstance(claims, dict):
        raise IdTokenRefused("form")
    issuer = _issuer(provider, claims)
    _require_key_of(header["kid"], keys, (issuer, provider.issuer))
    _require_standard(provider, claims, header, asked, now)
    if claims.get("iss") != issuer:
        raise IdTokenRefused("iss")
    if claims.get("aud") not in (provider.client_id, [provider.client_id]):
        raise IdTokenRefused("aud")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), asked.nonce.encode()):
        raise IdTokenRefused("nonce")
    _require_fresh(claims, asked, now)
    return claims


def _signed(text: str, algorithm: Algorithm, keys: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], bytes]:
    parts = text.split(".")
    if len(text) > MOST_BYTES or not text.isascii() or len(parts) != 3:
        raise IdTokenRefused("form")
    try:
        header = strict_json(urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except ValueError:
        raise IdTokenRefused("form") from None
    if not isinstance(header, dict) or any(name in header for name in _BRING_KEYS):
        raise IdTokenRefused("header")
    if header.get("alg") != algorithm.value:
        raise IdTokenRefused("alg")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise IdTokenRefused("kid-missing")
    registry = _Registry(algorithms=[algorithm.value], strict_check_header=False)
    try:
        return header, deserialize_compact(text, _key(kid, algorithm, keys), registry=registry).payload
    except (JoseError, ValueError, TypeError):
        raise IdTokenRefused("signature") from None


def _key(kid: str, algorithm: Algorithm, keys: Sequence[Mapping[str, Any]]) -> RSAKey | ECKey:
    found = [each for each in keys[:MOST_KEYS] if each.get("kid") == kid]
    if not found:
        raise KeyNotPublished
    kind, curve = _WANTED[algorithm]
    jwk = found[0]
    fits = jwk.get("kty") == kind and jwk.get("use", "sig") == "sig" and jwk.get("alg", algorithm.value) == algorithm.value
    if len(found) > 1 or not fits or (curve is not None and jwk.get("crv") != curve):
        raise IdTokenRefused("key")
    wanted = ("kty", "n", "e") if kind == "RSA" else ("kty", "crv", "x", "y")
    try:
        key = _KINDS[kind].import_key({name: str(jwk[name]) for name in wanted})
        native = key.public_key
    except (JoseError, ValueError, TypeError, KeyError):
        raise IdTokenRefused("key") from None
    if isinstance(native, RSAPublicKey) and not LEAST_RSA_BITS <= native.key_size <= MOST_RSA_BITS:
        raise IdTokenRefused("key")
    return key


def _issuer(provider: Provider, claims: Mapping[str, Any]) -> str:
    """Return what ``iss`` has to be; raises ``IdTokenRefused`` for a tenant that is not let in."""
    if provider.shape is not Shape.ENTRA:
        return provider.issuer
    tenant = claims.get("tid")
    if not isinstance(tenant, str) or tenant not in provider.tenants:
        raise IdTokenRefused("tenant")
    return provider.issuer_for(tenant)


def _require_key_of(kid: str, keys: Sequence[Mapping[str, Any]], issuers: tuple[str, ...]) -> None:
    """Raise ``IdTokenRefused`` for a key that the provider publishes for another issuer than the token's (Entra says so of each)."""
    said = next(each for each in keys if each.get("kid") == kid).get("issuer")
    if said is not None and said not in issuers and TENANT not in str(said):
        raise IdTokenRefused("key-issuer")


def _require_standard(provider: Provider, claims: dict[str, Any], header: dict[str, Any], asked: Asked, now: datetime) -> None:
    params = {"nonce": asked.nonce, "client_id": provider.client_id, "access_token": asked.access_token}
    judged = CodeIDToken(claims, header, None, params)
    try:
        judged.validate(int(now.timestamp()), int(LEEWAY.total_seconds()))
    except (JoseError, ValueError, TypeError) as error:
        claim = str(getattr(error, "claim", ""))
        raise IdTokenRefused(claim if claim in CodeIDToken.REGISTERED_CLAIMS else "claims") from None


def _require_fresh(claims: Mapping[str, Any], asked: Asked, now: datetime) -> None:
    seconds, oldest = now.timestamp(), (OLDEST + LEEWAY).total_seconds()
    if seconds - claims["iat"] > oldest:
        raise IdTokenRefused("iat")
    if asked.since is None:
        return
    at = claims.get("auth_time")
    if isinstance(at, bool) or not isinstance(at, int | float) or at < asked.since.timestamp() - LEEWAY.total_seconds():
        raise IdTokenRefused("auth_time")
