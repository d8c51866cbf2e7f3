# SPDX-License-Identifier: MIT
"""Cosignatures of witnesses, Ed25519 (https://c2sp.org/tlog-cosignature): made, verified, and attached to checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.note import DASH, Checkpoint, NoteRefused, Verifier, encode64, key_id, open_checkpoint, read_vkey, split_note

COSIGNATURE_V1 = b"\x04"
_STAMP = 8
_LAST = 253_402_300_799
"""The end of the year 9999, as seconds since 1970: whatever claims to be later was not signed by a witness with a clock."""


@dataclass(frozen=True, slots=True)
class WitnessVerifier:
    """A witness: its name, and the Ed25519 public key (32 bytes) that cosigns under it."""

    name: str
    public: bytes
    key_id: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_id", key_id(self.name, COSIGNATURE_V1, self.public))

    @classmethod
    def from_vkey(cls, text: str) -> WitnessVerifier:
        """Return the witness that a vkey (``name+id+key``) describes; NoteRefused if it is damaged or of another algorithm."""
        return cls(*read_vkey(text, COSIGNATURE_V1))

    @property
    def vkey(self) -> str:
        """The text form in which the key is handed out."""
        return f"{self.name}+{self.key_id.hex()}+{encode64(COSIGNATURE_V1 + self.public)}"

    def verify(self, text: str, signature: bytes) -> int:
        """Return when the witness cosigned ``text``, in seconds since 1970; NoteRefused if it did not."""
        seconds = int.from_bytes(signature[:_STAMP], "big")
        if len(signature) != _STAMP + 64 or not 0 < seconds <= _LAST:
            raise NoteRefused("the cosignature of a known witness has no instant, or the wrong length")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature[_STAMP:], _signed(text, seconds))
        except (InvalidSignature, ValueError) as error:
            raise NoteRefused("the cosignature of a known witness is not valid") from error
        return seconds


@dataclass(frozen=True, slots=True)
class WitnessSigner:
    """A witness's name, and the Ed25519 private key that cosigns under it and signs nothing else."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)
    verifier: WitnessVerifier = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verifier", WitnessVerifier(self.name, self.private.public_key().public_bytes_raw()))

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> WitnessSigner:
        """Return the witness whose private key is ``seed`` (32 bytes)."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    def line(self, text: str, seconds: int) -> str:
        """Return the cosignature line: at that second the checkpoint ``text`` was the largest that this witness has seen of its log."""
        if not 0 < seconds <= _LAST:
            raise ValueError("a cosignature has an instant between 1970 and the year 9999")
        signature = seconds.to_bytes(_STAMP, "big") + self.private.sign(_signed(text, seconds))
        return f"{DASH}{self.name} {encode64(self.verifier.key_id + signature)}\n"


@dataclass(frozen=True, slots=True)
class Cosignature:
    """That a witness has cosigned: who, when, and the line that proves it."""

    witness: WitnessVerifier
    at: datetime
    line: str


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that the log has signed, and the cosignatures of known witnesses upon it, one of each, the latest."""

    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]


def cosignatures(note: str, witnesses: Iterable[WitnessVerifier]) -> tuple[Cosignature, ...]:
    """Return the latest cosignature of each of these witnesses that has one, in the order of the note.

    NoteRefused if the form is wrong or a cosignature of one of them does not verify; lines of other keys are ignored, as the
    specification demands. Whether the log itself has signed is not asked.
    """
    text, lines = split_note(note)
    known = {(witness.name, witness.key_id): witness for witness in witnesses}
    found: dict[WitnessVerifier, Cosignature] = {}
    for name, identity, signature in lines:
        if witness := known.get((name, identity)):
            at = datetime.fromtimestamp(witness.verify(text, signature), UTC)
            if witness not in found or found[witness].at < at:
                found[witness] = Cosignature(witness, at, f"{DASH}{name} {encode64(identity + signature)}\n")
    return tuple(found.values())


def attach(note: str, lines: Iterable[str]) -> str:
    """Return the note with these signature lines after its own, each once; NoteRefused if the outcome would not be a note."""
    already = set(note.splitlines(keepends=True))
    cosigned = note + "".join(line for line in dict.fromkeys(lines) if line not in already)
    split_note(cosigned)
    return cosigned


def open_cosigned(note: str, log_keys: Sequence[Verifier], witnesses: Iterable[WitnessVerifier]) -> Cosigned:
    """Return the checkpoint with its cosignatures; NoteRefused unless the log has signed it and every known signature verifies."""
    return Cosigned(open_checkpoint(note, *log_keys), cosignatures(note, witnesses))


def _signed(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
