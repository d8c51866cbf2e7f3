# SPDX-License-Identifier: MIT
"""Invariants of casework: each notification that an inbox has is one case there, and the case says no other than its delivery."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, or_, select, union_all

from notify_gateway.domain.case_clock import Stage
from notify_gateway.domain.lifecycle import State
from notify_gateway.domain.route import ChannelName
from notify_gateway.store.expressions import standing_still
from notify_gateway.store.tables import case_tables, deliveries, notifications
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.invariants.finding import WITHIN, Finding, judge, sampled

_HELD: Final = (State.RECEIVED, State.ACKNOWLEDGED, State.CONTACTED, State.OUTCOME, State.SENT_BACK)
_MAY: Final = {
    State.RECEIVED: (Stage.RECEIVED,),
    # The trust is told of a contact only where an officer wishes that.
    State.ACKNOWLEDGED: (Stage.ACKNOWLEDGED, Stage.CONTACTED),
    State.CONTACTED: (Stage.CONTACTED, Stage.ACKNOWLEDGED),
    # What is taken up again keeps its outcome with the trust until there is another.
    State.OUTCOME: (Stage.OUTCOME, Stage.ACKNOWLEDGED, Stage.CONTACTED),
    State.SENT_BACK: (Stage.SENT_BACK,),
}
"""In which stage a case may be whose latest delivery stands in a state."""


class CasesTally:
    """What officers see is what the trust may know, or more, and never something else."""

    name = "cases-tally"
    sentence = "Each notification that an inbox has received is a case there, which says no other than its delivery."

    def check(self, core: Core, *, whole: bool = False) -> Finding:
        """Look at deliveries of inboxes for their cases, and at cases for their deliveries."""
        d, c, n = deliveries.c, case_tables.cases.c, notifications.c
        same = and_(c.notification_id == d.notification_id, c.authority == d.authority)
        without = (
            select(n.reference)
            .select_from(deliveries)
            .join(notifications, n.id == d.notification_id)
            .where(sampled(deliveries, whole=whole), d.channel == ChannelName.INBOX.value, d.state.in_(_HELD))
            .where(~select(c.id).where(same).exists())
        )
        agree = or_(*(and_(d.state == state.value, c.stage.in_(stages)) for state, stages in _MAY.items()))
        # A withdrawal is received and, once it is closed, acknowledged; how far the work had come stays in the case.
        differing = (
            select(c.reference)
            .select_from(case_tables.cases)
            .outerjoin(deliveries, and_(d.id == c.delivery_id, same))
            .where(sampled(case_tables.cases, whole=whole), or_(d.id.is_(None), and_(d.event != "delete", ~agree)))
        )
        with standing_still(core.engine, within=WITHIN) as connection:
            return judge(self, connection, union_all(without, differing), "Every case that was looked at tallies with its delivery.")
