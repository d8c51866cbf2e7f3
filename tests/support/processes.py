# SPDX-License-Identifier: MIT
"""Processes that tests start, watch, kill and restart."""

from __future__ import annotations

import atexit
import itertools
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.waiting import ROOT, GaveUpWaiting, eventually

_started: set[Process] = set()


def base_environment() -> dict[str, str]:
    """Return the least environment a process of ours needs: no setting of the developer's own reaches a test."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE") if name in os.environ}
    return kept | {"LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


class Process:
    """A command that runs in the background, with its output in a file.

    ``env`` is the whole environment (see ``base_environment``). ``ready`` is asked by ``start`` until it is true or ``ready_within`` has
    passed. The process leads a group of its own; ``stop`` ends all of the group.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        name: str,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        ready: Callable[[], bool] | None = None,
        ready_within: float = 30.0,
        user: int | None = None,
        group: int | None = None,
    ) -> None:
        self.command = [str(part) for part in command]
        self.name = name
        self.log = log
        self.env = dict(base_environment() if env is None else env)
        self.cwd = cwd
        self.ready = ready
        self.ready_within = ready_within
        self.user, self._group = user, group
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the process id; raises ``RuntimeError`` when it was never started."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Tell whether the process runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def status(self) -> int | None:
        """Return the exit status (negative: the signal that ended it), or None while it runs."""
        return None if self._child is None else self._child.poll()

    @property
    def output(self) -> str:
        """Return what the process has written to stdout and stderr, over all of its starts."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def start(self, *, wait: bool = True) -> Process:
        """Start the command and, unless ``wait`` is false, return only when it is ready."""
        if self.alive:
            raise RuntimeError(f"{self.name} runs already")
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command,
                env=self.env,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
                group=self._group,
                extra_groups=None if self.user is None else [],
            )
        _started.add(self)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Return when ``ready`` holds; raises ``GaveUpWaiting`` with the last output when it ends or takes too long."""
        if self.ready is None:
            return
        ready = self.ready
        try:
            eventually(lambda: ready() or not self.alive, within=self.ready_within, what=f"{self.name} ready")
        except GaveUpWaiting as error:
            raise GaveUpWaiting(f"{error}\n{self.output[-4000:]}") from None
        if not self.alive:
            raise GaveUpWaiting(f"{self.name} ended with status {self.status} before it was ready\n{self.output[-4000:]}")

    def says(self, text: str) -> bool:
        """Tell whether ``text`` stands in the output; made for ``ready`` and ``eventually``."""
        return text in self.output

    def signal(self, number: int) -> None:
        """Send a signal to the process, not to its children; nothing happens when it has ended."""
        if self.alive:
            os.kill(self.pid, number)

    def kill9(self, *, group: bool = False) -> None:
        """Kill without warning, as a power cut would, and reap; with ``group``, the children too."""
        if self._child is None:
            return
        if group:
            self._signal_group(signal.SIGKILL)
        self.signal(signal.SIGKILL)
        self._child.wait(timeout=10)

    def terminate(self, *, within: float = 15.0) -> int:
        """Ask to end (SIGTERM), wait and return the exit status; raises ``GaveUpWaiting`` when it does not end."""
        self.signal(signal.SIGTERM)
        return self.wait(within=within)

    def wait(self, *, within: float = 30.0) -> int:
        """Return the exit status once the process has ended by itself; raises ``GaveUpWaiting``."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        try:
            return self._child.wait(timeout=within)
        except subprocess.TimeoutExpired:
            raise GaveUpWaiting(f"{self.name} did not end within {within} s\n{self.output[-4000:]}") from None

    def restart(self, *, wait: bool = True) -> Process:
        """Kill without warning what still runs, and start anew."""
        self.kill9(group=True)
        return self.start(wait=wait)

    def begin_to_end(self) -> None:
        """Ask the process and all that it started to end, and return at once."""
        if self._child is not None and self.alive:
            self._signal_group(signal.SIGTERM)

    def stop(self) -> None:
        """End the process and all that it started: politely, then not."""
        if self._child is None:
            return
        self._signal_group(signal.SIGTERM)
        try:
            self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(timeout=10)
        self._signal_group(signal.SIGKILL)
        _started.discard(self)

    def _signal_group(self, number: int) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return


class Supervisor:
    """Restarts processes that die, as the compose file's restart policy does; ``restarts`` counts by name."""

    def __init__(self, processes: Sequence[Process], *, pause: float = 0.1) -> None:
        self.processes = list(processes)
        self.restarts = {process.name: 0 for process in processes}
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop watching; the processes run on."""
        self._stop.set()
        self._thread.join(timeout=10)

    def _watch(self) -> None:
        for process in itertools.cycle(self.processes):
            if self._stop.wait(self._pause / max(1, len(self.processes))):
                return
            if not process.alive:
                process.start(wait=False)
                self.restarts[process.name] += 1


@atexit.register
def _stop_all() -> None:
    for process in list(_started):
        process.stop()
