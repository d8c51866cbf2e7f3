# SPDX-License-Identifier: MIT
"""The authorities of the demonstration whose people work in the service's own inbox, and what waits for them there.

One leaves its key to the service's opener, so that everything can be tried at once; the other holds its keys itself, and its people open
cards in their browsers.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from notify_gateway import opener
from notify_gateway.cli.demo.front_door import PATIENCE, Caller, DemonstrationStopped
from notify_gateway.cli.demo.world import ACTOR, TRUST, World, keys_of
from notify_gateway.cli.examples.children import CHILDREN, Sender
from notify_gateway.cli.examples.draft import HARTLEPOOL, REDCAR, Home
from notify_gateway.privacy.keys import RecipientPurpose, Suite
from notify_gateway.runtime import Runtime, open_vault
from notify_gateway.settings import Settings
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import deliveries, notifications
from notify_gateway.use_cases import onboard

MANAGED, HELD = HARTLEPOOL, REDCAR
OF_HELD = ("delphine", "fenella", "idris")
"""The children whose notifications go to the authority that holds its keys."""


def set_up(runtime: Runtime) -> None:
    """Put both authorities on the service, with keys. Safe to do again."""
    gateway = runtime.gateway
    for home, custody in ((MANAGED, "managed"), (HELD, "authority-held")):
        if home.gss not in gateway.receivers.get():
            onboard.register_authority(gateway, gss=home.gss, custody=custody, channel="inbox", route={}, actor=ACTOR)
    folder = gateway.settings.opener_keys
    if MANAGED.gss not in opener.managed_keys(folder):
        onboard.register_key(gateway, key=opener.make_managed_key(folder, MANAGED.gss).public(), actor=ACTOR)
    # A browser opens X25519 alone.
    keys_of(runtime, HELD.gss, ((RecipientPurpose.WORKING, Suite.X25519), (RecipientPurpose.RECOVERY, Suite.X25519)))


@contextmanager
def socket_for_opener() -> Iterator[Path]:
    """Lend a path that is short enough for a Unix socket, wherever the demonstration's folder is."""
    with tempfile.TemporaryDirectory(prefix="notify-gateway-") as folder:
        yield Path(folder) / "opener.sock"


@contextmanager
def opening(settings: Settings) -> Iterator[None]:
    """Keep the opener running while the block runs; it is a process of its own anywhere else."""
    vault, address = open_vault(settings), settings.opener_socket
    assert address is not None
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(
        target=loop.run_until_complete, args=(opener.serve(vault, settings.opener_keys, address, stop),), name="opener", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=PATIENCE)
        vault.engine.dispose()
        vault.shred_engine.dispose()


def fill(world: World, trust: Caller) -> dict[Home, int]:
    """Send the worked examples to both, unless they have been sent; return how many notifications are in each inbox once all are there."""
    engine = world.runtime.gateway.engine
    n, d = notifications.c, deliveries.c
    with reading(engine).begin() as connection:
        known = connection.execute(select(n.authority).where(n.authority.in_((MANAGED.gss, HELD.gss))).distinct()).scalars().all()
    for home in (MANAGED, HELD):
        if home.gss not in known:
            _send(world, trust, home)
    arrived = select(n.authority, func.count()).group_by(n.authority)
    waiting = select(func.count()).where(d.authority.in_((MANAGED.gss, HELD.gss)), d.state.in_(("queued", "offered")))
    pause, until = threading.Event(), time.monotonic() + PATIENCE
    while True:
        with reading(engine).begin() as connection:
            if not connection.scalar(waiting):
                counts = {gss: count for gss, count in connection.execute(arrived)}
                return {home: counts.get(home.gss, 0) for home in (MANAGED, HELD)}
        if time.monotonic() > until:
            raise DemonstrationStopped("inboxes", f"Not everything arrived within {PATIENCE:.0f} seconds")
        pause.wait(0.05)


def _send(world: World, trust: Caller, home: Home) -> None:
    sender = Sender(world.runtime.gateway.clock.now(), ods=TRUST, home=home)
    for child in CHILDREN:
        if home is HELD and child.name not in OF_HELD:
            continue
        for example in child.examples(sender):
            response, _ = trust.post_message(example.draft.bytes())
            if response.status_code != example.status:
                raise DemonstrationStopped("inboxes", f"The gateway answered {response.status_code} instead of {example.status}")
