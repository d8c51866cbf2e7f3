# SPDX-License-Identifier: MIT
"""Compile a table in a process of its own: report the memory it took, or halt at a stage until killed.

Usage: ``compile_in_a_process.py SOURCE FOLDER MAX_MEMORY [STAGE]``
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from mappings.postcodes import compile_table


def most_memory() -> int:
    """Return the most memory that was ever resident, in bytes (unlike ``ru_maxrss`` it does not inherit the parent's)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main(source: str, folder: str, max_memory: str, halt_at: str = "") -> None:
    def progress(stage: str, count: int) -> None:
        if stage == halt_at and count:
            print("halted", flush=True)
            threading.Event().wait()

    before = most_memory()
    edition = compile_table(Path(source), Path(folder), max_memory=int(max_memory), progress=progress)
    print(edition.count, edition.terminated, most_memory() - before)


main(*sys.argv[1:])
