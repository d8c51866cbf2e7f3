# SPDX-License-Identifier: MIT
"""A whole log of many entries verified from its export, in a process of its own, whose time and memory are measured."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from audit.export import head_line, leaf_line, read_lines, verify_export
from audit.merkle import Frontier, leaf_hash
from audit.note import Checkpoint, Verifier, sign_note
from benchmarks.log.tables import ORIGIN, SIGNER, event
from tests.support.services import ROOT, base_environment

_BATCH = 4096


@dataclass(frozen=True)
class Verified:
    """What verifying took, and by how much the process had grown at most."""

    entries: int
    megabytes: float
    seconds: float
    grew_mb: float


def measure_export(folder: Path, entries: int) -> Verified:
    """Write an export of so many entries, and have it verified."""
    path = folder / "export.jsonl"
    _write(path, entries)
    command = [sys.executable, "-m", "benchmarks.log.export", str(path), SIGNER.verifier.vkey]
    done = subprocess.run(command, cwd=ROOT, env=base_environment(), stdout=subprocess.PIPE, text=True, check=True)
    path.unlink()
    return Verified(**json.loads(done.stdout))


def _write(path: Path, entries: int) -> None:
    """The head comes first and is known last, so a hole is left for it, and what it does not fill is filled with blanks."""
    frontier = Frontier()
    head = len(head_line(_note(Frontier(), entries)))
    with open(path, "wb") as file:
        file.write(b" " * head + b"\n")
        for first in range(0, entries, _BATCH):
            leaves = [event(number).to_leaf(number.to_bytes(16, "big")) for number in range(first, min(first + _BATCH, entries))]
            frontier.extend([leaf_hash(leaf) for leaf in leaves])
            file.write(b"".join(leaf_line(index, leaf) + b"\n" for index, leaf in enumerate(leaves, first)))
        file.seek(0)
        file.write(head_line(_note(frontier, entries)))


def _note(frontier: Frontier, entries: int) -> str:
    return sign_note(Checkpoint(ORIGIN, entries, frontier.root()).to_text(), SIGNER)


def main(path: str, vkey: str) -> None:
    """Verify and print the figures."""
    process = psutil.Process()
    before = peak = process.memory_info().rss

    def look(*_: int) -> None:
        nonlocal peak
        peak = max(peak, process.memory_info().rss)

    began = time.perf_counter()
    with open(path, "rb") as file:
        verdict = verify_export(read_lines(file), [Verifier.from_vkey(vkey)], progress=look)
    took = time.perf_counter() - began
    grew = (peak - before) / 1e6
    print(json.dumps(asdict(Verified(verdict.checkpoint.size, Path(path).stat().st_size / 1e6, took, grew))))


if __name__ == "__main__":
    main(*sys.argv[1:])
