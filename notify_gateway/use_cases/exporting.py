# SPDX-License-Identifier: MIT
"""The log as a file, page by page: all of it for information governance, for an organisation what is its own and hashes of the rest.

Of a closed log whose entries were deleted it is the hashes alone, and the opening, which say so.

That an export begins is in the log before the first page, and how it ended after the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

from audit.events import Event, EventInvalid, read_leaf
from audit.export import hash_line, head_line, leaf_line
from audit.merkle import leaf_hash
from audit.reading import BATCH, Signed, latest_signed, read_hashed
from audit.shards import OPENING, ClosedLog
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Unavailable
from notify_gateway.store.engine import reading
from notify_gateway.store.parties import Client
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import acts, shards
from notify_gateway.use_cases.gateway import Core

_OPENING = OPENING.encode()
_PARTY = ("sender", "authority", "organisation")
"""Fields that name the organisations that an event is about."""


class Export:
    """An export under way. One page is held at a time, and between two pages no connection."""

    def __init__(self, core: Core, signed: Signed, *, actor: str, own: Client | None, log: ClosedLog | None = None) -> None:
        self._core, self._signed, self._actor, self._own, self._log = core, signed, actor, own, log
        self._tables = audit_tables if log is None else shards.tables_of(log)
        self._act, self._next, self._headed, self._ended = uuid4(), 0, False, False
        with core.engine.begin() as connection:
            acts.begin(connection, self._act, self._told("export:attempted"))

    @property
    def id(self) -> UUID:
        """What the log's events call this export."""
        return self._act

    def page(self) -> list[bytes]:
        """Return the next lines, without their ends: first the checkpoint, then up to ``BATCH`` entries at a time, at last nothing."""
        if not self._headed:
            self._headed = True
            deleted_at = None if self._log is None or self._log.deleted_at is None else shards.instant(self._log.deleted_at)
            return [head_line(self._signed.note, deleted_at)]
        limit = min(BATCH, self._signed.size - self._next)
        if limit <= 0:
            return []
        with reading(self._core.engine).begin() as connection:
            entries = read_hashed(connection, self._tables, start=self._next, limit=limit)
        self._next += len(entries)
        return [self._line(*entry) for entry in entries]

    def end(self, *, whole: bool) -> None:
        """Record how it ended: handed over whole, or broken off after so many entries. A second call changes nothing."""
        if self._ended:
            return
        self._ended = True
        event = self._told("log:exported" if whole else "export:failed", count=self._next)
        with self._core.engine.begin() as connection:
            acts.end(connection, self._act, event)

    def _line(self, index: int, leaf: bytes, stored: bytes) -> bytes:
        if not leaf:
            return hash_line(index, stored)
        if self._own is None or is_own(leaf, self._own):
            return leaf_line(index, leaf)
        return hash_line(index, leaf_hash(leaf))

    def _told(self, tag: str, **more: int) -> Event:
        fields: dict[str, str | int] = {"export": str(self._act), **more}
        if self._own is not None:
            fields["authority" if self._own.kind == "authority" else "organisation"] = self._own.code
        subject = self._core.settings.log_origin if self._log is None else self._log.origin
        return Event(tag, at=self._core.clock.now(), actor=self._actor, subject=subject, fields=fields)


def begin(core: Core, *, actor: str, own: Client | None = None, closed: int | None = None) -> Export:
    """Return an export of the signed log, recorded as begun; with ``own`` that organisation's, with ``closed`` of the closed log of that
    number. Raises ``Unavailable`` before the first checkpoint, and ``NotFound`` where no such log was closed."""
    log = None if closed is None else shards.closed_log(core, closed)
    with reading(core.engine).begin() as connection:
        signed = latest_signed(connection, audit_tables if log is None else shards.tables_of(log))
    if signed is None:
        raise Unavailable(Code.LOG_BEHIND, retry_after=1)
    return Export(core, signed, actor=actor, own=own, log=log)


def lines(core: Core, *, actor: str, closed: int | None = None) -> Iterator[bytes]:
    """Yield the signed log as lines without their ends. Raises what ``begin`` raises."""
    export, whole = begin(core, actor=actor, closed=closed), False
    try:
        while page := export.page():
            yield from page
        whole = True
    finally:
        export.end(whole=whole)


def is_own(leaf: bytes, organisation: Client) -> bool:
    """Tell whether the entry is the organisation's: it acted, or sent what the event is about, or is its authority.

    That a log follows one that was closed is everybody's.
    """
    code = organisation.code
    if code.encode() not in leaf and _OPENING not in leaf:
        return False
    try:
        event = read_leaf(leaf)
    except EventInvalid:
        return False
    return event.tag == OPENING or code in (event.actor, event.subject, *(event.fields.get(name) for name in _PARTY))
