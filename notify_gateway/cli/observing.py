# SPDX-License-Identifier: MIT
"""How a process begins: what it keeps in memory is guarded, that is told, and it can be watched where the settings say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from notify_gateway.settings import Settings

LOOPBACK = "127.0.0.1"
PLACES: Final = {"worker": 0, "scheduler": 1, "sequencer": 2}
"""Which port, counted from the one that is set, each process shows its metrics at; the others have none, or ``/metrics``."""

TRACED: Final = ("gateway", "worker", "sequencer")


def begin(name: str, chosen: Settings) -> None:
    """The process ``name`` is guarded and watched from now on until it ends."""
    import structlog

    from notify_gateway.privacy.memory import guard_memory

    structlog.get_logger(__name__).info("started", process=name, memory=str(guard_memory()))
    if chosen.metrics_port is not None and name in PLACES:
        show_metrics(name, chosen.metrics_port + PLACES[name])
    if chosen.traces_url is not None and name in TRACED:
        from notify_gateway.egress.traces import tracer_to_collector
        from notify_gateway.telemetry import tracing

        tracing.begin(tracer_to_collector(chosen.traces_url, name))


def show_metrics(name: str, port: int) -> None:
    """The process shows its metrics to this machine at the port; where that is taken, it says so and goes without."""
    import structlog
    from prometheus_client import start_http_server

    # Delivering goes before being watched: a second worker on the machine must not fail for want of a port.
    try:
        start_http_server(port, addr=LOOPBACK)
    except OSError as error:
        structlog.get_logger(__name__).error("metrics-not-shown", process=name, port=port, error=type(error).__name__)
