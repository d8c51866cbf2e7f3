# SPDX-License-Identifier: MIT
"""Installs the Bruno command, which tests run ``examples/bruno`` with, into ``build/bruno``. Needs npm and the standard library.

``tools/bruno/package-lock.json`` pins it and all that it needs by hash; it names no registry, so that npm takes its own. No script of a
package is run. When it is there already nothing is changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.set_up_tests import SetUpFailed, find_program

PINNED = Path(__file__).resolve().parent / "bruno"
FOLDER = PINNED.parents[1] / "build" / "bruno"
LOCK = "package-lock.json"
FLAGS = ("--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--no-update-notifier")


def command() -> Path:
    """Return where the installed command is."""
    return FOLDER / "node_modules" / ".bin" / "bru"


def set_up() -> str:
    """Make sure that the pinned Bruno is there and return one sentence about it.

    Raises ``SetUpFailed``.
    """
    installed = FOLDER / "installed.json"
    if installed.exists() and installed.read_bytes() == (PINNED / LOCK).read_bytes() and command().exists():
        return "Bruno present"
    npm = find_program("npm")
    if npm is None:
        raise SetUpFailed("The tests need Bruno, which npm installs, and there is no npm. Install Node.js with npm.")
    started = time.monotonic()
    FOLDER.mkdir(parents=True, exist_ok=True)
    installed.unlink(missing_ok=True)
    for name in ("package.json", LOCK):
        shutil.copyfile(PINNED / name, FOLDER / name)
    done = subprocess.run([npm, "ci", *FLAGS], cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise SetUpFailed(f"{last}\nInstalling Bruno failed: npm ci in {FOLDER}")
    shutil.copyfile(PINNED / LOCK, installed)
    return f"Bruno installed in {time.monotonic() - started:.1f} s"


def main() -> int:
    """See to Bruno, say what was found or done, and return the exit status."""
    try:
        print(set_up())
    except SetUpFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
