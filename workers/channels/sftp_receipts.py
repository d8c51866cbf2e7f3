# SPDX-License-Identifier: MIT
"""One look at one authority's ``acks`` folder, and at what our own broken-off batches left behind in ``.incoming``."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeAlias

import asyncssh

from notify_gateway.privacy.drops import RECEIPTS, DropUnreadable, read_receipt
from notify_gateway.use_cases.confirm import Receipt, confirm_receipt
from notify_gateway.use_cases.gateway import Core
from workers.channels.sftp_drop import INCOMING
from workers.channels.sftp_link import ends_link

MOST_BYTES: Final = 4096
"""Largest receipt that is read; a right one has 150 bytes."""
MOST_TAKEN: Final = 500
"""Receipts that are taken in one look; with more, the next look is at once."""
MOST_LISTED: Final = 20_000
"""Names that are looked through in a folder; whoever has more there hides what comes after them."""
STALE: Final = timedelta(days=1)
_NAME = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.json")

Seen: TypeAlias = dict[str, tuple[int | None, int | None]]
"""Size and time of receipts that could not be read; one that is still the same at the next look is no file that is being written."""


@dataclass(slots=True)
class Look:
    """What a look came to."""

    held: int = 0
    refused: int = 0
    more: bool = False
    unreadable: Seen = field(default_factory=dict)


class Receipts:
    """The receipts of one authority, over one connection; each file takes at most ``seconds``."""

    def __init__(self, core: Core, sftp: asyncssh.SFTPClient, *, authority: str, folder: str, seconds: float) -> None:
        self._core, self._sftp, self._authority, self._seconds = core, sftp, authority, seconds
        self._place, self._incoming = f"{folder}/{RECEIPTS}", f"{folder}/{INCOMING}"

    async def take(self, seen: Seen) -> Look:
        """Record what the receipts say and take them away, each after its commit; ``seen`` are those that the last look could not read.

        Raises what asyncssh raises, ``TimeoutError``, and what the database raises.
        """
        look = Look()
        found = {name: attrs for name, attrs in (await self._list(self._place)).items() if _NAME.fullmatch(name)}
        look.more = len(found) > MOST_TAKEN
        for name, attrs in list(found.items())[:MOST_TAKEN]:
            state = (attrs.size, attrs.mtime)
            async with asyncio.timeout(self._seconds):
                content = await self._read(name, attrs)
            told = await self._judge(name, content)
            if told is None and seen.get(name) != state:
                look.unreadable[name] = state
            elif told in (Receipt.HELD, Receipt.OVERTAKEN):
                look.held += told is Receipt.HELD
                await self._take_away(name)
            elif told is not Receipt.EARLY:
                look.refused += 1
                await self._refuse(name)
        await self._sweep()
        return look

    async def _list(self, path: str) -> dict[str, asyncssh.SFTPAttrs]:
        """Return the regular files of a folder; none where the folder is not there."""
        found: dict[str, asyncssh.SFTPAttrs] = {}
        listed = 0
        with suppress(asyncssh.SFTPNoSuchFile):
            async with asyncio.timeout(self._seconds):
                # As bytes: a name in no encoding would end the listing of all.
                async for entry in self._sftp.scandir(path.encode()):
                    listed += 1
                    if listed > MOST_LISTED:
                        break
                    if entry.attrs.type == asyncssh.FILEXFER_TYPE_REGULAR and isinstance(entry.filename, bytes):
                        found[entry.filename.decode("ascii", "replace")] = entry.attrs
        return found

    async def _read(self, name: str, attrs: asyncssh.SFTPAttrs) -> bytes:
        """Return the file's content, or nothing of one that is too long, may not be read, or is gone."""
        if attrs.size is None or attrs.size > MOST_BYTES:
            return b""
        try:
            async with self._sftp.open(f"{self._place}/{name}", "rb") as file:
                content: object = await file.read(MOST_BYTES + 1)
        except asyncssh.SFTPError as error:
            if ends_link(error):
                raise
            return b""
        return content if isinstance(content, bytes) and len(content) <= MOST_BYTES else b""

    async def _judge(self, name: str, content: bytes) -> Receipt | None:
        """Record the receipt and return what it came to, None if it is none."""
        try:
            delivery_id, digest = read_receipt(content)
        except DropUnreadable:
            return None
        if name != f"{delivery_id}.json":
            return Receipt.UNKNOWN
        return await asyncio.to_thread(confirm_receipt, self._core, authority=self._authority, delivery_id=delivery_id, digest=digest)

    async def _take_away(self, name: str) -> None:
        async with asyncio.timeout(self._seconds):
            with suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure):
                await self._sftp.remove(f"{self._place}/{name}")

    async def _refuse(self, name: str) -> None:
        """Put the receipt aside under a name that is not read again, or take it away where that cannot be."""
        path = f"{self._place}/{name}"
        async with asyncio.timeout(self._seconds):
            try:
                await self._sftp.posix_rename(path, f"{path.removesuffix('.json')}.refused")
            except asyncssh.SFTPError as error:
                if ends_link(error):
                    raise
                await self._take_away(name)

    async def _sweep(self) -> None:
        """Take away what batches that were broken off a day ago left behind."""
        before = (self._core.clock.now() - STALE).timestamp()
        for name, attrs in (await self._list(self._incoming)).items():
            if name.endswith(".part") and attrs.mtime is not None and attrs.mtime < before:
                async with asyncio.timeout(self._seconds):
                    with suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied, asyncssh.SFTPFailure):
                        await self._sftp.remove(f"{self._incoming}/{name}")
