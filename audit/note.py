# SPDX-License-Identifier: MIT
"""Signed notes with Ed25519 keys (https://c2sp.org/signed-note) and log checkpoints (https://c2sp.org/tlog-checkpoint)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.merkle import HASH_SIZE

MAX_NOTE = 256 * 1024
MAX_SIGNATURES = 64
_ED25519 = b"\x01"
DASH = "\u2014 "
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,17}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteRefused(Exception):
    """The text is not a note of the expected form, or no known key has signed it. ``advice`` says what a reader can do."""

    advice = "It is damaged or cut off, or another file than you think: ask for it again"


class KeyUnknown(NoteRefused):
    """None of the given keys has signed."""

    advice = (
        "Is the key that of this log, and of that time? Have it read out to you. If it is right, the file was altered: ask for it again"
    )


class SignatureInvalid(NoteRefused):
    """The text is not the one that a known key has signed."""

    advice = "It was altered after it was signed: ask for it again, and keep this one"


class OtherLog(NoteRefused):
    """What was signed is about another log than the one whose key this is."""

    advice = "Take the key of the log that the file names, or the file of the log whose key you hold"


def key_id(name: str, algorithm: bytes, public: bytes) -> bytes:
    """Return the four bytes by which signatures name this key; NoteRefused unless name and Ed25519 key are such as keys have."""
    if not name or "+" in name or _CONTROL.search(name) or any(character.isspace() for character in name):
        raise NoteRefused("a key name has neither spaces nor plus signs, and is not empty")
    if len(public) != 32:
        raise NoteRefused("an Ed25519 public key has 32 bytes")
    try:
        return sha256(name.encode() + b"\n" + algorithm + public).digest()[:4]
    except UnicodeEncodeError as error:
        raise NoteRefused("a key name is valid UTF-8") from error


def read_vkey(text: str, algorithm: bytes) -> tuple[str, bytes]:
    """Return name and public key of a vkey (``name+id+key``); NoteRefused if it is damaged or of another algorithm."""
    parts = text.strip().split("+", 2)
    if len(parts) != 3:
        raise NoteRefused("a verifier key has three parts, joined by plus signs")
    key = decode64(parts[2])
    if key[:1] != algorithm:
        raise NoteRefused(f"the verifier key is not an Ed25519 key of type 0x{algorithm.hex()}")
    if key_id(parts[0], algorithm, key[1:]).hex() != parts[1]:
        raise NoteRefused("the verifier key does not match its own key id")
    return parts[0], key[1:]


@dataclass(frozen=True, slots=True)
class Verifier:
    """A name and the Ed25519 public key (32 bytes) that signs under it."""

    name: str
    public: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_id", key_id(self.name, _ED25519, self.public))

    @classmethod
    def from_vkey(cls, text: str) -> Verifier:
        """Return the verifier that a vkey (``name+id+key``) describes; NoteRefused if it is damaged or of another algorithm."""
        return cls(*read_vkey(text, _ED25519))

    @property
    def vkey(self) -> str:
        """The text form in which the key is handed out."""
        return f"{self.name}+{self.key_id.hex()}+{encode64(_ED25519 + self.public)}"

    def verify(self, text: str, signature: bytes) -> None:
        """This key has signed ``text``, or NoteRefused is raised."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise SignatureInvalid("the signature of a known key is not valid") from error


@dataclass(frozen=True, slots=True)
class Signer:
    """A name and the Ed25519 private key that signs under it."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)
    verifier: Verifier = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verifier", Verifier(self.name, self.private.public_key().public_bytes_raw()))

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Signer:
        """Return the signer whose private key is ``seed`` (32 bytes)."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    def line(self, text: str) -> str:
        """Return this key's signature line for ``text``; the same text gives the same line."""
        return f"{DASH}{self.name} {encode64(self.verifier.key_id + self.private.sign(text.encode()))}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, and those of the known keys that have signed it."""

    text: str
    signed_by: tuple[Verifier, ...]


def sign_note(text: str, *signers: Signer) -> str:
    """Return the note of ``text`` with one signature of each signer; ValueError if the text cannot be one of a note."""
    if not signers or not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("a note has a text of whole lines without control characters, and a signer")
    return text + "\n" + "".join(signer.line(text) for signer in signers)


def open_note(note: str, *verifiers: Verifier) -> Note:
    """Return the text once at least one of the keys has signed it.

    NoteRefused if the form is wrong, no given key has signed, or a signature of a given key does not verify. Signatures of
    other keys are ignored, as the specification demands.
    """
    text, lines = split_note(note)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    signed_by: dict[Verifier, None] = {}
    for name, key_id, signature in lines:
        if verifier := known.get((name, key_id)):
            verifier.verify(text, signature)
            signed_by[verifier] = None
    if not signed_by:
        raise KeyUnknown("no known key has signed the note")
    return Note(text, tuple(signed_by))


def split_note(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Return the text, not verified, and each signature line as name, key id and signature; NoteRefused if the form is wrong."""
    if len(note) > MAX_NOTE:
        raise NoteRefused("the note is too long")
    try:
        note.encode()
    except UnicodeEncodeError as error:
        raise NoteRefused("the note is not valid UTF-8") from error
    text, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise NoteRefused("a note is a text, an empty line and signature lines")
    if _CONTROL.search(note):
        raise NoteRefused("a note has no control characters")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteRefused("the note has too many signatures")
    return text + "\n", list(_signatures(lines))


def _signatures(lines: list[str]) -> Iterator[tuple[str, bytes, bytes]]:
    for line in lines:
        name, space, encoded = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or not name or "+" in name or not space:
            raise NoteRefused("a signature line is a dash, a key name and a signature")
        signature = decode64(encoded)
        if len(signature) < 5:
            raise NoteRefused("a signature begins with a key id of four bytes")
        yield name, signature[:4], signature[4:]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The whole log in three lines: its name, how many leaves it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin or _CONTROL.search(self.origin):
            raise NoteRefused("an origin is one line and not empty")
        if self.size < 0 or len(self.root) != HASH_SIZE:
            raise NoteRefused("a checkpoint has a size and a root of 32 bytes")

    def to_text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{encode64(self.root)}\n"

    @classmethod
    def from_text(cls, text: str) -> Checkpoint:
        """Return the checkpoint that a note's text holds; NoteRefused if it holds none. Extension lines are passed over."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise NoteRefused("a checkpoint has at least three lines, none of them empty")
        return cls(lines[0], decimal(lines[1]), decode64(lines[2]))


def open_checkpoint(note: str, *verifiers: Verifier) -> Checkpoint:
    """Return the checkpoint that the log itself has signed; NoteRefused unless a given key that bears the log's name did."""
    opened = open_note(note, *verifiers)
    checkpoint = Checkpoint.from_text(opened.text)
    if not any(verifier.name == checkpoint.origin for verifier in opened.signed_by):
        raise OtherLog("the checkpoint is of another log")
    return checkpoint


def encode64(data: bytes) -> str:
    """Return the standard Base64 form (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode64(text: str) -> bytes:
    """Return the bytes of a standard Base64 text; NoteRefused unless it is the one text that encodes them."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteRefused("a value is not Base64") from error
    if encode64(data) != text:
        raise NoteRefused("a value is not in the one Base64 form it can have")
    return data


def decimal(text: str) -> int:
    """Return the number that a decimal without leading zeroes stands for; NoteRefused if it is none, or over 18 digits."""
    if not _DECIMAL.fullmatch(text):
        raise NoteRefused("a number is not a plain decimal")
    return int(text)
