# SPDX-License-Identifier: MIT
"""A route has the parts that its channel needs, all of them, each in its form, and no other."""

from __future__ import annotations

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.route import PARTS, ChannelName, read_route

HOST_KEY = "ssh-ed25519 " + "A" * 68
GOOD = {
    ChannelName.PULL: {},
    ChannelName.INBOX: {},
    ChannelName.WEBHOOK: {"url": "https://la.example/in"},
    ChannelName.MESH: {"mailbox": "X26ABC2", "workflow": "SEND_NOTIFICATION"},
    ChannelName.SFTP: {"host": "sftp.la.example", "port": "22", "user": "send", "host_key": HOST_KEY, "folder": "/in/send"},
}


@pytest.mark.parametrize("channel", ChannelName)
def test_each_channel_takes_its_own_parts(channel: ChannelName) -> None:
    assert read_route(channel, GOOD[channel]) == GOOD[channel]
    assert set(GOOD[channel]) == set(PARTS[channel])
    assert read_route(channel, {**GOOD[channel], "another": None}) == GOOD[channel]


@pytest.mark.parametrize(
    ("channel", "route"),
    [
        ("pigeon", {}),
        ("pull", {"url": "https://la.example/in"}),
        *((channel, {name: value for name, value in route.items() if name != part}) for channel, route in GOOD.items() for part in route),
        *((channel, route | {part: ""}) for channel, route in GOOD.items() for part in route),
        *((channel, route | {part: "a\nb"}) for channel, route in GOOD.items() for part in route),
        ("sftp", GOOD[ChannelName.SFTP] | {"folder": "../etc"}),
        ("sftp", GOOD[ChannelName.SFTP] | {"folder": "in//send"}),
        ("sftp", GOOD[ChannelName.SFTP] | {"port": "0"}),
        ("mesh", GOOD[ChannelName.MESH] | {"mailbox": "x26abc2"}),
    ],
)
def test_all_else_is_refused(channel: str, route: dict[str, str | None]) -> None:
    with pytest.raises(Refused) as refused:
        read_route(channel, route)
    assert [issue.code for issue in refused.value.issues] == [Code.ROUTE_UNUSABLE]
