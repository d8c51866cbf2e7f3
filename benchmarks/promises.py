# SPDX-License-Identifier: MIT
"""What the service must have kept after a run, however fast it was: every acceptance delivered once, logged and provable."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2
from sqlalchemy import Engine, select

from audit.export import verify_export
from audit.merkle import leaf_hash
from audit.note import Verifier
from audit.reading import export_lines
from audit.receipts import verify_receipt
from notify_gateway.privacy.keys import VerifyingKey, load
from notify_gateway.runtime import LOG_PUBLIC
from notify_gateway.settings import Settings
from notify_gateway.store.engine import open_engine, reading
from notify_gateway.store.tables import audit_tables, deliveries
from tests.support.waiting import eventually

RECEIPTS = 20
EVENTS_EACH = 5
"""Entries that an accepted and delivered message has in the log: accepted, split, queued, attempted, received."""


class PromiseBroken(Exception):
    """The service was measured while it did not do its work."""


@dataclass(frozen=True)
class Promises:
    """The promises of one running service."""

    settings: Settings
    port: int
    token: str

    def check(self, tasks: Sequence[str], posts: Mapping[str, int], *, within: float = 20) -> str:
        """Return in words what was found kept; raises ``PromiseBroken`` otherwise, or where it is not recorded ``within`` so many seconds.

        ``tasks`` are all notifications that were answered 202, ``posts`` how often each delivery came to the receiver.
        """
        engine = reading(open_engine(self.settings.main_url))
        try:
            self._delivered_once(engine, tasks, posts, within)
            entries = self._log_holds(engine, len(tasks), within)
        finally:
            engine.dispose()
        sample = tasks[:: max(1, len(tasks) // RECEIPTS)]
        self._receipts_verify(sample)
        return f"{len(tasks)} accepted = {len(posts)} received, once each; log of {entries} entries and {len(sample)} receipts verified"

    def _delivered_once(self, engine: Engine, tasks: Sequence[str], posts: Mapping[str, int], within: float) -> None:
        def all_received() -> bool:
            with engine.begin() as connection:
                return connection.scalar(select(deliveries.c.id).where(deliveries.c.state != "received").limit(1)) is None

        eventually(all_received, within=within, what="every delivery recorded as received")
        with engine.begin() as connection:
            held = {
                str(row.id): str(row.notification_id) for row in connection.execute(select(deliveries.c.id, deliveries.c.notification_id))
            }
        if sorted(held.values()) != sorted(tasks):
            raise PromiseBroken(f"{len(tasks)} messages were accepted, and {len(held)} deliveries are held")
        if held.keys() != posts.keys() or any(times != 1 for times in posts.values()):
            raise PromiseBroken(f"{len(held)} deliveries are held; the receiver got {len(posts)}, in {sum(posts.values())} POSTs")

    def _log_holds(self, engine: Engine, accepted: int, within: float) -> int:
        def signed_entries() -> int:
            with engine.begin() as connection:
                return verify_export(export_lines(connection, audit_tables), [self._log_key]).in_full

        wanted = accepted * EVENTS_EACH
        return eventually(
            lambda: (held := signed_entries()) >= wanted and held, within=within, every=0.2, what=f"{wanted} entries in the signed log"
        )

    def _receipts_verify(self, tasks: Sequence[str]) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx2.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers) as client:
            for task in tasks:
                answer = client.get(f"/fhir/R4/Task/{task}/$receipt").raise_for_status().json()
                leaf, receipt = (part for part in answer["parameter"])
                verify_receipt(receipt["valueString"], leaf_hash(b64decode(leaf["valueBase64Binary"])), self._log_key)

    @property
    def _log_key(self) -> Verifier:
        return Verifier(self.settings.log_origin, load(self.settings.keys / LOG_PUBLIC, VerifyingKey).raw)
