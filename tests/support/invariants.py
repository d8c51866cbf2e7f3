# SPDX-License-Identifier: MIT
"""After a journey or a storm: every invariant of the service holds, everywhere."""

from __future__ import annotations

from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.invariants.finding import Level
from notify_gateway.use_cases.invariants.table import check_all


def assert_invariants(core: Core) -> None:
    """Look at every invariant, in every row; raises ``AssertionError`` naming what does not hold, with its references."""
    found = check_all(core, whole=True).findings
    broken = [each for each in found if each.level in (Level.FAIL, Level.UNKNOWN)]
    assert not broken, "\n".join(f"{each.name}: {each.count} ({', '.join(each.references)}). {each.said}" for each in broken)
