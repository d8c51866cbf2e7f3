# SPDX-License-Identifier: MIT
"""A witness's judgement and memory (https://c2sp.org/tlog-witness): it cosigns what continues the largest tree that it has seen."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from audit.cosignature import WitnessSigner, attach, cosignatures
from audit.durable import alone_in, replace_file
from audit.merkle import EMPTY_ROOT, HASH_SIZE, ProofInvalid, verify_consistency
from audit.note import DASH, Checkpoint, NoteRefused, Verifier, decimal, decode64, encode64, open_note, split_note

MAX_REQUEST = 64 * 1024
"""Bytes of a request: 63 hashes, and a checkpoint with sixteen signatures even of the largest kind."""
MAX_PROOF = 63
_OWNER = "witness.vkey"
_HASH = re.compile(r"[0-9a-f]{64}")


class Why(StrEnum):
    """Why a witness does not cosign."""

    MALFORMED = "malformed"
    UNKNOWN_LOG = "unknown-log"
    NOT_SIGNED = "not-signed"
    OTHER_SIZE = "other-size"
    INCONSISTENT = "inconsistent"


class NotCosigned(Exception):
    """The checkpoint is not cosigned, and nothing has changed; ``known_size`` is the witness's own where the old size is another."""

    def __init__(self, why: Why, message: str, known_size: int | None = None) -> None:
        self.why, self.known_size = why, known_size
        super().__init__(message)


class StateRefused(Exception):
    """The folder is not this witness's memory, or is damaged: to cosign from it could be to cosign a fork."""


@dataclass(frozen=True, slots=True)
class Request:
    """A checkpoint to cosign, with the proof that it continues a tree of ``old`` leaves."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def to_bytes(self) -> bytes:
        """Return the request as it is sent."""
        return "".join((f"old {self.old}\n", *(f"{encode64(node)}\n" for node in self.proof), "\n", self.note)).encode()


@dataclass(frozen=True, slots=True)
class Seen:
    """The largest checkpoint of a log that the witness has cosigned, and when; ``note`` holds both signatures."""

    checkpoint: Checkpoint
    at: datetime
    note: str


def parse_request(body: bytes) -> Request:
    """Return what is asked, nothing of it verified yet; NotCosigned unless the form is exactly right."""
    try:
        head, gap, note = body.decode("utf-8").partition("\n\n")
        first, *lines = head.split("\n")
        if len(body) > MAX_REQUEST or not gap or not first.startswith("old ") or len(lines) > MAX_PROOF:
            raise NoteRefused("a request is an old size, at most 63 hashes, an empty line and a checkpoint")
        proof = tuple(decode64(line) for line in lines)
        if any(len(node) != HASH_SIZE for node in proof):
            raise NoteRefused("a hash of the proof has 32 bytes")
        split_note(note)
        return Request(decimal(first.removeprefix("old ")), proof, note)
    except (NoteRefused, UnicodeDecodeError) as error:
        raise NotCosigned(Why.MALFORMED, str(error) if isinstance(error, NoteRefused) else "the request is not UTF-8") from error


def make_state(folder: Path, signer: WitnessSigner) -> None:
    """The folder is the memory, still empty, of this witness and of no other; FileExistsError if it is one already."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / _OWNER).exists():
        raise FileExistsError(errno.EEXIST, "a witness has its memory there", str(folder / _OWNER))
    replace_file(folder / _OWNER, f"{signer.verifier.vkey}\n".encode())


def read_state(folder: Path, signer: WitnessSigner) -> list[Seen]:
    """Return the largest checkpoint of each log in a witness's memory, by origin; StateRefused unless the folder is this witness's."""
    _require_own(folder, signer)
    seen = [_remembered(path, signer) for path in folder.glob("*.checkpoint")]
    return sorted((each for each in seen if each), key=lambda each: each.checkpoint.origin)


class Witness:
    """Cosigns for the logs whose keys it is given. Several threads and processes may share one memory.

    The memory is made once, with the key (``make_state``), and never anew: a witness that has forgotten what it saw would cosign
    a fork in good faith, so it takes a new key instead.
    """

    def __init__(self, signer: WitnessSigner, logs: Iterable[Verifier], state: Path, now: Callable[[], datetime]) -> None:
        """Raises ``StateRefused`` unless the folder is this witness's memory."""
        self._signer, self._state, self._now = signer, state, now
        self._logs: dict[str, list[Verifier]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        _require_own(state, signer)

    def add_checkpoint(self, body: bytes) -> str:
        """Return the cosignature line, once the checkpoint is durable as the largest that was seen of its log.

        NotCosigned when the specification forbids it; OSError when the disk does; StateRefused when the memory is damaged.
        """
        asked = parse_request(body)
        checkpoint = self._signed_by_log(asked.note)
        if asked.old > checkpoint.size:
            raise NotCosigned(Why.MALFORMED, "the old size is larger than the checkpoint's")
        text, _ = split_note(asked.note)
        with alone_in(self._state):
            before = self.seen(checkpoint.origin)
            known = before.checkpoint.size if before else 0
            if asked.old != known:
                raise NotCosigned(Why.OTHER_SIZE, "the old size is not the one last cosigned", known)
            _require_consistent(before.checkpoint if before else None, checkpoint, asked.proof)
            # A clock that was put back must not make an earlier instant speak of a larger tree.
            seconds = max(int(self._now().timestamp()), int(before.at.timestamp()) if before else 0)
            line = self._signer.line(text, seconds)
            kept = _lines_of(asked.note, self._logs[checkpoint.origin])
            replace_file(self._path(_hash(checkpoint.origin)), attach(f"{text}\n{kept}", [line]).encode())
        return line

    def seen(self, origin: str) -> Seen | None:
        """Return the largest checkpoint that was cosigned of a log, or None before the first; StateRefused if the memory is damaged."""
        return _remembered(self._path(_hash(origin)), self._signer)

    def seen_note(self, origin_hash: str) -> str | None:
        """Return the cosigned checkpoint of the log whose origin has this SHA-256 in lowercase hex, or None before the first."""
        if not _HASH.fullmatch(origin_hash):
            return None
        seen = _remembered(self._path(origin_hash), self._signer)
        return seen.note if seen else None

    def _signed_by_log(self, note: str) -> Checkpoint:
        text, _ = split_note(note)
        origin = text.partition("\n")[0]
        if not origin:
            raise NotCosigned(Why.MALFORMED, "a checkpoint has an origin")
        keys = self._logs.get(origin)
        if keys is None:
            raise NotCosigned(Why.UNKNOWN_LOG, "this witness does not know the log")
        try:
            open_note(note, *keys)
        except NoteRefused as error:
            raise NotCosigned(Why.NOT_SIGNED, str(error)) from error
        try:
            return Checkpoint.from_text(text)
        except NoteRefused as error:
            raise NotCosigned(Why.MALFORMED, str(error)) from error

    def _path(self, origin_hash: str) -> Path:
        return self._state / f"{origin_hash}.checkpoint"


def _require_own(folder: Path, signer: WitnessSigner) -> None:
    try:
        owner = (folder / _OWNER).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StateRefused("the folder is not the memory of a witness, or the memory was lost") from error
    if owner != signer.verifier.vkey:
        raise StateRefused("the folder is the memory of a witness with another name or key")


def _remembered(path: Path, signer: WitnessSigner) -> Seen | None:
    """Return what is remembered of a log, or None if nothing is; StateRefused unless this witness has signed it for this very log."""
    try:
        note = path.read_text("utf-8")
        text, _ = split_note(note)
        seen = Seen(Checkpoint.from_text(text), cosignatures(note, [signer.verifier])[0].at, note)
    except FileNotFoundError:
        return None
    except (NoteRefused, UnicodeDecodeError, IndexError) as error:
        raise StateRefused("what is remembered of a log is damaged; restore nothing, and take a new key") from error
    if path.stem != _hash(seen.checkpoint.origin):
        raise StateRefused("what is remembered of a log is that of another")
    return seen


def _require_consistent(old: Checkpoint | None, new: Checkpoint, proof: tuple[bytes, ...]) -> None:
    if new.size == 0 and new.root != EMPTY_ROOT:
        raise NotCosigned(Why.INCONSISTENT, "an empty tree has the root of the empty tree")
    if old is None or old.size == 0:
        if proof:
            raise NotCosigned(Why.INCONSISTENT, "from the empty tree on there is nothing to prove")
        return
    try:
        verify_consistency(old=old.size, new=new.size, old_root=old.root, new_root=new.root, proof=proof)
    except ProofInvalid as error:
        raise NotCosigned(Why.INCONSISTENT, str(error)) from error


def _lines_of(note: str, keys: Iterable[Verifier]) -> str:
    """Return the signature lines of these keys, which have been verified; those of anybody else are not kept."""
    known = {(key.name, key.key_id) for key in keys}
    _, lines = split_note(note)
    return "".join(f"{DASH}{name} {encode64(identity + signature)}\n" for name, identity, signature in lines if (name, identity) in known)


def _hash(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()
