# SPDX-License-Identifier: MIT
"""The log as a file: the signed checkpoint, then one JSON line for each entry, in full or, for others' entries, as its hash alone.

An entry's line is ``{"index":I,"check":"CCCCCCCC","leaf":LEAF}``, where LEAF stands byte for byte as it was hashed, or
``{"index":I,"hash":"BASE64"}``. The check is the beginning of the leaf's hash; it proves nothing, it only says where a file was damaged.
"""

from __future__ import annotations

import json
from binascii import hexlify
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import BinaryIO

from audit.merkle import HASH_SIZE, Frontier, leaf_hash
from audit.note import Checkpoint, NoteRefused, Verifier, decode64, encode64, open_checkpoint

FORMAT = "audit-export"
VERSION = 2
MAX_LINE = 256 * 1024
"""Longer than any line that a log writes; a file with a longer one is none."""
_BATCH = 4096
_READ = 1 << 20
_LEAF = b',"leaf":'
_CHECK = 4
"""Bytes of the hash that the check shows."""

Seen = Callable[[int, bytes], None]
"""Called with the index and the bytes of each entry that is there in full, in order."""
Progress = Callable[[int, int], None]
"""Called now and then with the number of entries hashed so far, and of all."""


class ExportRefused(Exception):
    """The export is not the log that its checkpoint describes; the message says which entry, why, and what to do."""


@dataclass(frozen=True, slots=True)
class ExportVerdict:
    """What a valid export proves: these are all entries, ``in_full`` of them readable; ``found`` is the index of the one sought.

    ``note`` is the checkpoint as it was signed, with the cosignatures of witnesses that it bears. ``deleted_at`` is when the entries of a
    closed log were deleted, as whoever made the file says: no proof stands behind it.
    """

    checkpoint: Checkpoint
    note: str
    in_full: int
    found: int | None
    deleted_at: datetime | None = None


def head_line(checkpoint_note: str, deleted_at: datetime | None = None) -> bytes:
    """Return the first line of an export, without its end, as the other lines are; ``deleted_at``: the entries were deleted then."""
    deleted = {} if deleted_at is None else {"entries_deleted_at": deleted_at.isoformat()}
    return json.dumps({"format": FORMAT, "version": VERSION, **deleted, "checkpoint": checkpoint_note}).encode("ascii")


def leaf_line(index: int, leaf: bytes) -> bytes:
    """Return the line of an entry in full; ValueError for a leaf that is more than one line."""
    if b"\n" in leaf:
        raise ValueError("a leaf is one line")
    return b"%s%s%s}" % (_head(index, leaf_hash(leaf)), _LEAF, leaf)


def hash_line(index: int, entry_hash: bytes) -> bytes:
    """Return the line of an entry that the reader of the export may not read."""
    return b'{"index":%d,"hash":"%s"}' % (index, encode64(entry_hash).encode("ascii"))


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of an export without their ends, in bounded memory; ExportRefused for a line that no log writes."""
    rest = b""
    while chunk := file.read(_READ):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if len(rest) > MAX_LINE:
            raise ExportRefused("a line of the file is far too long for an entry: this is no export")
    if rest:
        yield rest


def verify_export(
    lines: Iterable[bytes],
    log_keys: Sequence[Verifier],
    *,
    earlier: Checkpoint | None = None,
    seek: bytes | None = None,
    seen: Seen | None = None,
    progress: Progress | None = None,
) -> ExportVerdict:
    """Return what the export proves, after hashing every entry again; ExportRefused unless it leads to the signed root.

    With ``earlier``, a checkpoint kept from before, the log must also be a continuation of that one. ``seek`` is a leaf hash. Until this
    returns, nothing that ``seen`` was shown is proven.
    """
    remaining = iter(lines)
    checkpoint, note, deleted_at = _read_head(next(remaining, b""), log_keys)
    if earlier is not None:
        _require_newer(checkpoint, earlier)
    frontier, in_full, found = Frontier(), 0, None
    for batch in _batches(remaining, checkpoint.size, stop=earlier.size if earlier else 0):
        first = frontier.size
        hashes, readable = _entries(batch, first, checkpoint.size, seen)
        frontier.extend(hashes)
        in_full += readable
        if seek is not None and found is None and seek in hashes:
            found = first + hashes.index(seek)
        if earlier is not None and frontier.size == earlier.size and frontier.root() != earlier.root:
            raise ExportRefused(
                f"history was changed: the first {earlier.size} entries are not those of the checkpoint that you kept. "
                "Keep both files; together they are the evidence"
            )
        if progress is not None:
            progress(frontier.size, checkpoint.size)
    if frontier.size != checkpoint.size:
        raise ExportRefused(
            f"the file ends after entry {frontier.size - 1} of {checkpoint.size}: it was cut off, or lacks entries. Ask for it again"
        )
    if frontier.root() != checkpoint.root:
        raise ExportRefused(
            "an entry was changed together with its check, so the file cannot say which: the entries do not lead to the signed root. "
            "Compare it with another export of the same log"
        )
    return ExportVerdict(checkpoint, note, in_full, found, deleted_at)


def _batches(lines: Iterator[bytes], size: int, *, stop: int) -> Iterator[list[bytes]]:
    """Yield the lines in batches, one of which ends where the first ``stop`` entries end."""
    done = 0
    while batch := list(islice(lines, min(_BATCH, stop - done) if done < stop else _BATCH)):
        if done + len(batch) > size:
            raise ExportRefused(f"the signed log has {size} entries, and the file has more: it was put together wrongly. Ask for it again")
        done += len(batch)
        yield batch


def _entries(batch: list[bytes], first: int, size: int, seen: Seen | None) -> tuple[list[bytes], int]:
    """Return the leaf hashes of the lines, and how many are there in full."""
    hashes, readable = [], 0
    for index, line in enumerate(batch, first):
        head, found, rest = line.partition(_LEAF)
        if found:
            # A million entries go through here: the hash of a leaf and the head of its line are spelt out instead of called.
            digest = sha256(b"\x00" + rest[:-1]).digest()
            if head != b'{"index":%d,"check":"%s"' % (index, hexlify(digest[:_CHECK])) or not rest.endswith(b"}"):
                raise _damaged(line, index, size)
            readable += 1
            if seen is not None:
                seen(index, rest[:-1])
        else:
            digest = _hash_of(line, index, size)
        hashes.append(digest)
    return hashes, readable


def _head(index: int, digest: bytes) -> bytes:
    return b'{"index":%d,"check":"%s"' % (index, hexlify(digest[:_CHECK]))


def _hash_of(line: bytes, index: int, size: int) -> bytes:
    start = b'{"index":%d,"hash":"' % index
    if line.startswith(start) and line.endswith(b'"}'):
        try:
            digest = decode64(line[len(start) : -2].decode("ascii"))
        except (NoteRefused, UnicodeDecodeError):
            raise _damaged(line, index, size) from None
        if len(digest) == HASH_SIZE:
            return digest
    raise _damaged(line, index, size)


def _damaged(line: bytes, index: int, size: int) -> ExportRefused:
    """Say what is wrong with the line in which entry ``index`` must stand."""
    start, _, _ = line.partition(b",")
    number = start.removeprefix(b'{"index":')
    place = f"entry {index} of {size}"
    if number.isdigit() and len(number) < 19 and int(number) != index:
        return ExportRefused(f"{place} is missing: entry {int(number)} stands in its place. Ask for the export again")
    return ExportRefused(f"{place} was changed or damaged: it is not what its check says. Ask for the export again, and compare that entry")


def _require_newer(checkpoint: Checkpoint, earlier: Checkpoint) -> None:
    if earlier.origin != checkpoint.origin:
        raise ExportRefused(f"the earlier checkpoint is of the log {earlier.origin}, and the export of the log {checkpoint.origin}")
    if earlier.size > checkpoint.size:
        raise ExportRefused(
            f"your checkpoint covers {earlier.size} entries, and this export only {checkpoint.size}: it is older than what you know. "
            "Ask for a newer one; if the log has no more, entries were taken away"
        )


def _read_head(line: bytes, log_keys: Sequence[Verifier]) -> tuple[Checkpoint, str, datetime | None]:
    deleted_at = None
    try:
        document = json.loads(line)
        if isinstance(document, dict) and (told := document.get("entries_deleted_at")) is not None:
            deleted_at = datetime.fromisoformat(str(told))
    except (ValueError, RecursionError):
        document = None
    note = document.get("checkpoint") if isinstance(document, dict) else None
    if not isinstance(document, dict) or document.get("format") != FORMAT or not isinstance(note, str):
        raise ExportRefused("the first line is not that of an export of a log: is this the right file, and is it whole?")
    if document.get("version") != VERSION:
        raise ExportRefused(f"the export is of another version than {VERSION}: use the verifier that came with it")
    try:
        return open_checkpoint(note, *log_keys), note, deleted_at
    except NoteRefused as error:
        raise ExportRefused(f"its checkpoint is not to be trusted: {error}. {error.advice}") from error
