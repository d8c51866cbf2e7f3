# SPDX-License-Identifier: MIT
"""The back-book as it lies at the trust: a file of lines, compressed or not, a folder of messages, or standard input."""

from __future__ import annotations

import gzip
import hashlib
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

from notify_gateway.cli.failures import CommandFailed

MOST_LINE = 5 * 1000 * 1000
"""Longest line in bytes that is read at all: a little less than any deployment takes."""
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One message of the back-book; ``number`` counts from 1, ``digest`` is the SHA-256 of the bytes that are sent."""

    number: int
    body: bytes = field(repr=False)
    digest: bytes
    too_long: bool = False


class Source:
    """A back-book that is read once, a line at a time. ``total`` is its size in bytes, or its number of files; None where unknown."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._open = ExitStack()
        self._raw: BinaryIO | None = None
        self._files: list[Path] = []
        self._file_number = 0
        self.total: int | None = None

    def __enter__(self) -> Self:
        path = Path(self._place)
        if self._place == "-":
            self._raw = sys.stdin.buffer
        elif path.is_dir():
            self._files = sorted(path.glob("*.json"))
            self.total = len(self._files)
            if not self._files:
                raise CommandFailed("There is nothing to send", "The folder holds no file that ends in .json.", "Give another folder.")
        else:
            self._raw = self._open.enter_context(path.open("rb"))
            self.total = path.stat().st_size
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def position(self) -> int:
        """Return how much of ``total`` has been read."""
        if self._raw is None:
            return self._file_number
        return self._raw.tell() if self.total is not None else 0

    def lines(self) -> Iterator[SourceLine]:
        """Yield each line that is not blank; raises ``CommandFailed`` where a compressed file is damaged."""
        if self._raw is None:
            yield from self._messages()
            return
        file = self._raw if not self._place.endswith(".gz") else self._open.enter_context(gzip.GzipFile(fileobj=self._raw))
        number = 0
        try:
            while piece := file.readline(MOST_LINE + 2):
                number += 1
                line = _line(number, piece, file)
                if line is not None:
                    yield line
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise CommandFailed(
                "The compressed file is damaged",
                f"It cannot be read beyond line {number}.",
                "Compress it anew, then run the command again.",
            ) from None

    def _messages(self) -> Iterator[SourceLine]:
        for number, path in enumerate(self._files, 1):
            self._file_number = number
            with path.open("rb") as file:
                whole = file.read(MOST_LINE + 1)
            # Line ends do not occur within JSON strings, so the message means what it did.
            body = whole.replace(b"\n", b" ").replace(b"\r", b" ").strip(_BLANK)
            yield SourceLine(number, body, hashlib.sha256(body).digest(), len(whole) > MOST_LINE)


def _line(number: int, piece: bytes, file: BinaryIO | gzip.GzipFile) -> SourceLine | None:
    body = piece.strip(_BLANK)
    if len(body) <= MOST_LINE and (piece.endswith(b"\n") or len(piece) < MOST_LINE + 2):
        return SourceLine(number, body, hashlib.sha256(body).digest()) if body else None
    digest = hashlib.sha256()
    while piece:
        digest.update(piece)
        piece = b"" if piece.endswith(b"\n") else file.readline(64 * 1024)
    return SourceLine(number, b"", digest.digest(), too_long=True)
