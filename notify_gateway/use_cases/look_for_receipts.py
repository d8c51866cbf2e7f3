# SPDX-License-Identifier: MIT
"""Which authorities' SFTP servers are to be looked at now for what they say they have, and what came of looking."""

from __future__ import annotations

from notify_gateway.domain.route import ChannelName, Route
from notify_gateway.store import sftp
from notify_gateway.use_cases.gateway import Core


def servers_due(core: Core) -> dict[str, Route]:
    """Return the routes of the servers that are due, by authority; each is this caller's until it is due again."""
    routes = {each.gss: each.route for each in core.receivers.get().values() if each.channel == ChannelName.SFTP}
    if not routes:
        return {}
    now = core.clock.now()
    with core.engine.begin() as connection:
        due = sftp.take_due(connection, sorted(routes), now=now, next_at=now + core.settings.sftp_look_every)
    return {each: routes[each] for each in due}


def looked(core: Core, *, authority: str, code: str, more: bool = False) -> bool:
    """Keep what came of a look, and have the next one at once where there is ``more``; tell whether it is not what came of the last."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        return sftp.looked(connection, authority, now=now, code=code, next_at=now if more else None) != code
