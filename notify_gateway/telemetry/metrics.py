# SPDX-License-Identifier: MIT
"""Counters of this process, for Prometheus. Their labels are codes of closed lists: no id, no reference, nothing that came in a message."""

from __future__ import annotations

from prometheus_client import Counter, Histogram, disable_created_metrics
from sqlalchemy.exc import SQLAlchemyError

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotifyError

# A series with the time of its birth beside each counter would double what is scraped, and says what the process's start says.
disable_created_metrics()  # type: ignore[no-untyped-call]

PREFIX = "notify_gateway"

ACCEPTED = Counter(f"{PREFIX}_notifications_accepted", "Notifications, updates and withdrawals that were accepted.")
REFUSED = Counter(
    f"{PREFIX}_notifications_refused", "Messages that were examined and not accepted, by the first code of the answer.", ["code"]
)
ACCEPT_SECONDS = Histogram(
    f"{PREFIX}_accept_seconds",
    "From the whole message to its durable acceptance or refusal.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
COMMIT_SIZE = Histogram(
    f"{PREFIX}_commit_group_size", "Acceptances and refusals in one commit.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
)
COMMIT_SECONDS = Histogram(
    f"{PREFIX}_commit_seconds", "How long one commit took.", buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
)
ANSWERS = Counter(f"{PREFIX}_http_answers", "Answers over HTTP, by status; 0 where none was given.", ["status"])
ERRORS = Counter(f"{PREFIX}_http_errors", "Error answers over HTTP, by code; those of sign-in and single lines of a bulk aside.", ["code"])
ATTEMPTS = Counter(f"{PREFIX}_delivery_attempts", "Attempts at deliveries that were recorded, by channel and result.", ["channel", "code"])
HINTS_REFUSED = Counter(f"{PREFIX}_hints_refused", "Messages in the broker's queues that no part of ours wrote, dropped, by why.", ["code"])
ALERTS = Counter(f"{PREFIX}_alerts", "Alerts that were sent, by kind; code ok where it got through.", ["kind", "code"])
SEQUENCED = Counter(f"{PREFIX}_log_entries_sequenced", "Events that this process gave their place in the log.")


def code_of(error: Exception) -> str:
    """Return the code by which an error counts: its own first one, or that which the front door answers it with."""
    if isinstance(error, NotifyError):
        return str(error.issues[0].code)
    return Code.DATABASE_UNAVAILABLE.value if isinstance(error, SQLAlchemyError) else Code.SERVER_ERROR.value
