# SPDX-License-Identifier: MIT
"""For whom examples and conformance messages are made, from what a user of the command gives."""

from __future__ import annotations

import re

from mappings.authorities import Directory
from notify_gateway.cli.examples.children import Sender
from notify_gateway.cli.examples.draft import Home
from notify_gateway.cli.failures import CommandFailed
from notify_gateway.domain.clock import SystemClock, london_day

_ODS = re.compile(r"[A-Z0-9]{3,10}")


def sender_for(ods: str, authority: str, postcode: str) -> Sender:
    """Return the sender of today; raises ``CommandFailed`` for what cannot be an ODS code or is no responsible authority."""
    now = SystemClock().now()
    if not _ODS.fullmatch(ods.strip().upper()):
        raise CommandFailed("That is no ODS code", "An ODS code has 3 to 10 letters and digits.", "Look it up in the ODS portal.")
    found = Directory.load().by_gss(authority.strip().upper(), london_day(now))
    if found is None:
        why = "No responsible authority in England has that GSS code today."
        raise CommandFailed("That is no authority", why, "Give one of mappings/data/authorities.csv, such as E06000004.")
    return Sender(now, ods.strip().upper(), Home(found.gss, f"{found.name} Council", found.name, postcode.strip().upper()))
