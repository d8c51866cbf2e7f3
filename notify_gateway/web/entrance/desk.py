# SPDX-License-Identifier: MIT
"""What the entrance of one process shares: the reception, whom the pages refused, and threads in which providers are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from fastapi import Request

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Unavailable
from notify_gateway.use_cases.access import Denials
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.staff_providers import Providers
from notify_gateway.use_cases.staff_sign_in import Reception

AT_ONCE, WAITING = 4, 64
"""Providers are asked apart: one that is slow keeps nobody waiting but those who sign in."""
T = TypeVar("T")
P = ParamSpec("P")


class Entrance:
    """One of each process. Raises ``ProvidersRefused`` when the settings name providers that cannot be used."""

    def __init__(self, gateway: Gateway) -> None:
        self.reception = Reception(gateway, Providers(gateway.settings, gateway.clock))
        self.denials = Denials(gateway, "staff-pages")
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="people-sign-in")
        self._waiting = 0

    def close(self) -> None:
        """Ask nobody any more."""
        self._threads.shutdown(cancel_futures=True)

    async def apart(self, act: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Return what the act returns, done in a thread of the entrance; raises ``Unavailable`` when too many are waiting."""
        if self._waiting >= WAITING:
            raise Unavailable(Code.OVERLOADED)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(act, *given, **named))
        finally:
            self._waiting -= 1


def entrance(request: Request) -> Entrance:
    """Return the entrance of the application that handles ``request``."""
    found: Entrance = request.app.state.entrance
    return found
