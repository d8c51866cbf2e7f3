# SPDX-License-Identifier: MIT
"""The loop that finds which addresses are due and has them alerted, one loop and thread for each kind. Any number may run."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

import structlog

from notify_gateway.domain.alerts import Alert, AlertKind, AlertResult
from notify_gateway.telemetry.metrics import ALERTS
from notify_gateway.use_cases import alert as alerting
from notify_gateway.use_cases.gateway import Core

_log = structlog.get_logger("workers.alerting")


class Sender(Protocol):
    """A way to alert; ``at_once`` is how many alerts are taken on together. Blocks, within time-outs of its own."""

    @property
    def kind(self) -> AlertKind:
        """Which alerts are sent so."""
        ...

    @property
    def at_once(self) -> int:
        """How many alerts ``send`` is given at most."""
        ...

    def send(self, alerts: Sequence[Alert]) -> list[AlertResult]:
        """Make one attempt at each and return one result for each."""
        ...

    def close(self) -> None:
        """End what is under way, which fails with ``stopping``; safe from any thread."""
        ...


class Alerter:
    """Looks every ``every`` seconds until ``stop`` is set. What is due stands in the database, so a look that fails costs nothing."""

    def __init__(self, core: Core, sender: Sender, stop: threading.Event, *, every: float) -> None:
        self._core, self._sender, self._stop, self._every = core, sender, stop, every

    def run(self) -> None:
        """Alert until ``stop`` is set; survives every fault of the database and of the sender."""
        faulty = False
        while not self._stop.wait(self._every):
            try:
                self.look()
            except Exception as error:
                if not faulty:
                    _log.warning("alerting-faulty", kind=self._sender.kind.value, error=type(error).__name__)
                faulty = True
            else:
                faulty = False

    def look(self) -> int:
        """Make one attempt at each address that is due, and return how many addresses that were; raises what the database raises.

        Each attempt is committed before anything leaves, and its result after. Of an attempt whose result could not be recorded the log
        says later that it is not known, and the alert goes out again.
        """
        ids, count = alerting.due(self._core, self._sender.kind), 0
        for first in range(0, len(ids), self._sender.at_once):
            if self._stop.is_set():
                break
            taken = [alerting.begin(self._core, each) for each in ids[first : first + self._sender.at_once]]
            count += self._send([each for each in taken if each is not None])
        return count

    def _send(self, alerts: Sequence[Alert]) -> int:
        try:
            results = self._sender.send(alerts) if alerts else []
        except Exception as error:
            _log.error("alert-sender-failed", kind=self._sender.kind.value, error=type(error).__name__)
            results = [AlertResult((), "sender-failed") for _ in alerts]
        for alert, result in zip(alerts, results, strict=True):
            alerting.finish(self._core, alert, result)
            ALERTS.labels(alert.kind.value, result.code or "ok").inc()
            if result.code is None:
                _log.info("alert-sent", kind=alert.kind.value, authority=alert.authority, count=len(result.told))
            else:
                _log.warning("alert-failed", kind=alert.kind.value, authority=alert.authority, code=result.code)
        return len(alerts)
