# SPDX-License-Identifier: MIT
"""The baseline's task: read the row, POST it over a kept connection, commit that it was delivered."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

import httpx2
from celery import Celery
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.baseline.store import Notification, open_engine

app = Celery("baseline", broker=os.environ["BASELINE_BROKER"])
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


@cache
def sessions() -> sessionmaker[Session]:
    """Return the maker of sessions, opened once per process."""
    return sessionmaker(open_engine())


@cache
def client() -> httpx2.Client:
    """Return the client whose connections are kept, opened once per process."""
    return httpx2.Client()


@app.task(autoretry_for=(httpx2.HTTPError,), retry_backoff=True)  # type: ignore[untyped-decorator]
def deliver(notification_id: str) -> None:
    """Deliver one notification."""
    with sessions()() as session:
        notification = session.get_one(Notification, UUID(notification_id))
        headers = {"Content-Type": "application/fhir+json", "Idempotency-Key": notification_id}
        client().post(os.environ["BASELINE_RECEIVER"], content=notification.body, headers=headers).raise_for_status()
        notification.delivered_at = datetime.now(UTC)  # noqa: TID251 - the baseline has no clock to pass
        session.commit()
