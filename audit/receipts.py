# SPDX-License-Identifier: MIT
"""What a sender keeps: the promise given with the acceptance, and the receipt that proves it kept (https://c2sp.org/tlog-proof)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from audit.merkle import HASH_SIZE, ProofInvalid, verify_inclusion
from audit.note import Checkpoint, NoteRefused, Signer, Verifier, decimal, decode64, encode64, open_checkpoint, open_note, sign_note

FORMAT = "c2sp.org/tlog-proof@v1"
PROMISE_SECONDS = 60
MAX_PROOF = 63
_SECONDS = "%Y-%m-%dT%H:%M:%SZ"


class ReceiptRefused(Exception):
    """The receipt or promise does not prove what it is said to prove; the message says why."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A leaf's place in the log, the proof of it, and the signed checkpoint that the proof leads to."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def to_text(self) -> str:
        """Return the receipt as it is stored in a ``.tlog-proof`` file."""
        extra = "" if self.extra is None else f"extra {encode64(self.extra)}\n"
        proof = "".join(f"{encode64(node)}\n" for node in self.proof)
        return f"{FORMAT}\n{extra}index {self.index}\n{proof}\n{self.checkpoint}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a valid receipt proves: the leaf is at ``index`` in the log that ``checkpoint`` describes, signed by ``signed_by``."""

    index: int
    checkpoint: Checkpoint
    signed_by: str

    def sentence(self) -> str:
        """Return the finding in plain English."""
        log = self.checkpoint
        return f"The entry has index {self.index} among the {log.size} entries of the log {log.origin}."


def parse_receipt(text: str) -> Receipt:
    """Return the receipt that the text holds, nothing of it verified yet; ReceiptRefused unless its form is exactly right."""
    head, gap, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != FORMAT:
        raise ReceiptRefused(f"the receipt is not of the form {FORMAT}, or it is cut off. Ask for it again")
    try:
        extra = decode64(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
        if not lines or not lines[0].startswith("index "):
            raise ReceiptRefused("the receipt names no index")
        index = decimal(lines.pop(0).removeprefix("index "))
        proof = tuple(decode64(line) for line in lines)
    except NoteRefused as error:
        raise ReceiptRefused(f"the receipt is damaged: {error}. Ask for it again") from error
    if len(proof) > MAX_PROOF or any(len(node) != HASH_SIZE for node in proof):
        raise ReceiptRefused("the proof is not a list of hashes of 32 bytes")
    return Receipt(index, proof, checkpoint, extra)


def verify_receipt(text: str, leaf_hash: bytes, *log_keys: Verifier) -> Verdict:
    """Return what the receipt proves about the leaf; ReceiptRefused unless everything in it holds under one of the log's keys."""
    receipt = parse_receipt(text)
    try:
        checkpoint = open_checkpoint(receipt.checkpoint, *log_keys)
    except NoteRefused as error:
        raise ReceiptRefused(f"the checkpoint in the receipt of entry {receipt.index}: {error}. {error.advice}") from error
    try:
        verify_inclusion(leaf=leaf_hash, index=receipt.index, size=checkpoint.size, proof=receipt.proof, root=checkpoint.root)
    except ProofInvalid as error:
        raise ReceiptRefused(
            f"the receipt of entry {receipt.index} of {checkpoint.size} does not prove this entry: {error}. Is it another entry's "
            "receipt? Else one of the two was altered: ask for both again, and compare"
        ) from error
    return Verdict(receipt.index, checkpoint, checkpoint.origin)


@dataclass(frozen=True, slots=True)
class Promise:
    """The signer undertakes that the leaf is in the log ``origin`` within ``seconds`` of ``accepted_at``."""

    origin: str
    leaf_hash: bytes
    accepted_at: datetime
    seconds: int = PROMISE_SECONDS

    @property
    def due_at(self) -> datetime:
        """The instant after which a log without the leaf breaks the promise."""
        return self.accepted_at + timedelta(seconds=self.seconds)


def make_promise(*signers: Signer, origin: str, leaf_hash: bytes, accepted_at: datetime) -> str:
    """Return the promise of each signer that the leaf is in the log within 60 seconds of ``accepted_at`` (kept to whole seconds)."""
    if len(leaf_hash) != HASH_SIZE or accepted_at.tzinfo is None:
        raise ValueError("a promise is about a hash of 32 bytes and an instant with its time zone")
    accepted = accepted_at.astimezone(UTC).strftime(_SECONDS)
    return sign_note(f"{origin}/promise\n{encode64(leaf_hash)}\n{accepted}\n{PROMISE_SECONDS}\n", *signers)


def verify_promise(text: str, leaf_hash: bytes, *gateway_keys: Verifier) -> Promise:
    """Return the promise that one of the gateway's keys gave about this leaf; ReceiptRefused if none did."""
    try:
        lines = open_note(text, *gateway_keys).text.split("\n")
        if len(lines) != 5 or lines[4] or not lines[0].endswith("/promise"):
            raise ReceiptRefused("the note is not a promise")
        promised, seconds = decode64(lines[1]), decimal(lines[3])
        accepted_at = datetime.strptime(lines[2], _SECONDS).replace(tzinfo=UTC)
        promise = Promise(lines[0].removesuffix("/promise"), promised, accepted_at, seconds)
        _ = promise.due_at
    except NoteRefused as error:
        raise ReceiptRefused(f"the promise: {error}. {error.advice}") from error
    except (ValueError, OverflowError) as error:
        raise ReceiptRefused("the promise names no instant") from error
    if promise.leaf_hash != leaf_hash:
        raise ReceiptRefused("the promise is about another entry. Look for the entry that came with it, byte for byte")
    return promise


class Standing(StrEnum):
    """How a promise stands: kept; not due yet; due and nothing shown; due, and the signed log lacks the leaf."""

    KEPT = "kept"
    OPEN = "open"
    OVERDUE = "overdue"
    BROKEN = "broken"


def judge_promise(promise: Promise, *, in_log: bool | None, at: datetime) -> Standing:
    """Return how the promise stands at the instant ``at``; ``in_log`` is what a verified receipt or export shows, None without either."""
    if in_log:
        return Standing.KEPT
    if at <= promise.due_at:
        return Standing.OPEN
    return Standing.OVERDUE if in_log is None else Standing.BROKEN
