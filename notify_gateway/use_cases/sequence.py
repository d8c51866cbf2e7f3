# SPDX-License-Identifier: MIT
"""The log's sequencer as the service runs it: what it does is counted, and told."""

from __future__ import annotations

import time

from audit.log import BATCH, Sequencer
from notify_gateway.telemetry.metrics import SEQUENCED
from notify_gateway.telemetry.tracing import Act, tell


class CountingSequencer(Sequencer):
    """Counts the events that got their place, and tells of the turn; one that finds nothing costs nothing more."""

    def run_once(self, limit: int = BATCH) -> int:
        """Sequence and sign up to ``limit`` pending events; return how many. Raises what ``Sequencer.run_once`` raises."""
        began = time.time_ns()
        count = super().run_once(limit)
        if count:
            tell(Act.SEQUENCE, began_ns=began, count=count)
            SEQUENCED.inc(count)
        return count
