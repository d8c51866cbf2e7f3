# SPDX-License-Identifier: MIT
"""The sign of life of a process that serves no HTTP: a file whose time its main loop renews, for ``notify-gateway health``."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

EVERY = 2.0
FRESH = 15.0
"""Seconds after which a sign of life counts no more."""


class Heartbeat:
    """Renews the file of ``name`` at most every two seconds. It lies in the temporary folder, for the data may be read-only."""

    def __init__(self, name: str, data_dir: Path) -> None:
        self._path = path_of(name, data_dir)
        self._next = 0.0

    def beat(self) -> None:
        """Renew the sign of life, if it is time to."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + EVERY
            # A sign of life that cannot be shown is missed by the health check; that must not end the work itself.
            with suppress(OSError):
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with open(descriptor, "w") as file:
                    file.write(str(os.getpid()))

    def end(self) -> None:
        """Take the sign of life away: the process ends on purpose."""
        with suppress(OSError):
            self._path.unlink()


class BeatingEvent(threading.Event):
    """A stop event that beats whenever the loop asks it, so that a loop that hangs is seen to."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        super().__init__()
        self._heartbeat = heartbeat

    def is_set(self) -> bool:
        """Tell whether to stop, and show a sign of life."""
        self._heartbeat.beat()
        return super().is_set()


@contextmanager
def beating(heartbeat: Heartbeat) -> Iterator[None]:
    """Beat from a thread of its own while the block runs, for a main loop that is not ours."""
    stop = threading.Event()

    def run() -> None:
        heartbeat.beat()
        while not stop.wait(EVERY):
            heartbeat.beat()

    thread = threading.Thread(target=run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        heartbeat.end()


def path_of(name: str, data_dir: Path) -> Path:
    """Return where the sign of life of ``name`` lies, for this user and this service's data."""
    service = sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"notify-gateway-{os.getuid()}-{service}" / name


def age(name: str, data_dir: Path) -> float | None:
    """Return how many seconds ago ``name`` last showed a sign of life, or None if there is none of this user's, or its process is gone."""
    path = path_of(name, data_dir)
    try:
        found = path.stat()
        os.kill(int(path.read_text()), 0)
    except (OSError, ValueError):
        return None
    return max(0.0, time.time() - found.st_mtime) if found.st_uid == os.getuid() else None
