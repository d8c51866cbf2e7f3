# SPDX-License-Identifier: MIT
"""The pretend authority in a thread, beside a service in the same process."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self

from notify_gateway.cli.pretend.authority import PretendAuthority


class PretendThread:
    """Works while the ``with`` block runs."""

    def __init__(self, authority: PretendAuthority, listening: socket.socket) -> None:
        self._authority, self._listening = authority, listening
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="pretend-authority", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._authority.run(self._listening, self._stop))
