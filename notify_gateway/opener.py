# SPDX-License-Identifier: MIT
"""The opener: a process of its own, with its own user and socket, that alone holds the keys of authorities in managed custody.

One request per connection, ``{"grant": "<uuid>"}`` and a newline. It answers ``ok`` and the plaintext, or ``no``; it says no more.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from uuid import UUID

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError

from notify_gateway.domain.errors import NotifyError
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, load, save
from notify_gateway.privacy.sealing import CannotOpen
from notify_gateway.use_cases.reveal import Vault, open_granted

LOG = structlog.get_logger(__name__)

MOST_REQUEST = 256
REQUEST_WITHIN = 5.0


def make_managed_key(folder: Path, authority: str) -> RecipientPrivateKey:
    """Make the managed key of an authority in the opener's folder and return it; raises ``KeyFileError`` when there is one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = RecipientPrivateKey.generate(authority, RecipientPurpose.MANAGED)
    save(folder / f"{authority}.key.json", key)
    return key


def managed_keys(folder: Path) -> dict[str, RecipientPrivateKey]:
    """Return the managed keys in the opener's folder by authority; raises ``KeyFileError`` for a file that is none."""
    keys = [load(path, RecipientPrivateKey) for path in sorted(folder.glob("*.key.json"))]
    return {key.authority: key for key in keys}


async def serve(vault: Vault, folder: Path, address: Path, stop: asyncio.Event) -> None:
    """Answer on the Unix socket ``address``, which only the owner and the group may open, until ``stop`` is set."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_WITHIN):
                line = await reader.readuntil(b"\n")
            grant_id = UUID(orjson.loads(line)["grant"])
            # The folder is read at each request, so that a key made meanwhile is known and one taken away is not.
            opened = await asyncio.to_thread(lambda: open_granted(vault, managed_keys(folder), grant_id))
            writer.write(b"ok\n" + opened.reveal())
        except (
            NotifyError,
            CannotOpen,
            SQLAlchemyError,
            ValueError,
            KeyError,
            TypeError,
            TimeoutError,
            asyncio.IncompleteReadError,
        ) as error:
            LOG.warning("not-opened", why=type(error).__name__)
            writer.write(b"no\n")
        finally:
            writer.close()

    address.parent.mkdir(parents=True, exist_ok=True)
    beginning = address.with_name(f"{address.name}~")
    for each in (beginning, address):
        each.unlink(missing_ok=True)
    before = os.umask(0o117)
    try:
        server = await asyncio.start_unix_server(answer, path=str(beginning), limit=MOST_REQUEST)
    finally:
        os.umask(before)
    beginning.rename(address)  # a socket that is there answers
    async with server:
        await stop.wait()
    address.unlink(missing_ok=True)
