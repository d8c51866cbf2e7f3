# SPDX-License-Identifier: MIT
"""Invariants of the books: nothing that was accepted is unaccounted for, and trusts' sums are the authorities'."""

from __future__ import annotations

from sqlalchemy import and_, case, func, or_, select, union

from notify_gateway.domain.lifecycle import State
from notify_gateway.store.expressions import standing_still
from notify_gateway.store.tables import clients, deliveries, messages, notifications
from notify_gateway.use_cases.books import books_by_trust, is_own, total
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.invariants.finding import WITHIN, Finding, Level, judge


class BooksBalance:
    """Each accepted message has one delivery of its own, in one of the states that there are: for each trust, and in all."""

    name = "books-balance"
    sentence = "Accepted = received + waiting + cancelled + superseded + sent back + given up, for each trust and in all."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Add up everything, also for a short look; whose sums are wrong is asked only if some are."""
        del whole
        m, d = messages.c, deliveries.c
        astray = case((d.state.in_([each.value for each in State]), 0), else_=1)
        own = func.count(d.id)
        broken = (
            select(notifications.c.reference)
            .select_from(messages)
            .join(notifications, notifications.c.id == m.notification_id)
            .outerjoin(deliveries, is_own())
            .group_by(m.id, notifications.c.reference)
            .having(or_(own != 1, func.sum(astray) != 0))
        )
        with standing_still(core.engine, within=WITHIN) as connection:
            books = books_by_trust(connection)
            wrong = [code for code, each in books.items() if not each.balanced]
            said = total(books.values()).sentence()
            if not wrong:
                return Finding(self.name, self.sentence, Level.OK, 0, (), f"{said}.")
            return judge(self, connection, broken, f"{said}.", otherwise=f"{said}; out of balance: {', '.join(wrong[:10]) or 'no sum'}.")


class TrustsTallyWithAuthorities:
    """Each notification is of one trust and, by its last delivery, of one authority, the one that it names."""

    name = "trusts-tally-with-authorities"
    sentence = "The notifications of all trusts together are those of all authorities together, and none is counted twice."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at every notification; the sums are never of a sample."""
        del whole
        n, d, c, m = notifications.c, deliveries.c, clients.c, messages.c
        later = deliveries.alias("later")
        behind = (later.c.notification_id == d.notification_id, later.c.sequence > d.sequence)
        last = and_(d.notification_id == n.id, ~select(later.c.id).where(*behind).exists())
        placed = (
            select(n.reference)
            .select_from(notifications)
            .outerjoin(clients, and_(c.id == n.client_id, c.kind == "trust"))
            .outerjoin(deliveries, last)
            .where(or_(c.id.is_(None), d.id.is_(None), d.authority != n.authority))
        )
        carried = select(n.reference).join(messages, m.notification_id == n.id).join(deliveries, d.message_id == m.id)
        broken = union(placed, carried.where(or_(m.client_id != n.client_id, m.notification_id != d.notification_id)))
        with standing_still(core.engine, within=WITHIN) as connection:
            held = connection.scalar(select(func.count()).select_from(notifications)) or 0
            # A notification that breaks neither is counted once on either side, so the sums need not be made.
            said = f"{held} notifications, the same of the trusts as of the authorities."
            return judge(self, connection, broken, said, otherwise=f"{held} notifications; trusts and authorities do not tally.")
