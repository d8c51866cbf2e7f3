# SPDX-License-Identifier: MIT
"""Sees to the servers and programs that tests run against: PostgreSQL, Redis, nginx, curl, sshd, Node.js, Chromium and the like.

Needs only the standard library. What is missing is installed by one ``apt-get install`` where that is allowed (root, or sudo without a
password); elsewhere the text says what to install. When all is there nothing is changed, and it takes a few milliseconds.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

LOG = Path(__file__).resolve().parent.parent / "build" / "set-up-tests.log"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/Library/Fonts")


class SetUpFailed(Exception):
    """Something the tests need is missing and could not be installed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that tests need: how it is found and which Debian packages bring it."""

    name: str
    find: Callable[[], str | None]
    packages: tuple[str, ...]


def find_program(*names: str) -> str | None:
    """Return the path of the first of these programs found on PATH or where Debian and Homebrew keep servers."""
    postgres = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", *map(str, postgres)]
    return next((found for name in names if (found := shutil.which(name, path=os.pathsep.join(places)))), None)


def find_font() -> str | None:
    """Return a file of the Liberation fonts, with which pages and pictures look the same everywhere."""
    for folder in FONT_FOLDERS:
        found = next(Path(folder).expanduser().rglob("LiberationSans-Regular.*"), None)
        if found is not None:
            return str(found)
    return None


def find_pango() -> str | None:
    """Return what the libraries are called with which WeasyPrint sets a sheet of paper."""
    found = [find_library(name) for name in ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset")]
    return ", ".join(name for name in found if name) if all(found) else None


PARTS = (
    Part("PostgreSQL", lambda: find_program("initdb") and find_program("postgres"), ("postgresql",)),
    Part("Redis", lambda: find_program("redis-server"), ("redis-server",)),
    Part("nginx", lambda: find_program("nginx"), ("nginx",)),
    Part("curl", lambda: find_program("curl"), ("curl",)),
    Part("OpenSSH server", lambda: find_program("sshd"), ("openssh-server",)),
    Part("Node.js", lambda: find_program("node") and find_program("npm"), ("nodejs", "npm")),
    Part("Chromium", lambda: find_program("chromium", "chromium-browser", "google-chrome"), ("chromium",)),
    Part("Liberation fonts", find_font, ("fonts-liberation",)),
    Part("Pango", find_pango, ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")),
)


def set_up() -> str:
    """Make sure that every part is there and return one sentence about it.

    Raises ``SetUpFailed``.
    """
    missing = [part for part in PARTS if part.find() is None]
    if not missing:
        return f"{_list(PARTS)} present"
    started = time.monotonic()
    _install([package for part in missing for package in part.packages], missing)
    still = [part for part in missing if part.find() is None]
    if still:
        raise SetUpFailed(f"Installed, but still not found: {_list(still)}. The whole output is in {LOG}")
    return f"{_list(missing)} installed in {time.monotonic() - started:.1f} s"


def _install(packages: list[str], missing: list[Part]) -> None:
    advice = f"The tests need {_list(missing)}, which this machine does not have.\n"
    if shutil.which("apt-get") is None:
        raise SetUpFailed(advice + _advice_without_apt(missing))
    admin = _administrator()
    if admin is None:
        raise SetUpFailed(f"{advice}Install: sudo apt-get install --no-install-recommends {' '.join(packages)}")
    apt = [*admin, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"]  # runlevel 1: no server is started by its package
    updated = _run([*apt, "update"])
    if not _run([*apt, "install", "--yes", "--no-install-recommends", *packages]):
        last = "\n".join(LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
        lists = "" if updated else "\n`apt-get update` failed as well."
        raise SetUpFailed(f"{advice}{last}{lists}\nInstalling {' '.join(packages)} failed. The whole output is in {LOG}")


def _run(command: list[str]) -> bool:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False).returncode == 0


def _advice_without_apt(missing: list[Part]) -> str:
    if platform.system() == "Darwin":
        return "Install: brew install postgresql redis nginx node pango && brew install --cask chromium font-liberation"
    names = ", ".join(package for part in missing for package in part.packages)
    return f"Install them with this system's package manager (Debian calls them {names})."


def _administrator() -> list[str] | None:
    """Return what to put before a command so that it runs as root, or None where that is not allowed."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    return None


def _list(parts: Iterable[Part]) -> str:
    names = [part.name for part in parts]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def main() -> int:
    """See to all parts, say what was found or done, and return the exit status."""
    try:
        print(set_up())
    except SetUpFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
