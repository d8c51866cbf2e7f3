# SPDX-License-Identifier: MIT
"""The parts that every endpoint reaches through ``request.app.state``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import structlog
from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from mappings.postcodes import PostcodeError
from notify_gateway.api.http import header
from notify_gateway.api.limits import Limits, address_of
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotAllowed, Unavailable
from notify_gateway.fhir.structure import check_structure, warm_up
from notify_gateway.privacy.memory import guard_memory
from notify_gateway.runtime import Runtime, collect_less
from notify_gateway.store.parties import Client
from notify_gateway.use_cases import proofs
from notify_gateway.use_cases.access import DoorKeeper
from notify_gateway.use_cases.commit import Committer
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.measures import Measures
from notify_gateway.use_cases.sign_in import Issued, Reception

LOG = structlog.get_logger(__name__)

LARGE_BODY_WITHIN = 20.0
"""Seconds that the structure of one large body may take."""
SIGN_INS_AT_ONCE, SIGN_INS_WAITING = 4, 64
"""Sign-ins are worked on apart: one may have to wait for keys at a slow address, and nobody else shall wait with it."""


@dataclass
class Service:
    """One process's front door: started before the first request, stopped after the last."""

    runtime: Runtime
    on_commit: Callable[[], None] = field(default=lambda: None)
    gateway: Gateway = field(init=False)
    committer: Committer = field(init=False)
    doorkeeper: DoorKeeper = field(init=False)
    limits: Limits = field(init=False)
    reception: Reception = field(init=False)
    measures: Measures = field(init=False)

    def __post_init__(self) -> None:
        self.gateway = self.runtime.gateway
        self.committer = Committer(self.gateway, on_commit=self.on_commit)
        self.doorkeeper = DoorKeeper(self.gateway)
        self.limits = Limits(self.gateway.settings)
        self.reception = Reception(self.gateway)
        self.measures = Measures(self.gateway)
        self._receptionists = ThreadPoolExecutor(SIGN_INS_AT_ONCE, thread_name_prefix="sign-in")
        self._signing_in = 0
        self._health = Health(self.gateway)
        self._pool: ProcessPoolExecutor | None = None
        self._pool_lock = threading.Lock()

    def start(self) -> None:
        """Load what the first request would otherwise wait for, and begin committing."""
        warm_up()
        collect_less()
        self.committer.start()
        self._health.start()

    def stop(self) -> None:
        """Finish what was begun."""
        self.committer.stop()
        self._health.stop()
        self._receptionists.shutdown(cancel_futures=True)
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    async def admit(self, request: Request, *scopes: str) -> Client:
        """Return the client whose bearer token, with one of ``scopes``, the request carries: it counts against its limits until answered.

        Raises ``NotAllowed``, and ``Unavailable`` beyond the limits. A token that is not known is looked up aside.
        """
        authorization = header(request, "authorization")
        try:
            if authorization is None or self.doorkeeper.remembers(authorization):
                client = self.doorkeeper.admit(authorization, *scopes)
            else:
                with self.limits.signing_in(address_of(request.scope), authorization):
                    client = await asyncio.to_thread(self.doorkeeper.admit, authorization, *scopes)
        except NotAllowed:
            self.limits.require_address(address_of(request.scope))
            raise
        self.limits.arrive(request.scope, client.id)
        return client

    async def receive(self, assertion: str, scope: str | None) -> Issued:
        """Return the token that a client assertion gets; raises what ``Reception`` raises, and ``Unavailable`` when too many sign in."""
        if self._signing_in >= SIGN_INS_WAITING:
            raise Unavailable(Code.OVERLOADED)
        self._signing_in += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._receptionists, self.reception.token_for, assertion, scope)
        finally:
            self._signing_in -= 1

    def require_healthy(self) -> None:
        """Raise ``Unavailable`` while the service could not keep its promises."""
        self._health.require()

    def check_large(self, document: dict[str, Any]) -> None:
        """Check the structure of a large document in another process, so that nobody else waits for it; raises what the check raises."""
        with self._pool_lock:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"), initializer=_ready_to_check)
            pool = self._pool
        try:
            pool.submit(check_structure, document).result(timeout=LARGE_BODY_WITHIN)
        except (BrokenProcessPool, TimeoutError):
            with self._pool_lock:
                if self._pool is pool:
                    self._pool = None
            pool.shutdown(wait=False, cancel_futures=True)
            raise Unavailable(Code.OVERLOADED) from None


def _ready_to_check() -> None:
    # A process that was spawned anew has lost its parent's protection of what is in memory.
    guard_memory()
    warm_up()


class Health:
    """Looks every second whether the log keeps up and the database answers, so that no request has to."""

    EVERY = 1.0

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._stop = threading.Event()
        self._code: Code | None = None
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        """Look once, then go on looking."""
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def require(self) -> None:
        """Raise ``Unavailable`` with the reason while something is wrong."""
        if self._code is not None:
            raise Unavailable(self._code)

    def _run(self) -> None:
        while not self._stop.wait(self.EVERY):
            self._look()

    def _look(self) -> None:
        before = self._code
        try:
            proofs.require_log_in_time(self._gateway)
            self._code = None
        except Unavailable as error:
            self._code = Code(error.issues[0].code)
        except SQLAlchemyError:
            self._code = Code.DATABASE_UNAVAILABLE
        if self._code is not before:
            LOG.warning("health-changed", code=self._code)
        try:
            if self._gateway.postcodes.reload_if_changed():
                LOG.info("postcodes-switched", edition=self._gateway.postcodes.edition)
        except PostcodeError as error:
            # The edition that was open stays open; the health page names it.
            LOG.error("postcodes-unusable", error=type(error).__name__)


def service(request: Request) -> Service:
    """Return the service of the application that handles ``request``."""
    found: Service = request.app.state.service
    return found
