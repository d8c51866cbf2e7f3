# SPDX-License-Identifier: MIT
"""Public keys of clients: read from a JWK Set, judged, and named by their RFC 7638 thumbprint."""

from __future__ import annotations

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused

MOST_BYTES = 64 * 1024
"""Largest JWK Set that is read."""
MOST_KEYS = 4
"""Most keys that one JWK Set brings in."""
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192
"""A longer modulus would make each verification a burden."""

ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS512": ("RSA", None),
    "RS384": ("RSA", None),
    "ES384": ("EC", "P-384"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""The signatures that are taken, each with the kind of key it needs: NHS API platform, SMART Backend Services, RFC 8037 and RFC 9864."""

PrivateOrPublic: TypeAlias = RSAKey | ECKey | OKPKey

_TYPES: Mapping[str, type[PrivateOrPublic]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_PUBLIC_MEMBERS = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
_PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
_KID = re.compile(r"[A-Za-z0-9._~:/@+=-]{1,128}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that a client signs with: its kid, its thumbprint, the algorithms it is good for, and its public members alone."""

    kid: str
    thumbprint: str
    algorithms: frozenset[str]
    members: Mapping[str, str]

    def jwk(self) -> dict[str, str]:
        """Return it as a JWK; ``alg`` only where the client bound the key to one."""
        bound = {"alg": next(iter(self.algorithms))} if len(self.algorithms) == 1 else {}
        return {**self.members, "kid": self.kid, "use": "sig", **bound}

    def native(self) -> PrivateOrPublic:
        """Return it as the library takes it."""
        return _TYPES[self.members["kty"]].import_key(dict(self.members))


class Registry(JWSRegistry):
    """The library's rules with our algorithms alone, and with room for a registered address in the header."""

    max_header_length = 1024
    max_payload_length = 4096

    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__(algorithms=sorted(allowed & ALGORITHMS.keys()))

    def get_alg(self, name: str) -> Any:
        """Return the algorithm; raises ``UnsupportedAlgorithmError``. Spares the library's warning of EdDSA: our keys name a curve."""
        return self.algorithms[name] if self.allowed and name in self.allowed else super().get_alg("")


def strict_json(text: bytes | str) -> Any:
    """Return what the JSON says; raises ``ValueError`` for a name used twice in an object, for what is no JSON, and when it is too deep."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name is used twice")
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except RecursionError:
        raise ValueError("too deep") from None


def read_key_set(document: bytes) -> tuple[PublicKey, ...]:
    """Return the keys of a JWK Set, or the one key of a JWK; raises ``Refused`` when one of them cannot be let in."""
    members = _members_of(document)
    keys = tuple(_key(each) for each in members)
    if not keys or len({key.kid for key in keys}) != len(keys) or len({key.thumbprint for key in keys}) != len(keys):
        raise Refused(Issue(Code.CLIENT_KEY_FORMAT))
    return _not_too_many(keys)


def usable_keys(document: bytes) -> tuple[PublicKey, ...]:
    """Return those keys of a published JWK Set that can be used, passing over the others; raises ``Refused`` when it is no JWK Set."""
    found: dict[str, PublicKey] = {}
    for each in _members_of(document):
        try:
            key = _key(each)
        except Refused:
            continue
        if key.kid not in found and all(key.thumbprint != other.thumbprint for other in found.values()):
            found[key.kid] = key
    return _not_too_many(tuple(found.values()))


def write_key_set(keys: tuple[PublicKey, ...]) -> str:
    """Return the keys as a JWK Set."""
    return json.dumps({"keys": [key.jwk() for key in keys]}, sort_keys=True)


def fingerprint(thumbprint: str) -> str:
    """Return the thumbprint's 256 bits as hexadecimal digits in sixteen groups of four, to be read aloud and compared by telephone."""
    digits = urlsafe_b64decode(thumbprint + "=").hex()
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def is_fingerprint_of(typed: str, thumbprint: str) -> bool:
    """Tell whether what a person typed, however it is spaced, is the fingerprint of this thumbprint (or the thumbprint itself)."""
    digits = re.sub(r"[\s:-]", "", typed).lower().encode("ascii", "replace")
    spoken = fingerprint(thumbprint).replace(" ", "").encode()
    return hmac.compare_digest(digits, spoken) or hmac.compare_digest(typed.strip().encode("utf-8", "replace"), thumbprint.encode())


def _members_of(document: bytes) -> list[dict[str, Any]]:
    if len(document) > MOST_BYTES:
        raise Refused(Issue(Code.CLIENT_KEY_FORMAT))
    try:
        found = strict_json(document)
    except ValueError:
        raise Refused(Issue(Code.CLIENT_KEY_FORMAT)) from None
    keys = [found] if isinstance(found, dict) and "kty" in found else found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise Refused(Issue(Code.CLIENT_KEY_FORMAT))
    return keys


def _not_too_many(keys: tuple[PublicKey, ...]) -> tuple[PublicKey, ...]:
    if len(keys) > MOST_KEYS:
        raise Refused(Issue(Code.CLIENT_KEYS_TOO_MANY))
    return keys


def _key(given: dict[str, Any]) -> PublicKey:
    kind, kid = given.get("kty"), given.get("kid")
    if _PRIVATE_MEMBERS & given.keys():
        raise Refused(Issue(Code.CLIENT_KEY_PRIVATE))
    if not isinstance(kind, str) or not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise Refused(Issue(Code.CLIENT_KEY_FORMAT))
    algorithms = frozenset(name for name, (wanted, curve) in ALGORITHMS.items() if wanted == kind and curve in (None, given.get("crv")))
    if not algorithms:
        raise Refused(Issue(Code.CLIENT_KEY_KIND))
    operations = given.get("key_ops", ["verify"])
    if given.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise Refused(Issue(Code.CLIENT_KEY_KIND))
    if (bound := given.get("alg")) is not None:
        if not isinstance(bound, str) or bound not in algorithms:
            raise Refused(Issue(Code.CLIENT_KEY_KIND))
        algorithms = frozenset((bound,))
    members = _sound(kind, given)
    return PublicKey(kid, _thumbprint(members), algorithms, members)


def _sound(kind: str, given: dict[str, Any]) -> dict[str, str]:
    """Return the public members in their one canonical spelling; raises ``Refused`` when they make no key, or a weak one."""
    wanted = {name: given.get(name) for name in _PUBLIC_MEMBERS[kind]}
    try:
        native = _TYPES[kind].import_key(wanted).public_key  # type: ignore[arg-type]
        spelled = _TYPES[kind].import_key(native).as_dict()  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, OverflowError):
        raise Refused(Issue(Code.CLIENT_KEY_FORMAT)) from None
    if isinstance(native, RSAPublicKey):
        numbers = native.public_numbers()
        if not LEAST_RSA_BITS <= native.key_size <= MOST_RSA_BITS or not 65537 <= numbers.e < 2**32 or numbers.e % 2 == 0:
            raise Refused(Issue(Code.CLIENT_KEY_WEAK))
    return {name: str(spelled[name]) for name in _PUBLIC_MEMBERS[kind]}


def _thumbprint(members: Mapping[str, str]) -> str:
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(sha256(canonical).digest()).rstrip(b"=").decode()
