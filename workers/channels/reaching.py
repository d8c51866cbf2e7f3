# SPDX-License-Identifier: MIT
"""Whether a channel's other end lets us in, without sending anything: no test message can be taken for a child's, for there is none."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from notify_gateway.domain.route import ChannelName
from notify_gateway.egress.guard import Egress, EgressRefused, GuardedResolver
from workers.channels.mesh_protocol import MeshAccess, MeshFailed
from workers.channels.sftp import SftpAccess

OK, COMES_TO_US = "ok", "comes-to-us"
WITHIN = 20.0
"""Seconds for the whole attempt."""

Reach: TypeAlias = Callable[[str, Mapping[str, str]], str]


def reacher(*, egress: Egress, sftp: SftpAccess, mesh: MeshAccess | None) -> Reach:
    """Return what tries a channel with an authority's route and returns ``ok``, ``comes-to-us``, or the code of what hinders it."""

    def reach(channel: str, route: Mapping[str, str]) -> str:
        match channel:
            case ChannelName.WEBHOOK:
                return asyncio.run(_within(_webhook(route.get("url"), egress)))
            case ChannelName.SFTP:
                return asyncio.run(_within(_sftp(route, sftp)))
            case ChannelName.MESH:
                return _mesh(mesh)
        return COMES_TO_US

    return reach


async def _within(attempt: Coroutine[Any, Any, str]) -> str:
    try:
        return await asyncio.wait_for(attempt, WITHIN)
    except TimeoutError:
        return "timeout"


async def _webhook(address: str | None, egress: Egress) -> str:
    try:
        url = egress.url(address)
        assert url.host is not None
        assert url.port is not None
        found = await GuardedResolver(egress).resolve(url.host, url.port)
        context = ssl.create_default_context() if url.scheme == "https" else None
        name = url.host if context else None
        _, writer = await asyncio.open_connection(found[0]["host"], url.port, ssl=context, server_hostname=name)
    except EgressRefused as error:
        return error.code
    except ssl.SSLError:
        return "tls"
    except socket.gaierror:
        return "unresolved"
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "unreachable"
    writer.close()
    return OK


async def _sftp(route: Mapping[str, str], access: SftpAccess) -> str:
    from workers.channels.sftp_link import code_of, link

    try:
        async with link(route, access, set()) as client:
            await client.stat(".")
    except Exception as error:
        return code_of(error)
    return OK


def _mesh(access: MeshAccess | None) -> str:
    if access is None:
        return "mesh-not-configured"
    # MESH's client brings an HTTP library of its own, which only those load who use it.
    from workers.channels.mesh_mailbox import MeshMailbox

    try:
        mailbox = MeshMailbox(access)
        try:
            mailbox.check()
        finally:
            mailbox.close()
    except MeshFailed as error:
        return error.code
    return OK
