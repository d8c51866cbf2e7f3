# SPDX-License-Identifier: MIT
"""The log's sequencer as the service runs it: what it does is counted."""

from __future__ import annotations

from audit.log import BATCH, Sequencer
from notify_gateway.telemetry.metrics import SEQUENCED


class CountingSequencer(Sequencer):
    """Counts the events that got their place; a turn that finds nothing costs nothing more."""

    def run_once(self, limit: int = BATCH) -> int:
        """Sequence and sign up to ``limit`` pending events; return how many. Raises what ``Sequencer.run_once`` raises."""
        count = super().run_once(limit)
        if count:
            SEQUENCED.inc(count)
        return count
