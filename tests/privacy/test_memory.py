# SPDX-License-Identifier: MIT
"""The memory guard, in a process of its own because it cannot be undone."""

from __future__ import annotations

import subprocess
import sys

from notify_gateway.privacy.memory import MemoryGuard


def run(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_on_linux_the_process_has_no_core_dumps_and_is_not_dumpable() -> None:
    told = run(
        "import ctypes, resource\n"
        "from notify_gateway.privacy.memory import guard_memory\n"
        "print(guard_memory(), resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    assert told == f"{MemoryGuard(True, True)} (0, 0) 0\n"


def test_elsewhere_it_says_what_it_could_not_do() -> None:
    told = run(
        "import sys\n"
        "from notify_gateway.privacy.memory import guard_memory\n"
        "sys.platform = 'plan9'; sys.modules['resource'] = None\n"
        "print(guard_memory())"
    )
    assert told == "core dumps could not be turned off; memory is readable by this user's processes\n"


def test_success_is_said_in_a_sentence() -> None:
    assert str(MemoryGuard(True, True)) == "core dumps are off; other processes of this user cannot read its memory"
