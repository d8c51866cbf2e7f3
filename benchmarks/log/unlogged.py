# SPDX-License-Identifier: MIT
"""The service's own command with its audit log taken out, to measure what the log costs: ``python -m benchmarks.log.unlogged serve …``.

No leaf is made, nothing is pending, nothing is sequenced. Events are still put together and checked, and promises still signed (about
an empty leaf), so the log is seen a little cheaper than it is. Nothing but a benchmark can run this: PostgreSQL's own constraints, which
refuse a change without its event, have to be taken down first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import audit.log
from audit.events import Event, micros
from audit.log import Appended


def _no_leaf(event: Event) -> Appended:
    return Appended(uuid4(), b"", bytes(32), micros(event.at), event.subject, event.tag)


def _append_nothing(_connection: object, _tables: object, events: Iterable[Event]) -> list[Appended]:
    return [_no_leaf(event) for event in events]


def _nothing(*_: object) -> list[Any]:
    return []


audit.log.prepare_leaf = _no_leaf
audit.log.append = _append_nothing  # type: ignore[assignment]
audit.log.insert_prepared = _nothing  # type: ignore[assignment]
audit.log.pending_rows = _nothing  # type: ignore[assignment]

if __name__ == "__main__":
    from notify_gateway.cli.main import main  # binds the functions above, as they are now

    main()
