# SPDX-License-Identifier: MIT
"""The messages of the demonstration: one child at each authority, made up, and the same at every run."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from notify_gateway.cli.examples.draft import MIDDLESBROUGH, STOCKTON, Draft, Home

NHS_NUMBERS: Final = {STOCKTON: "9990548609", MIDDLESBROUGH: "9990000026"}
"""The children's NHS numbers, of the range that nobody has."""


def fresh(home: Home, now: datetime) -> Draft:
    """Return a notification with ids of its own, sent yesterday, for the child who lives at ``home``."""
    return Draft(now, home=home, nhs_number=NHS_NUMBERS[home])


def without_informed_parent(draft: Draft) -> Draft:
    """Return the message as a trust would send it that has not told the parent: section 23(2) forbids it."""
    return draft.without("informed")
