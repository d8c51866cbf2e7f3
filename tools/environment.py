# SPDX-License-Identifier: MIT
"""Makes ``.venv`` with the locked dependencies; does nothing when it is there already. Needs only the standard library.

Usage: ``python -m tools.environment [runtime|dev]``. Nothing of the checkout is built or copied: a path file in the
environment points at it, so that what runs is what stands in the tree.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "set-up.log"

COMMAND = """#!{python}
# Made by tools.environment: runs the checkout that this environment belongs to.
from notify_gateway.cli.main import main

if __name__ == "__main__":
    main()
"""


class SetUpFailed(Exception):
    """The environment could not be made; the text says why and what to do."""


def make(kind: str) -> str:
    """Make the environment hold exactly the locked dependencies of ``kind`` (runtime or dev) and return what was done.

    Raises ``SetUpFailed``.
    """
    made = _make_venv()
    lock = ROOT / "requirements" / f"{kind}.txt"
    if holds(lock):
        return f"{made}dependencies present"
    started = time.monotonic()
    _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes", "-r", str(lock)])
    for stale in VENV.glob("installed-*.txt"):
        stale.unlink()
    shutil.copyfile(lock, stamp(lock))
    return f"{made}dependencies installed in {time.monotonic() - started:.1f} s"


def _make_venv() -> str:
    made = ""
    if not _works():
        shutil.rmtree(VENV, ignore_errors=True)
        VENV.mkdir()
        try:
            _run([sys.executable, "-m", "venv", str(VENV)])
        except SetUpFailed as error:
            raise SetUpFailed(f"{error}\nOn Debian and Ubuntu: sudo apt-get install python3-venv") from None
        made = f"environment made with Python {sys.version_info.major}.{sys.version_info.minor}, "
    _link_checkout()
    return made


def _works() -> bool:
    if not PYTHON.exists():
        return False
    probe = [str(PYTHON), "-c", "import importlib.util as u, sys; sys.exit(sys.version_info < (3, 11) or u.find_spec('pip') is None)"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _link_checkout() -> None:
    for packages in VENV.glob("lib/python3*/site-packages"):
        _write(packages / "notify_gateway_checkout.pth", f"{ROOT}\n")
    command = VENV / "bin" / "notify-gateway"
    _write(command, COMMAND.format(python=PYTHON))
    command.chmod(0o755)


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def stamp(lock: Path) -> Path:
    """Return the file that tells what the environment holds: a copy of the lock, written when all of it was installed."""
    return VENV / f"installed-{lock.name}"


def holds(lock: Path) -> bool:
    """Tell whether what is locked is installed. The dev lock holds the runtime lock (``tests/quality`` proves it), so either will do."""
    locks = [lock, lock.with_name("dev.txt")]
    return any(stamp(each).exists() and stamp(each).read_bytes() == each.read_bytes() for each in locks)


def _run(command: list[str]) -> None:
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        status = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
    if status != 0:
        last = "\n".join(LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
        what = f"This failed with status {status}: {' '.join(command)}"
        raise SetUpFailed(f"{last}\n\n{what}\nThe whole output is in {LOG.relative_to(ROOT)}")


def main() -> int:
    """Make the environment that the first argument names and say in one line what was done, when anything was."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "runtime"
    print(f"Setting up ({kind}) …", end=" ", flush=True)
    try:
        print(make(kind), flush=True)
    except SetUpFailed as error:
        print(f"failed.\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
