# SPDX-License-Identifier: MIT
"""The custody channels, and what each must know of an authority to reach it. No part is secret; keys and passwords are settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused


class ChannelName(StrEnum):
    """How deliveries reach an authority; exactly one has custody of them."""

    PULL = "pull"
    WEBHOOK = "webhook"
    MESH = "mesh"
    SFTP = "sftp"
    INBOX = "inbox"


Route: TypeAlias = Mapping[str, str]
"""What a channel needs to reach one authority, by the names in ``PARTS``."""

_TEXT = re.compile(r"[!-~](?:[ -~]{0,1998}[!-~])?")
PARTS: Final[Mapping[ChannelName, Mapping[str, re.Pattern[str]]]] = MappingProxyType(
    {
        ChannelName.PULL: {},
        ChannelName.INBOX: {},
        ChannelName.WEBHOOK: {"url": _TEXT},
        ChannelName.MESH: {"mailbox": re.compile(r"[A-Z0-9]{5,20}"), "workflow": re.compile(r"[A-Z0-9_]{3,50}")},
        ChannelName.SFTP: {
            "host": re.compile(r"[A-Za-z0-9.:-]{1,253}"),
            "port": re.compile(r"[1-9][0-9]{0,4}"),
            "user": re.compile(r"[A-Za-z0-9._-]{1,64}"),
            "host_key": re.compile(r"(?:ssh-ed25519|ecdsa-sha2-nistp256|rsa-sha2-512|ssh-rsa) [A-Za-z0-9+/]{40,1000}={0,2}"),
            "folder": re.compile(r"/?(?!\.\.?(?:/|$))[A-Za-z0-9._-]+(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._-]+){0,9}"),
        },
    }
)
"""For each channel the parts that its route must have, all of them and no other, with the form of each."""


def read_route(channel: str, given: Mapping[str, str | None]) -> dict[str, str]:
    """Return the route if it has exactly the parts that the channel needs, each in its form; a part that is None counts as not given.

    Raises ``Refused`` for anything else, also for a channel that there is not.
    """
    route = {name: value for name, value in given.items() if value is not None}
    if channel not in PARTS:
        raise Refused(Issue(Code.ROUTE_UNUSABLE))
    parts = PARTS[ChannelName(channel)]
    if route.keys() != parts.keys() or not all(parts[name].fullmatch(value) for name, value in route.items()):
        raise Refused(Issue(Code.ROUTE_UNUSABLE))
    return route
