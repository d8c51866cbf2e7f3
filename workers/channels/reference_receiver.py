# SPDX-License-Identifier: MIT
"""Reference verifier for receivers of webhooks: copy this one file. Needs Python 3.11 and ``cryptography``.

RFC 9421 (Ed25519) over method, target URI, content type, content digest and idempotency key; RFC 9530 for the digest. Accept a delivery
only after ``verify`` returns; store it by ``delivery_id`` (the same one may come twice); then answer 200 with ``confirmation``.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

COMPONENTS = ("@method", "@target-uri", "content-type", "content-digest", "idempotency-key")
TAG = "notify-gateway"
MAX_AGE, SKEW = timedelta(minutes=5), timedelta(seconds=30)
_INPUT = re.compile(r'([a-z0-9_*.-]{1,32})=(\(((?:"[^"\\]+" ?)*)\)((?:;[a-z]+=(?:[0-9]{1,12}|"[ !#-\[\]-~]*"))*))')
_PARAMETER = re.compile(r';([a-z]+)=(?:([0-9]+)|"([^"]*)")')


class SignatureRefused(Exception):
    """The request is not what the gateway signed, or not fit to be used now: answer 401 and keep nothing."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class NonceStore(Protocol):
    """Remembers nonces; must be shared by all processes that receive (a table with a unique column does)."""

    def first_use(self, nonce: str, *, until: datetime) -> bool:
        """Return True once for each nonce, then False at least ``until`` that instant."""
        ...


@dataclass(frozen=True, slots=True)
class VerifiedDelivery:
    """What the signature proves."""

    delivery_id: str
    key_id: str
    signed_at: int
    digest: str

    @property
    def confirmation(self) -> dict[str, str]:
        """Return the JSON body of the 200 that tells the gateway that exactly these bytes are kept."""
        return {"delivery_id": self.delivery_id, "received": self.digest}


def verify(
    method: str, url: str, headers: Mapping[str, str], body: bytes, public_key: Ed25519PublicKey, seen: NonceStore, now: datetime
) -> VerifiedDelivery:
    """Return what is proved about a request. ``url`` is the absolute address as the gateway knows it; ``now`` is timezone-aware.

    Raises ``SignatureRefused``; the nonce is used up only by a request that is right in all else.
    """
    fields = {name.lower(): value.strip() for name, value in headers.items()}
    values = {"@method": method, "@target-uri": url} | {name: fields.get(name, "") for name in COMPONENTS[2:]}
    if not all(values.values()):
        raise SignatureRefused("header-missing")
    signed = _INPUT.fullmatch(fields.get("signature-input", ""))
    if signed is None:
        raise SignatureRefused("malformed")
    label, parameters, names, rest = signed.groups()
    covered = re.findall(r'"([^"]+)"', names)
    if sorted(covered) != sorted(COMPONENTS):
        raise SignatureRefused("components")
    pairs = _PARAMETER.findall(rest)
    given = {name: number or text for name, number, text in pairs}
    if len(given) != len(pairs) or not {"created", "expires", "nonce", "keyid", "tag"} <= given.keys():
        raise SignatureRefused("parameters")
    if given["tag"] != TAG or given.get("alg", "ed25519") != "ed25519":
        raise SignatureRefused("parameters")
    signature = re.fullmatch(re.escape(label) + r"=:([A-Za-z0-9+/]{86}==):", fields.get("signature", ""))
    if signature is None:
        raise SignatureRefused("malformed")
    base = "".join(f'"{name}": {values[name]}\n' for name in covered) + f'"@signature-params": {parameters}'
    try:
        public_key.verify(b64decode(signature[1]), base.encode())
    except InvalidSignature:
        raise SignatureRefused("signature") from None
    _check_time(given["created"], given["expires"], now)
    digest = sha256(body)
    if values["content-digest"] != f"sha-256=:{b64encode(digest.digest()).decode()}:":
        raise SignatureRefused("digest")
    if not given["nonce"] or not seen.first_use(given["nonce"], until=now + MAX_AGE + 2 * SKEW):
        raise SignatureRefused("nonce-used")
    return VerifiedDelivery(values["idempotency-key"], given["keyid"], int(given["created"]), digest.hexdigest())


def _check_time(created: str, expires: str, now: datetime) -> None:
    if not (created.isdigit() and expires.isdigit()):
        raise SignatureRefused("parameters")
    present, skew = now.timestamp(), SKEW.total_seconds()
    if int(created) > present + skew:
        raise SignatureRefused("from-the-future")
    if present > min(int(expires), int(created) + MAX_AGE.total_seconds()) + skew:
        raise SignatureRefused("expired")
