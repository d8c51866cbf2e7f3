# SPDX-License-Identifier: MIT
"""The routers of all pages of the inbox; those with fixed addresses come before those that take anything for a reference."""

from __future__ import annotations

from notify_gateway.web.inbox import (
    about,
    acknowledging,
    asking,
    assigning,
    contacting,
    duplicates,
    identity,
    listing,
    notification,
    outcomes,
    sending_back,
    teaming,
)

ROUTERS = tuple(
    room.router
    for room in (
        listing,
        assigning,
        duplicates,
        notification,
        acknowledging,
        contacting,
        outcomes,
        sending_back,
        asking,
        identity,
        teaming,
        about,
    )
)
