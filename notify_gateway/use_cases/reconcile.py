# SPDX-License-Identifier: MIT
"""The daily reconciliation file of a trust or an authority: what the signed log says happened to its deliveries on a London day.

The same day under the same checkpoint gives the same file, so both sides can compare, and prove it. It holds references, ids, codes and
instants; the trust's own identifiers are kept as keyed digests and are not in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, func, select

from audit.events import micros
from audit.note import Checkpoint
from audit.reading import Signed, latest_signed
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import LONDON, london_day
from notify_gateway.domain.errors import Issue, NotFound, Unavailable
from notify_gateway.domain.lifecycle import TABLE, Count
from notify_gateway.privacy.spreadsheet import cell
from notify_gateway.store.engine import reading
from notify_gateway.store.parties import Client, find_client
from notify_gateway.store.reconciliation import STATE_OF, Moved, OrganisationDeliveries, Stretch, Sums
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.shards import deleted_until

PAGE = 1_000
"""Deliveries that are read at a time."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANTS: Final = tuple(tag.partition(":")[2].replace("returned", "sent_back") for tag in STATE_OF)
COLUMNS: Final = (
    *("record", "name", "value", "reference", "task", "delivery", "sender", "authority", "event", "accepted_at"),
    *(f"{name}_at" for name in _INSTANTS),
    *("state", "counts_as"),
)
"""Columns of the CSV file: lines of the record ``head`` and ``total`` have name and value, those of ``delivery`` the others."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a day: what happened, and where the deliveries to which anything happened stood at its end."""

    happened: dict[str, int]
    accepted: int
    """Accepted on the day."""
    added: int
    """Withdrawals by which an authority learns, on the day, that a notification has moved elsewhere."""
    carried: int
    """Accepted before the day."""
    headings: dict[Count, int]

    @property
    def balanced(self) -> bool:
        """Tell whether accepted + added + carried = received + waiting + cancelled + superseded + sent back + given up."""
        return self.accepted + self.added + self.carried == sum(self.headings.values())

    def document(self) -> dict[str, Any]:
        """Return the sums as JSON values."""
        return {
            "happened": self.happened,
            "accepted": self.accepted,
            "added_by_moves": self.added,
            "carried_over": self.carried,
            "at_the_end": {heading.value: count for heading, count in self.headings.items()},
            "balanced": self.balanced,
        }


class Reconciliation:
    """One file, made page by page; between two pages no connection is held."""

    def __init__(self, core: Core, organisation: Client, day: date) -> None:
        """Look up what the file begins with.

        Raises ``NotFound`` for a day to come and for one whose entries were deleted, ``Unavailable`` before the first checkpoint.
        """
        now = core.clock.now()
        if day > london_day(now):
            raise NotFound(Issue(Code.RECONCILIATION_DAY))
        since, until = (datetime.combine(each, time(), LONDON).astimezone(UTC) for each in (day, day + timedelta(days=1)))
        self.day, self._core, self._organisation, self._made_at = day, core, organisation, now
        with reading(core.engine).begin() as connection:
            gone = deleted_until(connection)
            if gone is not None and since <= gone:
                raise NotFound(Issue(Code.LOG_ENTRIES_DELETED))
            signed = latest_signed(connection, audit_tables)
            if signed is None:
                raise Unavailable(Code.LOG_BEHIND, retry_after=1)
            self._signed = signed
            self._stretch = Stretch(since, until, signed.size)
            self.complete = now >= until and _is_signed(connection, signed, until)
            own = OrganisationDeliveries(connection, organisation, self._stretch)
            self.totals, self._ids = _totals(own.sums()), own.touched()

    def head(self) -> dict[str, Any]:
        """Return what the file begins with: day, organisation, sums, and the checkpoint that it rests on."""
        checkpoint = Checkpoint.from_text(self._signed.note.partition("\n\n")[0] + "\n")
        return {
            "format": "notify-gateway/reconciliation",
            "version": 1,
            "day": self.day.isoformat(),
            "since": _instant(self._stretch.since),
            "until": _instant(self._stretch.until),
            "organisation": {"kind": self._organisation.kind, "code": self._organisation.code},
            "made_at": _instant(self._made_at),
            "complete": self.complete,
            "log": {
                "origin": checkpoint.origin,
                "size": checkpoint.size,
                "root": checkpoint.root.hex(),
                "checkpoint": self._signed.note,
            },
            "totals": self.totals.document(),
        }

    def pages(self) -> Iterator[list[dict[str, str]]]:
        """Yield the deliveries as rows by column, in order of their id, page by page."""
        for start in range(0, len(self._ids), PAGE):
            with reading(self._core.engine).begin() as connection:
                found = OrganisationDeliveries(connection, self._organisation, self._stretch).moved(self._ids[start : start + PAGE])
            yield [_row(each) for each in found]

    def as_json(self) -> Iterator[bytes]:
        """Yield the file as one JSON object: the head, and ``deliveries`` as a list."""
        yield orjson.dumps(self.head())[:-1] + b',"deliveries":[\n'
        before = b""
        for page in self.pages():
            yield before + b",\n".join(orjson.dumps(row) for row in page)
            before = b",\n"
        yield b"\n]}\n"

    def as_csv(self) -> Iterator[bytes]:
        """Yield the file as CSV (RFC 4180, UTF-8, every cell quoted) that no spreadsheet program reads as formulas."""
        yield _lines([dict(zip(COLUMNS, COLUMNS, strict=True))])
        head = self.head()
        totals = head.pop("totals")
        yield _lines([{"record": "head", "name": name, "value": _plain(value)} for name, value in _flat(head)])
        yield _lines([{"record": "total", "name": name, "value": _plain(value)} for name, value in _flat(totals)])
        for page in self.pages():
            yield _lines([{"record": "delivery", **row} for row in page])


def reconcile(core: Core, *, organisation: Client, day: date) -> Reconciliation:
    """Return the file of the organisation's day. Raises ``NotFound`` for a day to come, ``Unavailable`` before the first checkpoint."""
    return Reconciliation(core, organisation, day)


def organisation_of(core: Core, *, kind: str, code: str) -> Client:
    """Return the trust or authority of that code; raises ``NotFound`` where none is registered."""
    with reading(core.engine).begin() as connection:
        found = find_client(connection, kind=kind, code=code)
    if found is None:
        raise NotFound(Issue(Code.CLIENT_UNKNOWN))
    return found


def _totals(sums: Sums) -> Totals:
    headings = dict.fromkeys(Count, 0)
    for state, count in sums.states.items():
        headings[TABLE[state].counts_as] += count
    happened = {name: sums.events.get(tag, 0) for name, tag in zip(_INSTANTS, STATE_OF, strict=True)}
    return Totals(happened, sums.accepted, sums.added, sums.carried, headings)


def _row(moved: Moved) -> dict[str, str]:
    happened = {
        f"{name}_at": _instant(_EPOCH + timedelta(microseconds=moved.happened[tag]))
        for name, tag in zip(_INSTANTS, STATE_OF, strict=True)
        if tag in moved.happened
    }
    return {
        "reference": moved.reference,
        "task": str(moved.notification_id),
        "delivery": str(moved.id),
        "sender": moved.sender,
        "authority": moved.authority,
        "event": moved.event,
        "accepted_at": _instant(moved.accepted_at),
        **happened,
        "state": moved.state.value,
        "counts_as": TABLE[moved.state].counts_as.value,
    }


def _is_signed(connection: Connection, signed: Signed, until: datetime) -> bool:
    """Tell whether everything that was told before the instant is under the checkpoint."""
    leaf, pending = audit_tables.leaf.c, audit_tables.pending.c
    unsigned = [
        connection.scalar(select(func.min(leaf.created_at)).where(leaf.idx >= signed.size)),
        connection.scalar(select(func.min(pending.created_at))),
    ]
    return all(each is None or each >= micros(until) for each in unsigned)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flat(nested: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in nested.items():
        if isinstance(value, dict):
            yield from ((f"{name}_{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _lines(rows: list[dict[str, str]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([cell(row.get(column, "")) for column in COLUMNS] for row in rows)
    return file.getvalue().encode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
