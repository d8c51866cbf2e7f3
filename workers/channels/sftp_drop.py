# SPDX-License-Identifier: MIT
"""Putting a batch down over SFTP, so that it is whole as soon as its manifest can be seen.

Everything is written under other names in ``.incoming``, flushed and measured; then the documents are renamed into the batch's folder, the
CSV after them, the manifest last. A batch's id is the digest of what is in it, so the same batch put down twice is the same folder.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

import asyncssh

from notify_gateway.privacy.drops import MANIFEST, RECEIPTS, VIEWS, Batch, Sealed, make_batch
from workers.channels.sftp import Codes
from workers.channels.sftp_link import code_of, ends_link
from workers.channels.signature import RequestSigner

CONCURRENCY: Final = 16
"""Files of a batch that are under way at once."""
INCOMING: Final = ".incoming"


class Drop:
    """Puts batches down in ``folder`` over one connection; each file takes at most ``seconds``."""

    def __init__(self, sftp: asyncssh.SFTPClient, *, folder: str, signer: RequestSigner, seconds: float) -> None:
        self._sftp, self._folder, self._signer, self._seconds = sftp, folder, signer, seconds

    async def put_down(self, authority: str, documents: Sequence[Sealed]) -> Codes:
        """Put the documents down as one batch and return the codes of those that could not be written and are not in it.

        Raises what asyncssh raises, and ``TimeoutError``, when nothing can be shown to the authority; then nothing of it is.
        """
        batch = self._batch(authority, documents)
        incoming = f"{self._folder}/{INCOMING}"
        async with asyncio.timeout(self._seconds):
            if await self._holds(f"{self._folder}/{batch.id}/{MANIFEST}", batch.manifest):
                return {}
            for each in (incoming, f"{self._folder}/{RECEIPTS}"):
                await self._make_folder(each)
        mark = secrets.token_hex(8)
        parts = {each.delivery_id: f"{incoming}/{each.delivery_id}.{mark}.part" for each in documents}
        beside = {name: f"{incoming}/{mark}.{name}.part" for name in (VIEWS, MANIFEST)}
        try:
            failed = await self._put_each({parts[each.delivery_id]: each for each in documents})
            there = [each for each in documents if each.delivery_id not in failed]
            if there:
                await self._show(self._batch(authority, there) if failed else batch, parts, beside)
        except asyncssh.SFTPError as error:
            if not ends_link(error):
                await self._clear([*parts.values(), *beside.values()])
            raise
        return failed

    async def _put_each(self, wanted: dict[str, Sealed]) -> Codes:
        """Write each document under its path; one that cannot be written leaves the rest alone, a lost connection ends all."""
        slots, failed = asyncio.Semaphore(CONCURRENCY), Codes()

        async def put(path: str, document: Sealed) -> None:
            async with slots:
                try:
                    await self._put(path, document.content)
                except asyncssh.SFTPError as error:
                    if ends_link(error):
                        raise
                    failed[document.delivery_id] = "sftp-not-written" if code_of(error) == "sftp-failure" else code_of(error)

        puts = [asyncio.create_task(put(path, document)) for path, document in wanted.items()]
        try:
            await asyncio.gather(*puts)
        finally:
            for each in puts:
                each.cancel()
            await asyncio.gather(*puts, return_exceptions=True)
        return failed

    async def _put(self, path: str, content: bytes) -> None:
        """The file is there, whole and flushed where the server can; what is not whole is taken away again."""
        try:
            async with asyncio.timeout(self._seconds):
                async with self._sftp.open(path, "xb") as file:
                    await file.write(content)
                    with suppress(asyncssh.SFTPOpUnsupported):
                        await file.fsync()
                    size = (await file.stat()).size
                if size != len(content):
                    raise asyncssh.SFTPFailure("cut short")
        except asyncssh.SFTPError as error:
            if not ends_link(error):
                await self._clear([path])
            raise

    async def _show(self, batch: Batch, parts: dict[UUID, str], beside: dict[str, str]) -> None:
        """Move the batch to where the authority looks, its manifest last."""
        place = f"{self._folder}/{batch.id}"
        contents = {VIEWS: batch.views, MANIFEST: batch.manifest}
        for name, path in beside.items():
            await self._put(path, contents[name])
        async with asyncio.timeout(self._seconds):
            await self._make_folder(place)
        slots = asyncio.Semaphore(CONCURRENCY)

        async def move(document: Sealed) -> None:
            async with slots, asyncio.timeout(self._seconds):
                await self._rename(parts[document.delivery_id], f"{place}/{document.name}", document.content)

        await asyncio.gather(*(move(each) for each in batch.documents))
        for name, path in beside.items():
            async with asyncio.timeout(self._seconds):
                await self._rename(path, f"{place}/{name}", contents[name])

    def _batch(self, authority: str, documents: Sequence[Sealed]) -> Batch:
        return make_batch(authority, documents, key_id=self._signer.key_id, sign=self._signer.private_key.sign)

    async def _clear(self, paths: Sequence[str]) -> None:
        """Take away what of these is there, as far as the server lets us; what is left is swept later."""
        async with asyncio.timeout(self._seconds):
            for path in paths:
                with suppress(asyncssh.SFTPError):
                    await self._sftp.remove(path)

    async def _make_folder(self, path: str) -> None:
        """The folder is there; the one that holds it must be."""
        try:
            await self._sftp.mkdir(path)
        except asyncssh.SFTPError:
            if not await self._sftp.isdir(path):
                raise

    async def _holds(self, path: str, content: bytes) -> bool:
        """Tell whether the file is there and holds exactly this; where we may not read, it is not known to."""
        try:
            async with self._sftp.open(path, "rb") as file:
                found: object = await file.read(len(content) + 1)
                return found == content
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPPermissionDenied):
            return False

    async def _rename(self, source: str, target: str, content: bytes) -> None:
        """The file stands under its new name, in one step; one of that name from before, which is the same, gives way."""
        try:
            await self._sftp.posix_rename(source, target)
        except asyncssh.SFTPOpUnsupported:
            try:
                await self._sftp.rename(source, target)
            except asyncssh.SFTPError:
                if not await self._holds(target, content):
                    raise
                await self._sftp.remove(source)
