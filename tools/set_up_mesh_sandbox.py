# SPDX-License-Identifier: MIT
"""Installs NHS England's MESH sandbox, which tests run, into an environment of its own, ``build/mesh-sandbox``. Needs the standard library.

It pins another FastAPI than the service does. ``tools/mesh_sandbox/sandbox.txt`` pins it and all that it needs by hash. When it is there
already nothing is changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.set_up_tests import SetUpFailed

LOCK = Path(__file__).resolve().parent / "mesh_sandbox" / "sandbox.txt"
FOLDER = LOCK.parents[2] / "build" / "mesh-sandbox"


def python() -> Path:
    """Return the interpreter that has the sandbox."""
    return FOLDER / "bin" / "python"


def set_up() -> str:
    """Make sure that the pinned sandbox is there and return one sentence about it.

    Raises ``SetUpFailed``.
    """
    installed = FOLDER / "installed.txt"
    if installed.exists() and installed.read_bytes() == LOCK.read_bytes() and python().exists():
        return "MESH sandbox present"
    started = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(FOLDER)])
    _run([str(python()), "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes", "-r", str(LOCK)])
    shutil.copyfile(LOCK, installed)
    return f"MESH sandbox installed in {time.monotonic() - started:.1f} s"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise SetUpFailed(f"{last}\nInstalling the MESH sandbox failed (it needs Python 3.11 to 3.13): {' '.join(command)}")


def main() -> int:
    """See to the sandbox, say what was found or done, and return the exit status."""
    try:
        print(set_up())
    except SetUpFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
