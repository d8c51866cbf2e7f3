# SPDX-License-Identifier: MIT
"""Keys and their files: versioned JSON, readable by their owner alone, optionally under a passphrase (Argon2id RFC 9106, AES-256-GCM)."""

from __future__ import annotations

import json
import os
import secrets
import stat
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, Protocol, Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.privacy.encoding import Json, canonical_json, from_base64, to_base64, to_crockford
from notify_gateway.privacy.pseudonyms import ROOT_BYTES, PseudonymKeys
from notify_gateway.privacy.recipients import RecipientPrivateKey, RecipientPublicKey, RecipientPurpose, Suite
from notify_gateway.privacy.signing import SigningKey, SigningPurpose, VerifyingKey

__all__ = [
    "KeyFileError",
    "PseudonymRoots",
    "RecipientPrivateKey",
    "RecipientPublicKey",
    "RecipientPurpose",
    "SigningKey",
    "SigningPurpose",
    "Suite",
    "VerifyingKey",
    "fingerprint",
    "load",
    "save",
    "spoken",
]

FILE_VERSION = 1
PROTECTED_FORMAT = "notify-gateway/protected-key"

_MAX_FILE_BYTES = 64 * 1024
# RFC 9106 section 4, second recommended option. Version 1 of the file fixes them, so that a doctored file cannot ask for all the memory.
_PASSES, _LANES, _MEMORY_KIB = 3, 4, 64 * 1024
_KDF_OF_VERSION_1 = {"name": "argon2id", "passes": _PASSES, "lanes": _LANES, "memory_kib": _MEMORY_KIB, "salt": ""}


class KeyFileError(Exception):
    """A key file cannot be used; the message names the file and the fix, never what is in it."""


class Key(Protocol):
    """Whatever is kept as a key file."""

    FORMAT: ClassVar[str]
    SECRET: ClassVar[bool]

    def document(self) -> dict[str, Json]:
        """Return the fields of the key file."""
        ...

    @classmethod
    def from_document(cls, document: Mapping[str, Json]) -> Self:
        """Return the key of such fields."""
        ...


K = TypeVar("K", bound=Key)


@dataclass(frozen=True, slots=True)
class PseudonymRoots:
    """The versioned roots of all pseudonyms, as kept in a file."""

    FORMAT: ClassVar[str] = "notify-gateway/pseudonym-roots"
    SECRET: ClassVar[bool] = True

    roots: Mapping[int, PrivateBytes]

    @classmethod
    def generate(cls) -> Self:
        """Return a fresh root as version 1."""
        return cls({1: PrivateBytes(secrets.token_bytes(ROOT_BYTES))})

    def rotated(self) -> Self:
        """Return these roots with a fresh one as the newest version; the others stay live."""
        return type(self)({**self.roots, max(self.roots) + 1: PrivateBytes(secrets.token_bytes(ROOT_BYTES))})

    def keys(self) -> PseudonymKeys:
        """Return what derives pseudonyms; raises ``ValueError`` where ``PseudonymKeys`` does."""
        return PseudonymKeys({version: root.reveal() for version, root in self.roots.items()})

    def document(self) -> dict[str, Json]:
        """Return the fields of the key file."""
        return {"roots": {str(version): to_base64(root.reveal()) for version, root in self.roots.items()}}

    @classmethod
    def from_document(cls, document: Mapping[str, Json]) -> Self:
        """Return the roots; raises ``ValueError`` or ``KeyError`` if a field is wrong or missing."""
        roots = document["roots"]
        if not isinstance(roots, Mapping):
            raise ValueError("roots is not an object")
        return cls({int(version): PrivateBytes(from_base64(root)) for version, root in roots.items()})


def fingerprint(public: RecipientPublicKey | VerifyingKey) -> str:
    """Return 160 bits in eight groups of four, to be read aloud and compared outside the service.

    It covers every field of the public form, so that a key cannot be passed off as another authority's or for another purpose.
    """
    digest = sha256(canonical_json({"format": public.FORMAT, **public.document()})).digest()
    letters = to_crockford(digest[:20])
    return " ".join(letters[start : start + 4] for start in range(0, len(letters), 4))


def spoken(words: str) -> str:
    """Return a fingerprint without spacing and case, with the letters that Crockford base32 lacks read as the digits they sound like."""
    letters = "".join(character for character in words.upper() if not character.isspace() and character != "-")
    return letters.translate(str.maketrans("OIL", "011"))


def save(path: Path, key: Key, *, passphrase: str | None = None, replace: bool = False) -> None:
    """Write ``key`` so that after a crash the file is there whole or not at all; secret keys are readable by their owner alone.

    Raises ``KeyFileError`` if the file exists and is not to be replaced: a key overwritten by mistake cannot be had back.
    """
    fields = {"format": key.FORMAT, "version": FILE_VERSION, **key.document()}
    if passphrase is not None:
        fields = _protect(fields, passphrase)
    content = json.dumps(fields, indent=2).encode("ascii") + b"\n"
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400 if key.SECRET else 0o444)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
    except FileExistsError:
        raise KeyFileError(f"{path}: exists already; choose another name or move it away") from None
    finally:
        draft.unlink(missing_ok=True)
    _sync_directory(path.parent)


def load(path: Path, kind: type[K], *, passphrase: str | None = None) -> K:
    """Return the key of ``kind`` that the file holds.

    Raises ``KeyFileError`` if it is missing, malformed, of another kind, under another passphrase, or a secret key that others may read.
    """
    fields = _read(path, secret=kind.SECRET)
    if fields.get("format") == PROTECTED_FORMAT:
        if passphrase is None:
            raise KeyFileError(f"{path}: the key is under a passphrase; give it")
        fields = _unprotect(path, fields, passphrase)
    if fields.get("format") != kind.FORMAT or fields.get("version") != FILE_VERSION:
        raise KeyFileError(f"{path}: not a {kind.FORMAT} file of version {FILE_VERSION}")
    try:
        return kind.from_document(fields)
    except (KeyError, ValueError):
        raise KeyFileError(f"{path}: the fields of the key are not right; restore the file from its backup") from None


def _read(path: Path, *, secret: bool) -> dict[str, Json]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: cannot be read ({error.strerror})") from None
    if secret and os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise KeyFileError(f"{path}: other users of this machine may read this private key; run: chmod 0400 {path}")
    try:
        fields = json.loads(content) if len(content) <= _MAX_FILE_BYTES else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise KeyFileError(f"{path}: not a key file")
    return fields


def _protect(fields: dict[str, Json], passphrase: str) -> dict[str, Json]:
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    outside: dict[str, Json] = {
        "format": PROTECTED_FORMAT,
        "version": FILE_VERSION,
        "holds": fields["format"],
        "kdf": {"name": "argon2id", "passes": _PASSES, "lanes": _LANES, "memory_kib": _MEMORY_KIB, "salt": to_base64(salt)},
        "cipher": "AES-256-GCM",
        "nonce": to_base64(nonce),
    }
    sealed = AESGCM(_stretch(passphrase, salt)).encrypt(nonce, canonical_json(fields), canonical_json(outside))
    return outside | {"sealed": to_base64(sealed)}


def _unprotect(path: Path, fields: dict[str, Json], passphrase: str) -> dict[str, Json]:
    outside = {name: value for name, value in fields.items() if name != "sealed"}
    try:
        kdf = fields["kdf"]
        if not isinstance(kdf, dict) or kdf | {"salt": ""} != _KDF_OF_VERSION_1:
            raise KeyFileError(f"{path}: protected in a way that this version does not know")
        key = _stretch(passphrase, from_base64(kdf["salt"]))
        content = json.loads(AESGCM(key).decrypt(from_base64(fields["nonce"]), from_base64(fields["sealed"]), canonical_json(outside)))
    except InvalidTag:
        raise KeyFileError(f"{path}: wrong passphrase, or the file was changed") from None
    except (KeyError, ValueError):
        raise KeyFileError(f"{path}: not a key file") from None
    return dict(content)


def _stretch(passphrase: str, salt: bytes) -> bytes:
    words = unicodedata.normalize("NFC", passphrase).encode()
    return Argon2id(salt=salt, length=32, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB).derive(words)


def _sync_directory(directory: Path) -> None:
    """Make the new name itself durable; systems that cannot open a directory do not need it."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
