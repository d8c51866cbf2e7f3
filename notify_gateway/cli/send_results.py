# SPDX-License-Identifier: MIT
"""The results of a back-book, a line for each line sent: what a later run resumes from, and what proves that each was accepted."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from notify_gateway.cli.failures import CommandFailed

DUPLICATE = "NG-6001"
NOT_NOW = (408, 425, 429)
_BEGINS = b'{"line":'


class Standing(StrEnum):
    """How a line stands after an answer."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    UNSETTLED = "unsettled"

    @property
    def settled(self) -> bool:
        """Sending the same line again would bring nothing new."""
        return self is not Standing.UNSETTLED


def standing_of(result: Mapping[str, Any]) -> Standing:
    """Return how a line stands by its status and code."""
    status = int(result["status"])
    if status in (200, 202):
        return Standing.REFUSED if result.get("verdict") == "would-be-refused" else Standing.ACCEPTED
    if status == 409 and result.get("code") == DUPLICATE:
        return Standing.DUPLICATE
    return Standing.UNSETTLED if status in NOT_NOW or status >= 500 else Standing.REFUSED


class ResultsFile:
    """A file of results, for its owner alone, held by one run at a time. ``settled`` tells by digest how lines stood before this run."""

    def __init__(self, path: Path, *, anew: bool = False) -> None:
        self.path = path
        self._anew = anew
        self.settled: dict[bytes, Standing] = {}

    def __enter__(self) -> Self:
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._anew:
                os.ftruncate(self._descriptor, 0)
            self._read()
        except BlockingIOError:
            os.close(self._descriptor)
            raise CommandFailed(
                "Another run is at work", f"It holds {self.path}.", "Wait until it has ended, or name another file with --results."
            ) from None
        except BaseException:
            os.close(self._descriptor)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.sync()
        os.close(self._descriptor)

    def write(self, result: Mapping[str, Any]) -> None:
        """Hand a result to the operating system: it outlives this process."""
        os.write(self._descriptor, json.dumps(result, separators=(",", ":")).encode() + b"\n")

    def sync(self) -> None:
        """Return when all that was written outlives the machine."""
        os.fsync(self._descriptor)

    def _read(self) -> None:
        end = 0
        for number, (line, after) in enumerate(self._whole_lines(), 1):
            try:
                result = json.loads(line)
                self.settled[bytes.fromhex(result["digest"])[:16]] = standing_of(result)
            except (ValueError, KeyError, TypeError):
                raise self._foreign(number) from None
            end = after
        rest = os.pread(self._descriptor, len(_BEGINS), end)
        if rest and not _BEGINS.startswith(rest):
            raise self._foreign(1)
        # What a crash cut off counts for nothing: its line will be sent again, and is then a duplicate.
        os.ftruncate(self._descriptor, end)

    def _whole_lines(self) -> Iterator[tuple[bytes, int]]:
        position = 0
        with open(self._descriptor, "rb", closefd=False) as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                position += len(line)
                yield line, position

    def _foreign(self, number: int) -> CommandFailed:
        return CommandFailed(
            "That is no file of results", f"{self.path}, line {number}, was not written by this command.", "Name another with --results."
        )
