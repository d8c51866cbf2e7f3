# SPDX-License-Identifier: MIT
"""The compiled postcode file: one header, the district codes, then fixed-width records in order of postcode; and the pointer to it.

Layout, big-endian: header (``HEADER``), ``district_count`` codes of 9 bytes, ``record_count`` records of 10 bytes. A record is the
postcode in the directory's own 7 characters (outward padded to 4, then inward), a flag byte (bit 0: terminated) and the index of
its district. The digest is SHA-256 over everything after the header and then over the header's other fields, so that one pass
writes it and any change of a byte shows.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

MAGIC = b"NGPOSTC\n"
VERSION = 1
HEADER = struct.Struct(">8sHH64sIQ32s")
DISTRICT_SIZE = 9
RECORD = struct.Struct(">7sBH")
TERMINATED = 1
POINTER = "current"
KEY_SIZE = 7

_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?|GIR)([0-9][A-Z]{2})")


class PostcodeError(Exception):
    """Base of what goes wrong with postcode tables; messages name files, lines and columns, never a postcode."""


class SourceUnusable(PostcodeError):
    """The source is no postcode directory, or too much of it cannot be read; the table in use stays in use."""


class CompileUnderWay(PostcodeError):
    """Another process is compiling into the same folder."""


class TableMissing(PostcodeError):
    """No table has been compiled into the folder."""


class TableDamaged(PostcodeError):
    """The compiled file is not what was written."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a compiled file says of itself."""

    edition: str
    district_count: int
    record_count: int
    digest: bytes

    def pack(self) -> bytes:
        """Return the header's bytes."""
        edition = self.edition.encode()
        return HEADER.pack(MAGIC, VERSION, RECORD.size, edition, self.district_count, self.record_count, self.digest)

    @property
    def records_at(self) -> int:
        """Return the offset of the first record."""
        return HEADER.size + self.district_count * DISTRICT_SIZE

    @property
    def size(self) -> int:
        """Return the size of the whole file in bytes."""
        return self.records_at + self.record_count * RECORD.size

    def digest_after(self, body: hashlib._Hash) -> bytes:
        """Return the digest of the file, given a SHA-256 that has seen everything after the header."""
        whole = body.copy()
        whole.update(replace(self, digest=b"").pack())
        return whole.digest()


class Bytes(Protocol):
    """Bytes in memory or mapped into it."""

    def __len__(self) -> int: ...
    def __getitem__(self, where: slice, /) -> bytes: ...


def read_header(content: Bytes, name: str) -> Header:
    """Return the header of a compiled file. Raises ``TableDamaged`` unless magic, version and length are right."""
    if len(content) < HEADER.size:
        raise TableDamaged(f"{name} is too short to be a postcode table")
    magic, version, width, edition, districts, records, digest = HEADER.unpack(content[: HEADER.size])
    if magic != MAGIC:
        raise TableDamaged(f"{name} is not a postcode table")
    if (version, width) != (VERSION, RECORD.size):
        raise TableDamaged(f"{name} has format version {version}, this software reads version {VERSION}: compile it again")
    header = Header(edition.rstrip(b"\0").decode(errors="replace"), districts, records, digest)
    if len(content) != header.size:
        raise TableDamaged(f"{name} is {len(content)} bytes long where {header.size} were written")
    return header


def key_of(postcode: str) -> bytes | None:
    """Return the 7-byte key of ``postcode`` in any spacing and case; ``None`` if it is not written like a postcode."""
    match = _POSTCODE.fullmatch("".join(postcode.split()).upper())
    return f"{match[1]:<4}{match[2]}".encode() if match else None


def read_pointer(folder: Path) -> str:
    """Return the name of the file in use. Raises ``TableMissing`` when nothing was compiled into ``folder`` yet."""
    try:
        return (folder / POINTER).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise TableMissing(f"{folder} holds no compiled postcode table") from None


def switch_pointer(folder: Path, name: str) -> None:
    """Make ``name`` the file in use, durably and in one step: a reader finds the old name or the new one, never neither."""
    fresh = folder / f".{POINTER}.new"
    with fresh.open("w", encoding="utf-8") as file:
        file.write(name + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / POINTER)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
