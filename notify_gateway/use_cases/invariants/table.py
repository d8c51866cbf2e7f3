# SPDX-License-Identifier: MIT
"""The table of invariants, and the look at all of them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError

from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.invariants.accounts import BooksBalance, TrustsTallyWithAuthorities
from notify_gateway.use_cases.invariants.cases import CasesTally
from notify_gateway.use_cases.invariants.deliveries import AttemptsAreLogged, NothingIsOverdue, OrderIsKept, StatesAreLogged
from notify_gateway.use_cases.invariants.finding import Finding, Invariant, Level, Run
from notify_gateway.use_cases.invariants.keys import MessagesHaveTheirKeys, NoOrphanKeys
from notify_gateway.use_cases.invariants.log import AcceptancesAreHeld, AcceptancesAreLogged, ReceiptsAreLogged

INVARIANTS: Final[tuple[Invariant, ...]] = (
    BooksBalance(),
    TrustsTallyWithAuthorities(),
    AcceptancesAreLogged(),
    AcceptancesAreHeld(),
    ReceiptsAreLogged(),
    StatesAreLogged(),
    AttemptsAreLogged(),
    OrderIsKept(),
    CasesTally(),
    NothingIsOverdue(),
    MessagesHaveTheirKeys(),
    NoOrphanKeys(),
)


def check_all(core: Core, *, whole: bool = False) -> Run:
    """Return what a look at every invariant finds; nothing is changed. One that cannot be looked at is unknown, and the others go on."""
    findings = tuple(_timed(each, core, whole) for each in INVARIANTS)
    return Run(uuid4(), core.clock.now(), "whole" if whole else "sample", findings)


def _timed(invariant: Invariant, core: Core, whole: bool) -> Finding:
    began = time.perf_counter()
    try:
        found = invariant.check(core, whole=whole)
    except SQLAlchemyError as error:
        said = f"It could not be looked at: the database did not answer, or not in time ({type(error).__name__})."
        found = Finding(invariant.name, invariant.sentence, Level.UNKNOWN, 0, (), said)
    return replace(found, took_ms=round((time.perf_counter() - began) * 1000))
