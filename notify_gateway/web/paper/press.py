# SPDX-License-Identifier: MIT
"""The press: one process that sets PDFs one after another, so that a thick pack makes nobody else wait; replaced when it hangs."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Final

import structlog

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Unavailable
from notify_gateway.privacy.memory import guard_memory
from notify_gateway.web.paper.setting import set_pdf

LOG = structlog.get_logger(__name__)
WITHIN: Final = 60.0
MOST_WAITING: Final = 8
SHEETS_EACH: Final = 100
"""After so many PDFs a fresh process takes over, so that what one left behind in memory does not pile up."""


class Press:
    """Makes PDFs; nothing is started before the first."""

    def __init__(self, within: float = WITHIN) -> None:
        self._within = within
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0

    async def pdf(self, html: bytes, css: str) -> bytes:
        """Return the page as PDF/UA-1. Raises ``Unavailable`` when it does not end in time, too many wait, or a library is missing."""
        if self._waiting >= MOST_WAITING:
            raise Unavailable(Code.PAPER_NOT_MADE)
        self._waiting += 1
        pool = self._ready()
        try:
            # No thread waits meanwhile: those that look things up are few.
            return await asyncio.wait_for(asyncio.wrap_future(pool.submit(set_pdf, html.decode(), css)), self._within)
        except (BrokenProcessPool, TimeoutError):
            self._drop(pool)
            raise Unavailable(Code.PAPER_NOT_MADE) from None
        except OSError as error:
            # Without Pango importing WeasyPrint fails; its text names libraries, yet only the kind is logged, as everywhere.
            LOG.error("paper-not-made", error=type(error).__name__)
            raise Unavailable(Code.PAPER_NOT_MADE) from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the process."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, get_context("spawn"), initializer=guard_memory, max_tasks_per_child=SHEETS_EACH)
        return self._pool

    def _drop(self, pool: ProcessPoolExecutor) -> None:
        if self._pool is pool:
            self._pool = None
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
