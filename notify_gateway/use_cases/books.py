# SPDX-License-Identifier: MIT
"""The books: what was accepted, and where each of it stands, by trust and by authority. The life cycle says what counts where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from notify_gateway.domain.lifecycle import TABLE, Count, State
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import clients, deliveries, messages
from notify_gateway.use_cases.gateway import Core


@dataclass(slots=True)
class Books:
    """How many deliveries there are under each heading; ``accepted`` is what was taken on, counted elsewhere.

    ``strays`` are messages that have no delivery of their own, or several, and deliveries in a state that the life cycle does not know.
    """

    accepted: int = 0
    headings: dict[Count, int] = field(default_factory=lambda: dict.fromkeys(Count, 0))
    strays: int = 0

    @property
    def balanced(self) -> bool:
        """Tell whether accepted = received + waiting + cancelled + superseded + sent back + given up."""
        return self.accepted == sum(self.headings.values()) and not self.strays

    def add(self, state: str | None, count: int) -> None:
        """Count deliveries under the heading of their state; without one they are strays."""
        if state is not None and state in TABLE:
            self.headings[TABLE[State(state)].counts_as] += count
        else:
            self.strays += count

    def sentence(self) -> str:
        """Return the sum in words."""
        headings = " + ".join(f"{count} {heading.value.replace('-', ' ')}" for heading, count in self.headings.items())
        return f"{self.accepted} accepted {'=' if self.balanced else 'is not'} {headings}" + (
            f", and {self.strays} with no delivery, several, or one in no state" if self.strays else ""
        )


def is_own() -> ColumnElement[bool]:
    """Return the condition that the delivery carries its message to where it was sent.

    When a notification moves, the authority that it leaves is told by a withdrawal, which carries the message that it knows.
    """
    return and_(deliveries.c.message_id == messages.c.id, (deliveries.c.event == "delete") == (messages.c.event == "delete"))


def by_trust(core: Core) -> Mapping[str, Books]:
    """Return the books of each trust that ever sent anything, by its ODS code."""
    with reading(core.engine).begin() as connection:
        return books_by_trust(connection)


def by_authority(core: Core) -> Mapping[str, Books]:
    """Return the books of each authority that anything was ever for, by its GSS code; withdrawals of what moved away count as accepted."""
    d = deliveries.c
    with reading(core.engine).begin() as connection:
        rows = connection.execute(select(d.authority, d.state, func.count()).group_by(d.authority, d.state)).all()
    made: dict[str, Books] = {}
    for authority, state, count in rows:
        books = made.setdefault(authority, Books())
        books.add(state, count)
        books.accepted += count
    return dict(sorted(made.items()))


def books_by_trust(connection: Connection) -> dict[str, Books]:
    """Return the books of each trust, each message with its own delivery beside it, by one look at both tables."""
    m, d, c = messages.c, deliveries.c, clients.c
    beside = (
        select(m.client_id, func.count(d.id).label("own"), func.min(d.state).label("state"))
        .select_from(messages)
        .outerjoin(deliveries, is_own())
        .group_by(m.id, m.client_id)
        .subquery()
    )
    columns = (beside.c.client_id, beside.c.own, beside.c.state)
    codes = {row.id: row.code for row in connection.execute(select(c.id, c.code).where(c.kind == "trust"))}
    made: dict[str, Books] = {}
    for client, own, state, count in connection.execute(select(*columns, func.count()).group_by(*columns)):
        books = made.setdefault(codes.get(client, "unknown"), Books())
        books.accepted += count
        books.add(state if own == 1 else None, count)
    return dict(sorted(made.items()))


def total(books: Iterable[Books]) -> Books:
    """Return the sum of several books."""
    whole = Books()
    for each in books:
        whole.accepted += each.accepted
        whole.strays += each.strays
        for heading, count in each.headings.items():
            whole.headings[heading] += count
    return whole


def in_numbers(books: Books) -> dict[str, Any]:
    """Return the books as JSON values, headings by their codes."""
    return {"accepted": books.accepted, **{heading.value: count for heading, count in books.headings.items()}, "balanced": books.balanced}
