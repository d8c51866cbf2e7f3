# SPDX-License-Identifier: MIT
"""A trust's own side of signing in: keys, JWK Sets, and assertions, honest or forged, made without the service's code."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256, sha512
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Native = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def b64(value: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


@cache
def _native(kind: str, number: int) -> Native:
    match kind:
        case "RSA":
            return rsa.generate_private_key(65537, 2048)
        case "RSA-1024":
            return rsa.generate_private_key(65537, 1024)
        case "P-384":
            return ec.generate_private_key(ec.SECP384R1())
        case "P-256":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


@dataclass(frozen=True)
class TrustKey:
    """A key pair of a trust; those of the same kind and number are the same, for making them takes long."""

    kid: str
    kind: str = "Ed25519"
    number: int = 0

    @property
    def native(self) -> Native:
        return _native(self.kind, self.number)

    @property
    def members(self) -> dict[str, str]:
        public = self.native.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            return {"kty": "RSA", "n": b64(numbers.n.to_bytes(public.key_size // 8, "big")), "e": "AQAB"}
        if isinstance(public, ec.EllipticCurvePublicKey):
            point, size = public.public_numbers(), public.key_size // 8
            return {"kty": "EC", "crv": self.kind, "x": b64(point.x.to_bytes(size, "big")), "y": b64(point.y.to_bytes(size, "big"))}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes(Encoding.Raw, PublicFormat.Raw))}

    @property
    def jwk(self) -> dict[str, str]:
        return {**self.members, "kid": self.kid, "use": "sig"}

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of RFC 7638, as a trust would read it out."""
        return sha256(json.dumps(self.members, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    @property
    def private_pem(self) -> bytes:
        return self.native.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def algorithm(self) -> str:
        return {"RSA": "RS512", "P-384": "ES384"}.get(self.kind, "EdDSA")

    def sign(self, algorithm: str, message: bytes) -> bytes:
        native = self.native
        if isinstance(native, rsa.RSAPrivateKey):
            return native.sign(message, padding.PKCS1v15(), hashes.SHA384() if algorithm == "RS384" else hashes.SHA512())
        if isinstance(native, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(native.sign(message, ec.ECDSA(hashes.SHA384())))
            return r.to_bytes(48, "big") + s.to_bytes(48, "big")
        return native.sign(message)


def jwks(*keys: TrustKey) -> bytes:
    """Return the keys as a JWK Set."""
    return json.dumps({"keys": [key.jwk for key in keys]}).encode()


@dataclass
class Assertion:
    """An assertion that is right until something is changed about it."""

    key: TrustKey
    client_id: str
    audience: str
    now: datetime
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seconds = int(self.now.timestamp())
        self.header = {"alg": self.key.algorithm, "typ": "JWT", "kid": self.key.kid} | self.header
        self.claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "jti": str(uuid4()),
            "iat": seconds,
            "exp": seconds + 300,
        } | self.claims

    def but(self, *, without: tuple[str, ...] = (), **claims: Any) -> Assertion:
        """Change claims; those named in ``without`` are left out."""
        self.claims = {name: value for name, value in (self.claims | claims).items() if name not in without}
        return self

    def headed(self, *, without: tuple[str, ...] = (), **header: Any) -> Assertion:
        """Change the header."""
        self.header = {name: value for name, value in (self.header | header).items() if name not in without}
        return self

    def signed(self) -> str:
        """Sign with the trust's key, whatever the header says."""
        return f"{self._input()}.{b64(self.key.sign(str(self.header.get('alg')), self._input().encode()))}"

    def unsigned(self) -> str:
        """Leave the signature empty."""
        return f"{self._input()}."

    def hashed_with(self, secret: bytes) -> str:
        """Sign with HMAC-SHA-512, as the confusion of algorithms has it."""
        return f"{self._input()}.{b64(hmac.digest(secret, self._input().encode(), sha512))}"

    def _input(self) -> str:
        return f"{b64(json.dumps(self.header).encode())}.{b64(json.dumps(self.claims).encode())}"


def form(assertion: str, **more: str) -> dict[str, str]:
    """Return the token request that carries an assertion."""
    return {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **more}
