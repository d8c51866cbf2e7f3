# SPDX-License-Identifier: MIT
"""A worker process for tests: an outbox in memory, preloaded by its command line, reporting through a file of lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notify_gateway.domain.delivery import AttemptResult, Hint, Outgoing
from workers.channels.signature import RequestSigner
from workers.run import WorkerValues, run_worker


class ReportingOutbox:
    """Claims every id that it is asked for; each finished id becomes a line of the report."""

    def __init__(self, report: Path, url: str) -> None:
        self._report, self._url = report, url

    def find_due(self, **_: object) -> list[Hint]:
        return []

    def begin(self, ids: Sequence[str], *, owner: str) -> list[Outgoing]:
        channel, route = ("webhook", {"url": self._url}) if self._url else ("pull", {})
        return [Outgoing(UUID(each), "E06000004", channel, 1, route, b"{}") for each in ids]

    def renew(self, ids: Sequence[str], *, owner: str) -> None:
        return None

    def finish(self, results: Sequence[AttemptResult], *, owner: str) -> None:
        with self._report.open("a", encoding="ascii") as report:
            report.writelines(f"{result.delivery_id} {result.code}\n" for result in results)


if __name__ == "__main__":
    broker, report, url, grace, *master = sys.argv[1:]
    values = WorkerValues(
        broker_url=broker,
        broker_master=master[0] if master else None,
        signer=RequestSigner("k", Ed25519PrivateKey.generate()),
        webhook_allow_private=True,
        grace=timedelta(seconds=float(grace)),
        patience=timedelta(seconds=3),
    )
    sys.exit(run_worker(lambda: ReportingOutbox(Path(report), url), values, concurrency=4))
