# SPDX-License-Identifier: MIT
"""What has to be done from time to time, whoever asks first; doing it twice changes nothing."""

from __future__ import annotations

from datetime import timedelta

from notify_gateway.store import shred
from notify_gateway.use_cases.gateway import Core

ORPHAN_AFTER = timedelta(minutes=10)
"""A shred key is durable before its message, so a crash between the two leaves a key that protects nothing."""
LOOK_BACK = timedelta(days=2)


def sweep_orphan_keys(core: Core) -> int:
    """Delete the shred keys of the last days whose message was never committed; return how many."""
    now = core.clock.now()
    return shred.sweep_orphans(core.shred_engine, core.engine, since=now - LOOK_BACK, before=now - ORPHAN_AFTER)
