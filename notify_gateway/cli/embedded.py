# SPDX-License-Identifier: MIT
"""The whole service in one process: worker, dispatcher, sequencer and upkeep in threads beside the front door. Nothing to install."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import structlog

from audit.guard import GuardRefused
from audit.log import Sequencer
from audit.merkle import ProofInvalid
from notify_gateway.cli.alerting import alerting
from notify_gateway.cli.run import outbox_of, start_upkeep
from notify_gateway.cli.worker_values import worker_values
from notify_gateway.runtime import Runtime, beside_the_sequencer, open_sequencer
from workers.embedded import EmbeddedWorkers

LOG = structlog.get_logger(__name__)


class Embedded:
    """Works while the ``with`` block runs; ``wake`` makes it look for due deliveries at once."""

    def __init__(self, runtime: Runtime) -> None:
        """Open what is needed; raises ``KeyFileError`` when the log's private key is not there."""
        self._core = runtime.gateway
        self._beside = beside_the_sequencer(runtime.gateway.settings, runtime.gateway.clock)
        self._sequencer = open_sequencer(runtime.gateway.settings, runtime.gateway.clock)
        self._workers = EmbeddedWorkers(outbox_of(runtime.gateway), worker_values(runtime.gateway))
        self._alerting = alerting(runtime.gateway)
        self._stop = threading.Event()
        self._sequencing = threading.Thread(target=_sequence, args=(self._sequencer, self._stop), name="sequencer", daemon=True)

    def __enter__(self) -> Self:
        self._beside.__enter__()
        self._sequencing.start()
        self._upkeep = start_upkeep(self._core, self._stop)
        self._workers.start()
        self._alerting.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._alerting.__exit__(None, None, None)
        self._workers.stop()
        self._stop.set()
        self._sequencing.join(timeout=10)
        self._beside.__exit__(None, None, None)
        self._upkeep.join(timeout=10)

    def wake(self) -> None:
        """Look for due deliveries at once."""
        self._workers.wake()


def _sequence(sequencer: Sequencer, stop: threading.Event) -> None:
    try:
        sequencer.run_forever(stop)
    except (GuardRefused, ProofInvalid) as error:
        # Nothing more is signed; a minute later the front door accepts nothing more and says why.
        LOG.critical("log-not-signed", reason=str(error))
