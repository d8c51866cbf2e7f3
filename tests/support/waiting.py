# SPDX-License-Identifier: MIT
"""Waiting on a condition with a deadline, free ports, and finding server programs."""

from __future__ import annotations

import os
import random
import shutil
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

ROOT = Path(__file__).resolve().parents[2]
_PORTS_PER_WORKER = 1500
_FIRST_PORT = 20_000  # below the range from which systems take outgoing ports, so that no connection sits on one of ours
_given_ports: set[int] = set()


class GaveUpWaiting(AssertionError):
    """What was waited for did not come true in time."""


def eventually(
    predicate: Callable[[], Found],
    *,
    within: float = 10.0,
    every: float = 0.02,
    what: str = "",
    tolerating: tuple[type[Exception], ...] = (),
) -> Found:
    """Return the first truthy value of ``predicate``, asked every ``every`` seconds.

    Raises ``GaveUpWaiting`` after ``within`` seconds, naming ``what`` and the last answer or tolerated error.
    """
    deadline = time.monotonic() + within
    pause = threading.Event()
    last: object = None
    while True:
        try:
            value = predicate()
            if value:
                return value
            last = value
        except tolerating as error:
            last = error
        if time.monotonic() > deadline:
            raise GaveUpWaiting(f"{what or getattr(predicate, '__qualname__', 'condition')} not true within {within} s; last: {last!r}")
        pause.wait(every)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens, never given before in this process.

    Workers of pytest-xdist draw from ranges of their own, so that two of them do not race for one port.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    first = _FIRST_PORT + worker * _PORTS_PER_WORKER
    for _ in range(_PORTS_PER_WORKER):
        port = random.SystemRandom().randrange(first, first + _PORTS_PER_WORKER)
        if port in _given_ports:
            continue
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given_ports.add(port)
        return port
    raise RuntimeError(f"no free port between {first} and {first + _PORTS_PER_WORKER}")


def listens(port: int) -> bool:
    """Tell whether something accepts connections on ``port`` of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def answers(url: str, *, status: int = 200, context: ssl.SSLContext | None = None) -> bool:
    """Tell whether a GET of ``url`` is answered with ``status`` within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as answer:
            return int(answer.status) == status
    except urllib.error.HTTPError as error:
        return error.code == status
    except OSError:
        return False


def find_program(name: str) -> str | None:
    """Return the path of a server program, from PATH or from where Debian keeps it."""
    places = [os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
    return shutil.which(name, path=os.pathsep.join(places))


def need_program(name: str) -> str:
    """Return the path of a server program or raise, naming the command that installs it."""
    path = find_program(name)
    if path is None:
        raise RuntimeError(f"{name} is not installed: run `make set-up`")
    return path
