# SPDX-License-Identifier: MIT
"""Rotating the log's key: old and new sign side by side for a while, then the old one ends. The log keeps its name; old receipts hold."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from audit.durable import alone_in
from audit.events import Event
from audit.log import append
from audit.note import Signer, Verifier
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue
from notify_gateway.privacy.keys import SigningKey, SigningPurpose, VerifyingKey, fingerprint, load, save
from notify_gateway.privacy.log_keys import LogKey, LogKeys
from notify_gateway.store.tables import audit_tables

LOG_KEY: Final = "log.key.json"
LOG_RETIRING: Final = "log.retiring.key.json"
LOG_NEXT: Final = "log.next.key.json"
LOG_PUBLIC: Final = "log.pub.json"
LOG_KEYS: Final = "log.keys.json"


def published(folder: Path) -> LogKeys:
    """Return all keys of the log, newest first; without the list, the one public key. Raises ``KeyFileError``."""
    if (folder / LOG_KEYS).exists():
        return load(folder / LOG_KEYS, LogKeys)
    return LogKeys((LogKey(load(folder / LOG_PUBLIC, VerifyingKey), None, None),))


def verifiers(folder: Path, origin: str) -> tuple[Verifier, ...]:
    """Return what verifies the log's signatures, old ones too; newest first. Raises ``KeyFileError``."""
    return tuple(Verifier(origin, each.key.raw) for each in published(folder).keys)


def signers(folder: Path, origin: str) -> tuple[Signer, ...]:
    """Return who signs the log: its key and, while one retires, that one too. Raises ``KeyFileError``."""
    names = [LOG_KEY, *([LOG_RETIRING] if (folder / LOG_RETIRING).exists() else [])]
    return tuple(Signer(origin, load(folder / name, SigningKey).private) for name in names)


def rotate(engine: Engine, folder: Path, *, now: datetime, actor: str) -> VerifyingKey:
    """Make the log's next key: from the sequencer's next start both sign. One that a crash broke off is carried on.

    Raises ``Conflict`` while an older key still retires, and ``KeyFileError``.
    """
    with alone_in(folder):
        if (folder / LOG_RETIRING).exists() and not (folder / LOG_NEXT).exists():
            raise Conflict(Issue(Code.LOG_KEY_RETIRING))
        if not (folder / LOG_NEXT).exists():
            save(folder / LOG_NEXT, SigningKey.generate(SigningPurpose.LOG))
        key = load(folder / LOG_NEXT, SigningKey)
        public = key.public()
        known = published(folder)
        if public not in [each.key for each in known.keys]:
            # First it is known to everybody, then it signs.
            fields = {"purpose": "log", "fingerprint": fingerprint(public).replace(" ", "-")}
            with engine.begin() as connection:
                append(connection, audit_tables, [Event("key:made", at=now, actor=actor, subject=public.kid, fields=fields)])
            save(folder / LOG_KEYS, known.followed_by(public, now), replace=True)
        if not (folder / LOG_RETIRING).exists():
            save(folder / LOG_RETIRING, load(folder / LOG_KEY, SigningKey))
        save(folder / LOG_KEY, key, replace=True)
        save(folder / LOG_PUBLIC, public, replace=True)
        (folder / LOG_NEXT).unlink()
    return public


def retire(engine: Engine, folder: Path, *, now: datetime, actor: str) -> VerifyingKey:
    """End the overlap: the old private key is deleted, its public half stays in the list for the receipts that it signed.

    Raises ``Conflict`` when no key retires, and ``KeyFileError``.
    """
    with alone_in(folder):
        if not (folder / LOG_RETIRING).exists():
            raise Conflict(Issue(Code.LOG_KEY_NOT_RETIRING))
        old = load(folder / LOG_RETIRING, SigningKey).public()
        successor = load(folder / LOG_PUBLIC, VerifyingKey)
        fields = {"purpose": "log", "successor": successor.kid}
        with engine.begin() as connection:
            append(connection, audit_tables, [Event("key:retired", at=now, actor=actor, subject=old.kid, fields=fields)])
        save(folder / LOG_KEYS, published(folder).without(old, now), replace=True)
        (folder / LOG_RETIRING).unlink()
    return old
