# SPDX-License-Identifier: MIT
"""The whole log as JSON lines: a signed checkpoint, then each entry in order, in full or as its hash alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.merkle import HASH_SIZE, Frontier, leaf_hash
from audit.note import Checkpoint, NoteRefused, Verifier, decode64, encode64, open_checkpoint

FORMAT = "audit-export"
VERSION = 1


class ExportRefused(Exception):
    """The export is not the log that its checkpoint describes; the message says why."""


@dataclass(frozen=True, slots=True)
class ExportVerdict:
    """What a valid export proves: these are all entries, ``in_full`` of them readable; ``found`` is the index of the one sought."""

    checkpoint: Checkpoint
    in_full: int
    found: int | None


def head_line(checkpoint_note: str) -> str:
    """Return the first line of an export."""
    return json.dumps({"format": FORMAT, "version": VERSION, "checkpoint": checkpoint_note}) + "\n"


def leaf_line(index: int, leaf: bytes) -> str:
    """Return the line of an entry in full; UnicodeDecodeError for bytes that no event makes."""
    return json.dumps({"index": index, "leaf": leaf.decode("ascii")}) + "\n"


def hash_line(index: int, leaf_hash: bytes) -> str:
    """Return the line of an entry that the reader of the export may not read."""
    return json.dumps({"index": index, "hash": encode64(leaf_hash)}) + "\n"


def verify_export(
    lines: Iterable[str], log_keys: Sequence[Verifier], *, earlier: Checkpoint | None = None, seek: bytes | None = None
) -> ExportVerdict:
    """Return what the export proves, after hashing every entry again; ExportRefused unless it leads to the signed root.

    With ``earlier``, a checkpoint kept from before, the log must also be a continuation of that one. ``seek`` is a leaf hash.
    """
    remaining = iter(lines)
    checkpoint = _read_head(next(remaining, ""), log_keys)
    if earlier is not None and (earlier.origin != checkpoint.origin or earlier.size > checkpoint.size):
        raise ExportRefused("the earlier checkpoint is of another log, or of more entries than there are now")
    frontier, in_full, found = Frontier(), 0, None
    _compare(frontier, earlier)
    for line in remaining:
        entry, readable = _read_entry(line, frontier.size)
        found = frontier.size if entry == seek else found
        in_full += readable
        frontier.append(entry)
        _compare(frontier, earlier)
    if frontier.size != checkpoint.size:
        raise ExportRefused(f"the checkpoint covers {checkpoint.size} entries, and the export has {frontier.size}")
    if frontier.root() != checkpoint.root:
        raise ExportRefused("an entry was changed: the entries do not lead to the signed root")
    return ExportVerdict(checkpoint, in_full, found)


def _compare(frontier: Frontier, earlier: Checkpoint | None) -> None:
    if earlier is not None and frontier.size == earlier.size and frontier.root() != earlier.root:
        raise ExportRefused("history was changed: the first entries do not lead to the earlier checkpoint's root")


def _read_head(line: str, log_keys: Sequence[Verifier]) -> Checkpoint:
    document = _object(line)
    note = document.get("checkpoint")
    if document.get("format") != FORMAT or document.get("version") != VERSION or not isinstance(note, str):
        raise ExportRefused(f"the first line is not that of an {FORMAT} of version {VERSION}")
    try:
        return open_checkpoint(note, *log_keys)
    except NoteRefused as error:
        raise ExportRefused(f"its checkpoint is not to be trusted: {error}") from error


def _read_entry(line: str, index: int) -> tuple[bytes, bool]:
    """Return the leaf hash of the entry that must come next, and whether the entry is there in full."""
    match _object(line):
        case {"index": int(there), "leaf": str(leaf), **rest} if there == index and not rest and leaf.isascii():
            return leaf_hash(leaf.encode("ascii")), True
        case {"index": int(there), "hash": str(encoded), **rest} if there == index and not rest:
            try:
                digest = decode64(encoded)
            except NoteRefused as error:
                raise ExportRefused(f"entry {index}: {error}") from error
            if len(digest) == HASH_SIZE:
                return digest, False
    raise ExportRefused(f"entry {index} is missing or damaged")


def _object(line: str) -> dict[str, object]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ExportRefused("a line is not JSON") from error
    if not isinstance(document, dict):
        raise ExportRefused("a line is not a JSON object")
    return document
