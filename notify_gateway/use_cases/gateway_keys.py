# SPDX-License-Identifier: MIT
"""Rotating the gateway's key, which signs sealed headers, webhooks and promises: the next one is published first, and takes over later.

While both are there promises bear both signatures, and what goes out bears the old one's, which everybody knows. When the next takes over,
it vouches for what is still kept under the old one, and the old public key stays in the list: what it signed is verified by it for ever.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from audit.durable import alone_in
from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue
from notify_gateway.privacy.keys import SigningKey, SigningPurpose, VerifyingKey, fingerprint, load, save
from notify_gateway.privacy.log_keys import GatewayKeys, LogKey
from notify_gateway.privacy.sealing import CannotOpen, sign_header, verify_header
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core

GATEWAY_KEY: Final = "gateway.key.json"
GATEWAY_NEXT: Final = "gateway.next.key.json"
GATEWAY_PUBLIC: Final = "gateway.pub.json"
GATEWAY_KEYS: Final = "gateway.keys.json"


def published(folder: Path) -> GatewayKeys:
    """Return all keys of the gateway, newest first; without the list, the one public key. Raises ``KeyFileError``."""
    if (folder / GATEWAY_KEYS).exists():
        return load(folder / GATEWAY_KEYS, GatewayKeys)
    return GatewayKeys((LogKey(load(folder / GATEWAY_PUBLIC, VerifyingKey), None, None),))


def others(folder: Path, key: VerifyingKey) -> tuple[VerifyingKey, ...]:
    """Return the published keys but this one. Raises ``KeyFileError``."""
    if not (folder / GATEWAY_KEYS).exists():
        return ()
    return tuple(each.key for each in published(folder).keys if each.key != key)


def next_key(folder: Path) -> SigningKey | None:
    """Return the key that is to take over, or None. Raises ``KeyFileError``."""
    return load(folder / GATEWAY_NEXT, SigningKey) if (folder / GATEWAY_NEXT).exists() else None


def vouched(core: Core, header: bytes, signature: bytes) -> bytes:
    """Return the signature over a kept header by the key that signs now; one that no key of ours has signed stays as it is."""
    if not core.other_keys:
        return signature
    with suppress(CannotOpen):
        signer_of(header, signature, core.other_keys)
        return sign_header(header, core.signing_key)
    return signature


def signer_of(header: bytes, signature: bytes, keys: tuple[VerifyingKey, ...]) -> VerifyingKey:
    """Return the key that has signed the header; raises ``CannotOpen`` when none has."""
    for key in keys[:-1]:
        with suppress(CannotOpen):
            verify_header(header, signature, key)
            return key
    verify_header(header, signature, keys[-1])
    return keys[-1]


def rotate(engine: Engine, folder: Path, *, now: datetime, actor: str) -> VerifyingKey:
    """Make and publish the gateway's next key; one that a crash broke off is carried on.

    Raises ``Conflict`` while another waits to take over, and ``KeyFileError``.
    """
    with alone_in(folder):
        known = published(folder)
        waiting = next_key(folder)
        if waiting is not None and waiting.public() in [each.key for each in known.keys]:
            raise Conflict(Issue(Code.GATEWAY_KEY_RETIRING))
        if waiting is None:
            waiting = SigningKey.generate(SigningPurpose.GATEWAY)
            save(folder / GATEWAY_NEXT, waiting)
        public = waiting.public()
        fields = {"purpose": "gateway", "fingerprint": fingerprint(public).replace(" ", "-")}
        with engine.begin() as connection:
            append(connection, audit_tables, [Event("key:made", at=now, actor=actor, subject=public.kid, fields=fields)])
        save(folder / GATEWAY_KEYS, known.followed_by(public, now), replace=True)
    return public


def retire(engine: Engine, folder: Path, *, now: datetime, actor: str, reason: str = "rotated") -> VerifyingKey:
    """The next key takes over and the old private key is deleted; return the old public one, which stays in the list.

    One that a crash broke off is carried on. Raises ``Conflict`` when no key waits to take over, and ``KeyFileError``.
    """
    with alone_in(folder):
        known, successor = published(folder), next_key(folder)
        if successor is None or successor.public() not in [each.key for each in known.keys]:
            raise Conflict(Issue(Code.GATEWAY_KEY_NOT_RETIRING))
        public = successor.public()
        signing = next((each.key for each in known.keys if each.key != public and each.until is None), None)
        if signing is not None:
            fields = {"purpose": "gateway", "reason": reason, "successor": public.kid}
            with engine.begin() as connection:
                append(connection, audit_tables, [Event("key:retired", at=now, actor=actor, subject=signing.kid, fields=fields)])
            save(folder / GATEWAY_KEYS, known.without(signing, now), replace=True)
        save(folder / GATEWAY_KEY, successor, replace=True)
        save(folder / GATEWAY_PUBLIC, public, replace=True)
        (folder / GATEWAY_NEXT).unlink()
    return signing or next(each.key for each in known.keys if each.key != public)
