# SPDX-License-Identifier: MIT
"""The long-running processes of the service, one command each; a supervisor starts them and sends SIGTERM to end them."""

from __future__ import annotations

import itertools
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import FAILED, CommandFailed
from notify_gateway.cli.observing import begin
from notify_gateway.cli.output import AsJson, show
from notify_gateway.cli.restore import require_erasures, require_origin
from notify_gateway.cli.service import opened, opened_core, settings
from notify_gateway.cli.worker_values import start_mesh_poller, start_receipt_poller, worker_values
from notify_gateway.domain.route import ChannelName

if TYPE_CHECKING:
    import uvicorn

    from notify_gateway.settings import Settings
    from notify_gateway.use_cases.gateway import Core
    from workers.ports import Outbox

GRACE = 20
"""Seconds that requests under way have to end after SIGTERM."""

KEPT_ALIVE = 75
"""Seconds that an idle connection is kept: longer than a proxy keeps it, so that no request meets one that is just being closed."""

Host = Annotated[str, typer.Option(help="Address to listen on. Put a TLS proxy in front of anything but 127.0.0.1.")]


def serve(host: Host = "127.0.0.1", port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8080) -> None:
    """Answer trusts and authorities over HTTP: the front door. Needs keys, migrated databases and a postcode table.

    With a broker (NOTIFY_GATEWAY_BROKER_URL) any number may run side by side; worker, schedule and sequence are processes of their own.
    Without one, this one process does all of their work too.
    """
    from notify_gateway.app import create_app
    from notify_gateway.cli.doctor import examiner
    from notify_gateway.cli.reaching import reacher_of

    with ExitStack() as stack:
        runtime = stack.enter_context(opened())
        require_erasures(runtime.gateway)
        require_origin(runtime.gateway.settings, runtime.gateway.engine)
        listening = stack.enter_context(listen(host, port))
        begin("gateway", runtime.gateway.settings)
        examine, reach = examiner(runtime.gateway.settings, runtime.gateway.clock), reacher_of(runtime.gateway)
        if runtime.gateway.settings.broker_url is None:
            from notify_gateway.cli.embedded import Embedded

            app = create_app(runtime, on_commit=stack.enter_context(Embedded(runtime)).wake, examine=examine, reach=reach)
        else:
            app = create_app(runtime, examine=examine, reach=reach)
        server = make_server(app, runtime.gateway.settings)
        _outlive_signals()
        server.run(sockets=[listening])
        if not server.started:
            raise typer.Exit(FAILED)


def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Tasks at once; each has up to 64 deliveries under way.")] = 8,
    channel: Annotated[
        list[ChannelName] | None, typer.Option(help="Carry only what goes by this channel, repeated; without it, everything.")
    ] = None,
) -> None:
    """Carry deliveries to authorities: takes hints from the broker and sends what they name.

    Each channel has a queue of its own, so that workers may be set aside for one: notify-gateway worker --channel mesh

    Ends with status 75 when it is connected and yet takes nothing: start it again.
    """
    from notify_gateway.cli.heartbeat import Heartbeat, beating
    from workers.run import run_worker

    with opened_core() as core, beating(Heartbeat("worker", core.settings.data_dir)):
        _require_broker(core)
        require_erasures(core)
        begin("worker", core.settings)
        raise typer.Exit(run_worker(outbox_of(core), worker_values(core), concurrency=concurrency, channels=channel or ()))


def schedule() -> None:
    """Find deliveries that are due and hint them to the workers, and alert authorities of what waits. Any number may run side by side."""
    from notify_gateway.cli.alerting import alerting
    from notify_gateway.cli.heartbeat import BeatingEvent, Heartbeat
    from workers.run import run_schedule

    with opened_core() as core:
        _require_broker(core)
        require_erasures(core)
        begin("scheduler", core.settings)
        heartbeat = Heartbeat("scheduler", core.settings.data_dir)
        stop = BeatingEvent(heartbeat)
        upkeep = start_upkeep(core, stop)
        try:
            with alerting(core):
                raise typer.Exit(run_schedule(outbox_of(core), worker_values(core), stop=stop))
        finally:
            stop.set()
            upkeep.join()
            heartbeat.end()


def sequence() -> None:
    """Give each audit event its place in the log, and sign the log.

    The only process that needs the log's private key and the guard file. It ends with status 1, and signs nothing, when the log does
    not continue what was signed before. With a witness policy it also has checkpoints cosigned, with a
    time-stamping authority also stamped, from threads of their own; whoever is away delays nothing.
    """
    from notify_gateway.cli.heartbeat import BeatingEvent, Heartbeat
    from notify_gateway.cli.logs import log_to_stderr
    from notify_gateway.runtime import beside_the_sequencer, collect_less, open_sequencer

    chosen = settings()
    log_to_stderr(chosen.log_level)
    begin("sequencer", chosen)
    sequencer = open_sequencer(chosen)
    collect_less()
    heartbeat = Heartbeat("sequencer", chosen.data_dir)
    stop = BeatingEvent(heartbeat)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with beside_the_sequencer(chosen):
            sequencer.run_forever(stop)
    finally:
        heartbeat.end()


def opener() -> None:
    """Open, against a committed grant, what is sealed to authorities in managed custody. Holds their keys; nobody else does.

    Run it as a user of its own, with a socket of its own (NOTIFY_GATEWAY_OPENER_SOCKET): the web processes ask it and cannot open
    anything themselves. It needs the databases and the gateway's public key, and none of the service's private keys.
    """
    import asyncio

    from notify_gateway.cli.heartbeat import EVERY, Heartbeat
    from notify_gateway.cli.logs import log_to_stderr
    from notify_gateway.opener import serve as serve_grants
    from notify_gateway.runtime import open_vault

    chosen = settings()
    log_to_stderr(chosen.log_level)
    address = chosen.opener_socket
    if address is None:
        raise CommandFailed("The opener has no socket", "Web processes reach it there.", "Set NOTIFY_GATEWAY_OPENER_SOCKET to a path.")
    vault = open_vault(chosen)
    begin("opener", chosen)

    heartbeat = Heartbeat("opener", chosen.data_dir)

    async def run() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        beating = asyncio.create_task(beat())
        try:
            await serve_grants(vault, chosen.opener_keys, address, stop)
        finally:
            beating.cancel()
            heartbeat.end()

    async def beat() -> None:
        # From the loop that answers, and only while there is a socket to answer on.
        while True:
            if address.is_socket():
                heartbeat.beat()
            await asyncio.sleep(EVERY)

    asyncio.run(run())


def health(
    name: Annotated[str, typer.Argument(help="gateway, worker, scheduler, sequencer, opener or pretend-authority.")],
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of gateway or pretend-authority.")] = 8080,
    as_json: AsJson = False,
) -> None:
    """Tell by the exit status whether a process of this machine is well: 0 or 1. Made for health checks of containers.

    Example: notify-gateway health worker
    """
    from notify_gateway.cli.health import look

    found = look(name, port=port)
    show(as_json, {"name": name, "healthy": found.well, "observed": found.observed}, f"{name}: {found.observed}")
    raise typer.Exit(0 if found.well else FAILED)


def make_server(app: object, chosen: Settings) -> uvicorn.Server:
    """Return the HTTP server: it logs no addresses, names no software, and believes forwarding headers from the proxy alone."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(chosen.trusted_proxy),
            forwarded_allow_ips=chosen.trusted_proxy or None,
            timeout_keep_alive=KEPT_ALIVE,
            timeout_graceful_shutdown=GRACE,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises ``CommandFailed`` when the address is taken or not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        why = f"{host}:{port}: {error.strerror or 'no such address'}."
        raise CommandFailed("The service cannot listen there", why, "Choose another with --host and --port.") from None
    return listening


def outbox_of(core: Core) -> Callable[[], Outbox]:
    """Return what makes the workers' outbox."""
    from notify_gateway.cli.outbox import DatabaseOutbox

    return lambda: DatabaseOutbox(core)


def start_upkeep(core: Core, stop: threading.Event, *, every: float = 60.0) -> threading.Thread:
    """Do what has to be done from time to time in a thread of its own, until ``stop`` is set; a failure waits for the next time.

    A clock that was set right is looked for six times as often, for deliveries may wait for it.
    """
    import structlog
    from sqlalchemy.exc import SQLAlchemyError

    from notify_gateway.use_cases.acts import settle_lost
    from notify_gateway.use_cases.deliver import give_up_lost_attempts
    from notify_gateway.use_cases.erase import finish
    from notify_gateway.use_cases.invariants.runs import run_when_due
    from notify_gateway.use_cases.maintain import say_that_it_is_quiet, sweep_orphan_keys, tidy_up
    from notify_gateway.use_cases.wrong_clock import set_right

    log = structlog.get_logger(__name__)

    def run() -> None:
        pollers = [start_mesh_poller(core, stop), start_receipt_poller(core, stop)]
        turns = itertools.count(1)
        while not stop.wait(every / 6):
            try:
                if wrong := set_right(core):
                    log.warning("clock-was-ahead", count=wrong)
                if next(turns) % 6:
                    continue
                if swept := sweep_orphan_keys(core):
                    log.info("orphan-keys-swept", count=swept)
                tidy_up(core)
                finish(core)
                say_that_it_is_quiet(core)
                if lost := give_up_lost_attempts(core) + settle_lost(core):
                    log.warning("acts-without-result", count=lost)
                run_when_due(core)
            except (SQLAlchemyError, OSError) as error:
                log.warning("upkeep-failed", error=type(error).__name__)
        for poller in pollers:
            poller.join(timeout=5)

    thread = threading.Thread(target=run, name="upkeep", daemon=True)
    thread.start()
    return thread


def _outlive_signals() -> None:
    """Let the server, which ends in good order on SIGTERM and then raises it again, end with status 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)


def _require_broker(core: Core) -> None:
    if core.settings.broker_url is None:
        raise CommandFailed(
            "There is no broker",
            "Worker and scheduler are processes of their own and meet at a broker.",
            "Set NOTIFY_GATEWAY_BROKER_URL to redis://…, or NOTIFY_GATEWAY_BROKER_URL_FILE to a file that holds it.",
        )
