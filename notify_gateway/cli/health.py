# SPDX-License-Identifier: MIT
"""Whether a process of this machine is well: by its own answer over HTTP, or by its sign of life."""

from __future__ import annotations

from dataclasses import dataclass

from notify_gateway.cli.failures import CommandFailed

OVER_HTTP = {"gateway": "/_status", "pretend-authority": "/_status"}
BY_HEARTBEAT = ("worker", "scheduler", "sequencer", "opener")
PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Found:
    """What was seen."""

    well: bool
    observed: str


def look(name: str, *, port: int) -> Found:
    """Return how the process ``name`` is; raises ``CommandFailed`` for a name that no process of ours has."""
    if name in OVER_HTTP:
        return _over_http(OVER_HTTP[name], port)
    if name in BY_HEARTBEAT:
        return _by_heartbeat(name)
    raise CommandFailed("There is no such process", f"{name} is none of ours.", f"Name one of {', '.join([*OVER_HTTP, *BY_HEARTBEAT])}.")


def _over_http(path: str, port: int) -> Found:
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return Found(False, f"no answer on port {port} ({type(error).__name__})")
    finally:
        connection.close()
    return Found(status == 200, f"answered {status} on port {port}")


def _by_heartbeat(name: str) -> Found:
    from notify_gateway.cli.heartbeat import FRESH, age
    from notify_gateway.cli.service import settings

    seconds = age(name, settings().data_dir)
    if seconds is None:
        return Found(False, "no sign of life: it does not run here, or runs with another data folder or user")
    return Found(seconds < FRESH, f"last sign of life {seconds:.0f} s ago")
