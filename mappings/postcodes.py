# SPDX-License-Identifier: MIT
"""Which district and country a postcode lies in, from a compiled edition of the ONS Postcode Directory."""

from __future__ import annotations

import hashlib
import mmap
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from mappings.postcode_compiler import Edition, compile_table
from mappings.postcode_format import (
    DISTRICT_SIZE,
    HEADER,
    KEY_SIZE,
    RECORD,
    TERMINATED,
    CompileUnderWay,
    Header,
    PostcodeError,
    SourceUnusable,
    TableDamaged,
    TableMissing,
    key_of,
    read_header,
    read_pointer,
)
from mappings.postcode_source import BadRow
from mappings.tables import DATA

__all__ = [
    "BadRow",
    "CompileUnderWay",
    "Country",
    "Edition",
    "PostcodeArea",
    "PostcodeError",
    "PostcodeTable",
    "SourceUnusable",
    "TableDamaged",
    "TableMissing",
    "compile_table",
    "demonstration_source",
    "normalise",
]


class Country(StrEnum):
    """The parts of the British Isles that have postcodes of the Royal Mail."""

    ENGLAND = "England"
    WALES = "Wales"
    SCOTLAND = "Scotland"
    NORTHERN_IRELAND = "Northern Ireland"
    CHANNEL_ISLANDS = "Channel Islands"
    ISLE_OF_MAN = "Isle of Man"


# The first letter of every GSS code, pseudo codes included, tells the country.
_COUNTRIES = dict(zip("EWSNLM", Country, strict=True))


@dataclass(frozen=True, slots=True)
class PostcodeArea:
    """Where a postcode lies, in the words of one edition; ``terminated``: the Royal Mail no longer uses it."""

    district: str
    """GSS code of the local authority district; of the country where the directory knows no more."""
    country: Country
    terminated: bool
    edition: str


@dataclass(frozen=True, slots=True)
class _Opened:
    """One compiled file, mapped into memory; the mapping lives as long as anybody holds this."""

    name: str
    header: Header
    content: mmap.mmap
    areas: tuple[tuple[PostcodeArea, PostcodeArea], ...]
    """For each district its live and its terminated answer."""


class PostcodeTable:
    """The table in use; one object may serve many threads. ``reload_if_changed`` moves it to a newer edition between look-ups."""

    def __init__(self, folder: Path, opened: _Opened) -> None:
        self._folder = folder
        self._opened = opened

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Return the table that ``folder``'s pointer names, its digest verified. Raises ``TableMissing`` or ``TableDamaged``."""
        return cls(folder, _open(folder, read_pointer(folder)))

    def reload_if_changed(self) -> bool:
        """Move to the edition that the pointer names now; tell whether that is another one.

        Raises ``TableMissing`` or ``TableDamaged``; the edition that was open then stays open.
        """
        name = read_pointer(self._folder)
        if name == self._opened.name:
            return False
        self._opened = _open(self._folder, name)
        return True

    @property
    def edition(self) -> str:
        """Return the name of the edition."""
        return self._opened.header.edition

    @property
    def count(self) -> int:
        """Return how many postcodes the edition knows, terminated ones included."""
        return self._opened.header.record_count

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the compiled file in hexadecimal."""
        return self._opened.header.digest.hex()

    def lookup(self, postcode: str) -> PostcodeArea | None:
        """Return where ``postcode``, in any spacing and case, lies; ``None`` if this edition does not know it. Microseconds."""
        key = key_of(postcode)
        return _find(self._opened, key) if key else None


def _find(opened: _Opened, key: bytes) -> PostcodeArea | None:
    content, start, width = opened.content, opened.header.records_at, RECORD.size
    low, high = 0, opened.header.record_count
    while low < high:
        middle = (low + high) // 2
        at = start + middle * width
        if content[at : at + KEY_SIZE] < key:
            low = middle + 1
        else:
            high = middle
    at = start + low * width
    if content[at : at + KEY_SIZE] != key:
        return None
    flags: int
    index: int
    _, flags, index = RECORD.unpack_from(content, at)
    return opened.areas[index][flags & TERMINATED]


def normalise(postcode: str) -> str | None:
    """Return ``postcode`` in capitals with one space, as people write it; ``None`` if it is not written like a postcode."""
    key = key_of(postcode)
    return f"{key[:4].decode().rstrip()} {key[4:].decode()}" if key else None


def demonstration_source() -> Path:
    """Return the packaged source of the demonstration: public buildings only, in the columns of the ONS Postcode Directory."""
    return DATA / "demonstration_postcodes.csv"


def _open(folder: Path, name: str) -> _Opened:
    try:
        with (folder / name).open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (FileNotFoundError, IsADirectoryError):
        raise TableMissing(f"the pointer in {folder} names {name!r}, which is not there") from None
    except ValueError:
        raise TableDamaged(f"{name} is empty") from None
    header = read_header(content, name)
    with memoryview(content) as view:
        digest = header.digest_after(hashlib.sha256(view[HEADER.size :]))
    if digest != header.digest:
        raise TableDamaged(f"{name} has changed since it was written: its digest is not the one it states")
    districts = content[HEADER.size : header.records_at].decode()
    codes = (districts[at : at + DISTRICT_SIZE] for at in range(0, len(districts), DISTRICT_SIZE))
    return _Opened(name, header, content, tuple(_answers(code, header.edition) for code in codes))


def _answers(district: str, edition: str) -> tuple[PostcodeArea, PostcodeArea]:
    country = _COUNTRIES[district[0]]
    return PostcodeArea(district, country, False, edition), PostcodeArea(district, country, True, edition)
