# SPDX-License-Identifier: MIT
"""A connection to an authority's SFTP server: its host key pinned, our key and nothing else to sign in with, an address that is global.

Nothing is trusted on first use, no agent and no file of the user's is read, no password is ever sent. What goes wrong has a code of its
own; no code and no log line holds a host's name.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import asyncssh

from notify_gateway.domain.errors import Refused
from notify_gateway.domain.route import ChannelName, Route, read_route
from notify_gateway.egress.guard import EgressRefused, GuardedResolver
from workers.channels.sftp import Abortable, SftpAccess

LEAVE_WITHIN: Final = 1.0
"""Seconds in which a connection that is no longer needed is to be closed in good order."""
_HOST_KEYS: Final = (
    *("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    *("rsa-sha2-512", "rsa-sha2-256"),
)
_RSA: Final = ("rsa-sha2-512", "rsa-sha2-256")

# The library tells of hosts, users and paths; what is worth a line of ours has a code.
logging.getLogger("asyncssh").setLevel(logging.ERROR)


class LinkFailed(Exception):
    """There is no connection, or it is not to be used; ``code`` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@asynccontextmanager
async def link(route: Route, access: SftpAccess, opened: set[Abortable]) -> AsyncIterator[asyncssh.SFTPClient]:
    """Give an SFTP client signed in to the route's server, while the block runs; meanwhile the connection is one of ``opened``.

    Whoever cancels what uses it aborts it as well: otherwise each file is closed first, for which a server that hangs does not answer.
    Raises ``LinkFailed`` for a route that is none, an address that is not for us, another host key, a key of ours that is refused; and what
    ``code_of`` knows the codes of.
    """
    connection = await _connect(_checked(route), access)
    opened.add(connection)
    try:
        async with asyncio.timeout(access.seconds):
            client = await connection.start_sftp_client()
        yield client
    except BaseException:
        connection.abort()
        raise
    finally:
        opened.discard(connection)
    connection.close()
    try:
        await asyncio.wait_for(connection.wait_closed(), LEAVE_WITHIN)
    except (TimeoutError, OSError, asyncssh.Error):
        connection.abort()


def code_of(error: Exception) -> str:
    """Return the stable code of what went wrong on the way; never a text that names an address or a file."""
    match error:
        case LinkFailed() | EgressRefused():
            return error.code
        case asyncssh.HostKeyNotVerifiable():
            return "sftp-host-key"
        case asyncssh.PermissionDenied():
            return "sftp-key-refused"
        case TimeoutError():
            return "timeout"
        case asyncssh.SFTPNoSuchFile() | asyncssh.SFTPNoSuchPath():
            return "sftp-folder"
        case asyncssh.SFTPPermissionDenied() | asyncssh.SFTPWriteProtect():
            return "sftp-denied"
        case asyncssh.SFTPNoSpaceOnFilesystem() | asyncssh.SFTPQuotaExceeded():
            return "sftp-full"
        case ConnectionRefusedError():
            return "refused"
        case asyncssh.SFTPConnectionLost() | asyncssh.SFTPNoConnection() | asyncssh.ConnectionLost() | ConnectionError():
            return "reset"
        case asyncssh.SFTPError():
            return "sftp-failure"
        case asyncssh.Error():
            return "sftp-protocol"
        case socket.gaierror():
            return "unresolved"
        case OSError():
            return "unreachable"
        case _:
            return "unexpected"


def ends_link(error: Exception) -> bool:
    """Tell whether nothing more can be done over a connection on which this happened; other errors are of one file."""
    lost = isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection)
    return lost or not isinstance(error, asyncssh.SFTPError)


def _checked(route: Route) -> Route:
    try:
        found = read_route(ChannelName.SFTP, route)
    except Refused:
        raise LinkFailed("route-unusable") from None
    if int(found["port"]) > 65535:
        raise LinkFailed("route-unusable")
    return found


async def _connect(route: Route, access: SftpAccess) -> asyncssh.SSHClientConnection:
    kind, _, encoded = route["host_key"].partition(" ")
    rsa = kind in ("ssh-rsa", *_RSA)
    try:
        pinned = asyncssh.import_public_key(f"{'ssh-rsa' if rsa else kind} {encoded}")
    except asyncssh.KeyImportError:
        raise LinkFailed("route-unusable") from None
    # The pinned kind first, so that a server with several keys shows that one; the others so that its refusal is told from no answer.
    first = _RSA if rsa else (kind,)
    options: dict[str, object] = {
        "username": route["user"],
        "client_keys": [await _own_key(access.key_file)],
        "known_hosts": ([pinned], [], []),
        "server_host_key_algs": [*first, *(each for each in _HOST_KEYS if each not in first)],
        "config": None,
        "agent_path": None,
        "preferred_auth": "publickey",
        "password_auth": False,
        "kbdint_auth": False,
        "host_based_auth": False,
        "gss_auth": False,
        "gss_kex": False,
        "x509_trusted_certs": None,
        "compression_algs": None,
        "connect_timeout": access.seconds,
        "login_timeout": access.seconds,
    }
    async with asyncio.timeout(access.seconds):
        # The name is looked up once, and the address that was judged is the one that is used.
        resolver = GuardedResolver(access.egress, access.resolver)
        found = await resolver.resolve(route["host"], int(route["port"]), socket.AF_UNSPEC)
        last: OSError = OSError("no address")
        for each in found:
            try:
                return await asyncssh.connect(each["host"], int(route["port"]), **options)
            except TimeoutError:
                raise
            except OSError as error:
                last = error
        raise last


async def _own_key(path: Path | None) -> asyncssh.SSHKey:
    if path is None:
        raise LinkFailed("sftp-no-key")
    with suppress(OSError, asyncssh.KeyImportError):
        return asyncssh.import_private_key(await asyncio.to_thread(path.read_bytes))
    raise LinkFailed("sftp-no-key")
