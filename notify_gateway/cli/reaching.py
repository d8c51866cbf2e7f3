# SPDX-License-Identifier: MIT
"""What tries whether an authority can be reached, with this process's own settings and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notify_gateway.use_cases.gateway import Core
    from notify_gateway.use_cases.try_channel import Reach


def reacher_of(core: Core) -> Reach:
    """Return what tries a channel; the channels' own libraries are loaded when it is first called."""

    def reach(channel: str, route: Mapping[str, str]) -> str:
        from notify_gateway.cli.worker_values import worker_values
        from notify_gateway.egress.guard import Egress
        from workers.channels.reaching import reacher
        from workers.run import sftp_access

        values = worker_values(core)
        egress = Egress(allow_private=values.webhook_allow_private)
        return reacher(egress=egress, sftp=sftp_access(values), mesh=values.mesh)(channel, route)

    return reach
