# SPDX-License-Identifier: MIT
"""SFTP: each batch becomes a folder on the authority's server. That is offered, not received: the authority says what it has by files of
its own (``workers.receipts``).

What speaks SSH is loaded with the first batch, so that a service without such authorities does not carry it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeAlias
from uuid import UUID

import structlog
from aiohttp.abc import AbstractResolver

from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing
from notify_gateway.domain.route import Route
from notify_gateway.egress.guard import Egress
from notify_gateway.privacy.drops import DropUnreadable, Sealed, read_document
from workers.channels.signature import RequestSigner

Codes: TypeAlias = dict[UUID, str]
"""Why deliveries are not in a batch."""

_log = structlog.get_logger("workers.sftp")


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpAccess:
    """What connections are made with; ``timeout`` is the longest wait for a connection, and for each file."""

    key_file: Path | None
    egress: Egress
    timeout: timedelta
    resolver: AbstractResolver | None = field(default=None, repr=False)

    @property
    def seconds(self) -> float:
        """The timeout in seconds."""
        return self.timeout.total_seconds()


class Abortable(Protocol):
    """A connection, as much of it as is needed to end it."""

    def abort(self) -> None:
        """End it without another word; what waits for an answer fails at once."""
        ...


class SftpChannel:
    """Puts batches down; one connection for each authority and route of a ``send``, and none is kept."""

    def __init__(self, *, signer: RequestSigner, access: SftpAccess) -> None:
        self._signer, self._access = signer, access
        self._drops: set[asyncio.Task[Codes]] = set()
        self._opened: set[Abortable] = set()
        self._closed = False

    async def send(self, batch: Sequence[Outgoing]) -> list[AttemptResult]:
        """Put the deliveries down, those of an authority and route as one batch, and return one result for each, in order."""
        if self._closed:
            return [AttemptResult.retry(each, "stopping") for each in batch]
        groups: dict[tuple[str, frozenset[tuple[str, str]]], list[Outgoing]] = defaultdict(list)
        for each in batch:
            groups[each.authority, frozenset(each.route.items())].append(each)
        drops = [asyncio.create_task(self._drop(authority, dict(route), group)) for (authority, route), group in groups.items()]
        self._drops.update(drops)
        try:
            if drops:
                await asyncio.wait(drops)
        finally:
            self._drops.difference_update(drops)
        failed: Codes = {}
        for drop, group in zip(drops, groups.values(), strict=True):
            failed |= {each.delivery_id: "stopping" for each in group} if drop.cancelled() else drop.result()
        return [_result(each, failed.get(each.delivery_id)) for each in batch]

    async def close(self) -> None:
        """End what is under way (``retry``, code ``stopping``); nothing else is held."""
        self._closed = True
        for drop in self._drops:
            drop.cancel()
        for connection in list(self._opened):
            connection.abort()

    async def _drop(self, authority: str, route: Route, group: Sequence[Outgoing]) -> Codes:
        """Put one batch down and return the codes of those deliveries that are not in it."""
        from workers.channels.sftp_drop import Drop
        from workers.channels.sftp_link import code_of, link

        documents, failed = await asyncio.to_thread(_read, group)
        try:
            if documents:
                async with link(route, self._access, self._opened) as sftp:
                    drop = Drop(sftp, folder=route["folder"], signer=self._signer, seconds=self._access.seconds)
                    failed |= await drop.put_down(authority, documents)
        except Exception as error:
            code = "stopping" if self._closed else code_of(error)
            if code == "unexpected":
                _log.error("sftp-unexpected", authority=authority, error=type(error).__name__)
            failed |= {each.delivery_id: code for each in documents}
        return failed


def _result(outgoing: Outgoing, code: str | None) -> AttemptResult:
    if code is not None:
        return AttemptResult.retry(outgoing, code)
    return AttemptResult(outgoing.delivery_id, outgoing.attempt, AttemptOutcome.OFFERED, "offered")


def _read(group: Sequence[Outgoing]) -> tuple[list[Sealed], Codes]:
    documents: dict[UUID, Sealed] = {}
    failed: Codes = {}
    for each in group:
        try:
            documents[each.delivery_id] = read_document(each.delivery_id, each.document)
        except DropUnreadable:
            failed[each.delivery_id] = "document-unreadable"
    return list(documents.values()), failed
