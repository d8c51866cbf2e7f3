# SPDX-License-Identifier: MIT
"""Pages of a large inbox and of a small one, asked for in turn in the same process, on the same database."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median, quantiles
from uuid import UUID, uuid4

from sqlalchemy import select, text

from benchmarks.inbox.fill import fill
from benchmarks.systems import TRUST, Place, onboarded_alone
from notify_gateway.domain.casework import Sort, Tab
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.staff import Person, Role
from notify_gateway.runtime import Runtime
from notify_gateway.store import roles
from notify_gateway.store.staff import Member, Members
from notify_gateway.store.tables import clients
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox import read
from notify_gateway.use_cases.inbox.read import Filters

LARGE, SMALL = "E06000004", "E06000002"
AIM_MS, AIM_TIMES = 50.0, 2.0
_WARM_UP = 10
TEAM = 12

ASKED = {
    "first page": (Filters(), 1),
    "not assigned": (Filters(tab=Tab.NOT_ASSIGNED), 1),
    "finished": (Filters(tab=Tab.FINISHED), 1),
    "late": (Filters(late=True), 1),
    "by need, the last first": (Filters(sort=Sort.NEED, descending=True), 1),
    "hearing impairment, three years old": (Filters(need="HI", age_from=3, age_to=3), 1),
    "page 40": (Filters(), 40),
}
"""What is asked for; the first is what the aim is about."""


@dataclass(frozen=True)
class InboxPlan:
    """Notifications of the large and of the small inbox, and how often each page is asked for."""

    large: int
    small: int
    times: int


@dataclass(frozen=True)
class InboxFigures:
    """Milliseconds of server time by page, of the large inbox and of the small one, in pairs made in turn."""

    plan: InboxPlan
    large: dict[str, list[float]] = field(default_factory=dict)
    small: dict[str, list[float]] = field(default_factory=dict)

    def times(self, page: str) -> float:
        """Return how many times as long the large inbox takes, in the middle."""
        return median(self.large[page]) / median(self.small[page])

    @property
    def kept(self) -> bool:
        """Tell whether the first page is within its aims."""
        first = next(iter(ASKED))
        return quantiles(self.large[first], n=20)[-1] <= AIM_MS and self.times(first) <= AIM_TIMES


def measure_inbox(place: Place, plan: InboxPlan, tell: Callable[[str], None]) -> InboxFigures:
    """Fill two inboxes of one database and ask both for the same pages; say what is under way."""
    tell(f"Inboxes of {plan.large} and {plan.small} notifications …")
    with onboarded_alone(place) as settings:
        runtime = Runtime.open(settings)
        try:
            people = {gss: _furnish(runtime.gateway, gss, count) for gss, count in ((LARGE, plan.large), (SMALL, plan.small))}
            return _ask(runtime.gateway, people, plan)
        finally:
            runtime.close()


def _furnish(gateway: Gateway, gss: str, count: int) -> Person:
    now = datetime.now(UTC)  # noqa: TID251 - what is filled in is as old as it says
    team = [Person(uuid4(), gss, frozenset({Role.OFFICER}), f"Officer {number}") for number in range(TEAM)]
    with gateway.engine.begin() as connection:
        roles.set_up(connection, "main")
        client: UUID = connection.execute(select(clients.c.id).where(clients.c.code == TRUST)).scalar_one()
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for each in team:
            Members(connection, gss).add(Member(each.id, gss, each.id.bytes * 2, "bench", each.name, each.roles, "register", now))
        officers = [each.id for each in team]
        today = london_day(now)
        fill(connection, authority=gss, client=client, sender=TRUST, count=count, officers=officers, today=today)
    with gateway.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return team[0]


def _ask(gateway: Gateway, people: dict[str, Person], plan: InboxPlan) -> InboxFigures:
    found = InboxFigures(plan)
    for page, (filters, number) in ASKED.items():
        taken: dict[str, list[float]] = {LARGE: [], SMALL: []}
        for turn in range(_WARM_UP + plan.times):
            for gss, person in people.items():
                began = time.perf_counter()
                read.list_cases(gateway, person, filters, number)
                if turn >= _WARM_UP:
                    taken[gss].append((time.perf_counter() - began) * 1000)
        found.large[page], found.small[page] = taken[LARGE], taken[SMALL]
    return found
