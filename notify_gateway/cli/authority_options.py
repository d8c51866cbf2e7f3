# SPDX-License-Identifier: MIT
"""What commands about an authority are given: its code, who holds the key, how it is reached."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from notify_gateway.domain.route import ChannelName


class Custody(StrEnum):
    """Who holds the private key."""

    AUTHORITY_HELD = "authority-held"
    MANAGED = "managed"


Gss = Annotated[str, typer.Argument(metavar="GSS", help="GSS code of the authority, such as E06000004.")]
Kid = Annotated[str, typer.Argument(metavar="KID", help="The key's id, as list and proposals show it.")]
CustodyOf = Annotated[
    Custody, typer.Option(help="authority-held: only the authority can open anything. managed: the service's opener holds the key.")
]
ChannelOf = Annotated[
    ChannelName,
    typer.Option(
        help="pull: the authority's system fetches. webhook: the service posts to --url. mesh: to a mailbox. sftp: files in a folder. "
        "inbox: officers work here."
    ),
]
Url = Annotated[str | None, typer.Option(help="Address of the webhook (https).")]
Parts = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PART=VALUE",
        help="A part of the route, repeated. mesh: mailbox, workflow. sftp: host, port, user, folder and host_key, "
        "which is the type and the base64 of its public host key.",
    ),
]


def gss_code(text: str) -> str:
    """Return the code as it is written everywhere else."""
    return text.strip().upper()


def route_of(url: str | None, parts: list[str] | None) -> dict[str, str | None]:
    """Return the parts of a route by name; raises ``BadParameter`` unless each is PART=VALUE and comes once."""
    route: dict[str, str | None] = {"url": url}
    for part in parts or []:
        name, equals, value = part.partition("=")
        if not equals or route.get(name.strip()) is not None:
            raise typer.BadParameter("each --route is PART=VALUE, and no part comes twice")
        route[name.strip()] = value.strip()
    return route
