# SPDX-License-Identifier: MIT
"""MESH examined: whether the settings are whole, MESH lets us in, and nothing lies there for too long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine

from notify_gateway.cli.findings import Check, State
from notify_gateway.cli.worker_values import mesh_access
from notify_gateway.domain.clock import Clock
from notify_gateway.domain.route import ChannelName
from notify_gateway.settings import Settings
from notify_gateway.store import mesh, parties
from notify_gateway.store.engine import reading
from workers.channels.mesh_protocol import MeshFailed

NEEDED = ("mesh_url", "mesh_mailbox", "mesh_password", "mesh_shared_key")
LONGEST_WAIT = timedelta(seconds=5)
MOST_LISTED = 500


def check_mesh(engine: Engine, settings: Settings, clock: Clock) -> Iterator[Check]:
    """Where MESH is set or an authority is reached by it: the settings are whole, it lets us in, and what was sent is fetched in time."""
    with reading(engine).begin() as connection:
        used = any(each.channel == ChannelName.MESH for each in parties.receivers(connection).values())
        before = clock.now() - settings.mesh_uncollected_after
        lying = len(mesh.uncollected(connection, sent_before=before, limit=MOST_LISTED))
    missing = [f"NOTIFY_GATEWAY_{name.upper()}" for name in NEEDED if not getattr(settings, name)]
    if len(missing) == len(NEEDED) and not used:
        return
    if missing:
        value = "an authority is reached by MESH, which is not set" if used else "MESH is set in part"
        fix = f"Set {', '.join(missing)}; secrets may stand in files named by …_FILE. Worker and scheduler need them."
        yield Check("mesh", State.FAIL, value, fix)
        return
    yield _lets_us_in(settings)
    if lying:
        fix = "Ask these authorities to start their MESH clients: MESH deletes what nobody fetches in 5 days. Logged: mesh-uncollected."
        yield Check("mesh deliveries", State.WARN, f"{lying} not fetched within {settings.mesh_uncollected_after.days} days", fix)


def _lets_us_in(settings: Settings) -> Check:
    from workers.channels.mesh_mailbox import MeshMailbox

    access = mesh_access(settings)
    assert access is not None
    try:
        mailbox = MeshMailbox(replace(access, timeout=min(access.timeout, LONGEST_WAIT)))
        try:
            mailbox.check()
        finally:
            mailbox.close()
    except MeshFailed as failed:
        fix = "mesh-unauthorised: mailbox, password or shared key; mesh-tls, mesh-certificate: the files; else address and network."
        return Check("mesh", State.FAIL, f"does not let us in ({failed.code})", fix)
    return Check("mesh", State.OK, f"lets mailbox {access.mailbox} in")
