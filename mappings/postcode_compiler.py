# SPDX-License-Identifier: MIT
"""Compiling a postcode directory of any size in bounded memory, and switching over to it in one step."""

from __future__ import annotations

import fcntl
import hashlib
import heapq
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

from mappings.postcode_format import (
    HEADER,
    KEY_SIZE,
    RECORD,
    CompileUnderWay,
    Header,
    SourceUnusable,
    switch_pointer,
    sync_folder,
)
from mappings.postcode_source import BadRow, Tally, read_records

MOST_BAD_ROWS = 0.01
REPORT_EVERY = 50_000
DEFAULT_MEMORY = 64 * 2**20

# A record costs 56 bytes as an object in a list, and its 10 bytes again while the run is written.
_BYTES_PER_RECORD = 72
_FEWEST_RECORDS = 16_384
_WORKPLACE = ".compiling-"

Progress = Callable[[str, int], None]
"""Called with the stage, ``reading`` (rows read) or ``writing`` (records written), and the count so far."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A compiled edition that is now in use, and what reading its source came across."""

    name: str
    path: Path
    digest: str
    """SHA-256 of the compiled file, in hexadecimal."""
    count: int
    rows: int
    terminated: int
    bad_rows: int
    reports: tuple[BadRow, ...]
    """The first hundred bad rows."""
    duplicates: int
    unplaced: int


def compile_table(
    source_csv: Path,
    target_dir: Path,
    *,
    edition: str | None = None,
    progress: Progress | None = None,
    max_memory: int = DEFAULT_MEMORY,
) -> Edition:
    """Compile ``source_csv`` into a fresh file in ``target_dir`` and make it the one in use; return what came of it.

    The edition's name is ``edition``, or the source's file name without its ending. About ``max_memory`` bytes are used, however
    long the source. Until the very last step the former edition stays in use, and whoever has it open keeps it.

    Raises ``SourceUnusable`` (columns missing, no good row, or more than one row in a hundred bad), ``CompileUnderWay``, ``OSError``.
    """
    name = _edition_name(edition if edition is not None else source_csv.stem)
    target_dir.mkdir(parents=True, exist_ok=True)
    with _workplace(target_dir) as work:
        tally, report = Tally(), progress or _silent
        runs = _sorted_runs(_counted(read_records(source_csv, tally), "reading", report), work, max_memory)
        _refuse_if_unusable(tally, runs, source_csv.name)
        fresh = work / "table"
        with ExitStack() as stack:
            files = [stack.enter_context(run.open("rb")) for run in runs]
            merged = _Merged(_counted(heapq.merge(*map(_records_in, files)), "writing", report))
            header = _write(fresh, name, list(tally.districts), merged)
        digest = header.digest.hex()
        path = target_dir / f"postcodes-{name}-{digest[:16]}.table"
        fresh.replace(path)
        sync_folder(target_dir)
        switch_pointer(target_dir, path.name)
    return Edition(
        name=name,
        path=path,
        digest=digest,
        count=header.record_count,
        rows=tally.rows,
        terminated=merged.terminated,
        bad_rows=tally.bad,
        reports=tuple(tally.reports),
        duplicates=merged.duplicates,
        unplaced=tally.unplaced,
    )


class _Merged:
    """The merged records with one for each postcode: records sort by postcode, then live before terminated, so the first is kept."""

    def __init__(self, records: Iterable[bytes]) -> None:
        self._records = records
        self.count = self.terminated = self.duplicates = 0

    def __iter__(self) -> Iterator[bytes]:
        last = b""
        for record in self._records:
            if record[:KEY_SIZE] == last:
                self.duplicates += 1
                continue
            last = record[:KEY_SIZE]
            self.count += 1
            self.terminated += record[KEY_SIZE]
            yield record


def _write(path: Path, edition: str, districts: list[bytes], records: _Merged) -> Header:
    """Write the whole file, durably, in one pass: the header's place is left free and filled in at the end."""
    body = hashlib.sha256()
    with path.open("wb") as file:
        file.write(bytes(HEADER.size))
        _put(file, body, b"".join(districts))
        stream = iter(records)
        while batch := b"".join(islice(stream, 8_192)):
            _put(file, body, batch)
        undigested = Header(edition, len(districts), records.count, b"")
        header = replace(undigested, digest=undigested.digest_after(body))
        file.seek(0)
        file.write(header.pack())
        file.flush()
        os.fsync(file.fileno())
    return header


def _put(file: IO[bytes], digest: hashlib._Hash, content: bytes) -> None:
    file.write(content)
    digest.update(content)


def _sorted_runs(records: Iterable[bytes], work: Path, max_memory: int) -> list[Path]:
    """Write the records to files that are sorted each in itself, none larger than memory allows."""
    length = max(max_memory // _BYTES_PER_RECORD, _FEWEST_RECORDS)
    stream, runs = iter(records), list[Path]()
    while run := list(islice(stream, length)):
        run.sort()
        path = work / f"run-{len(runs)}"
        with path.open("wb") as file:
            file.writelines(run)
        runs.append(path)
    return runs


def _records_in(file: IO[bytes]) -> Iterator[bytes]:
    return iter(partial(file.read, RECORD.size), b"")


def _refuse_if_unusable(tally: Tally, runs: list[Path], source: str) -> None:
    if tally.bad > tally.rows * MOST_BAD_ROWS:
        first = "; ".join(f"line {bad.line} {bad.what}" for bad in tally.reports[:3])
        raise SourceUnusable(f"{tally.bad} of the {tally.rows} rows of {source} cannot be read, more than one in a hundred: {first}")
    if not runs:
        raise SourceUnusable(f"{source} places no postcode")


def _counted(records: Iterable[bytes], stage: str, report: Progress) -> Iterator[bytes]:
    count = 0
    for count, record in enumerate(records, start=1):
        if count % REPORT_EVERY == 0:
            report(stage, count)
        yield record
    report(stage, count)


def _silent(stage: str, count: int) -> None:
    del stage, count


def _edition_name(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")
    if not 1 <= len(name) <= 64:
        raise ValueError("an edition's name has 1 to 64 letters, digits, dots, hyphens or underscores")
    return name


@contextmanager
def _workplace(target_dir: Path) -> Iterator[Path]:
    """Give a folder that goes away afterwards, to one compiler at a time; what a killed one left behind goes away first."""
    with (target_dir / ".compiling.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CompileUnderWay(f"another process is compiling into {target_dir}") from None
        for left in target_dir.glob(f"{_WORKPLACE}*"):
            if left.is_dir():
                shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=_WORKPLACE, dir=target_dir) as work:
            yield Path(work)
