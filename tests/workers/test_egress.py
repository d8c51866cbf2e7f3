# SPDX-License-Identifier: MIT
"""The guard against server-side request forgery, as tables."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from notify_gateway.egress.guard import Egress, EgressRefused, GuardedResolver, is_global


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("2a00:1450:4009:80b::200e", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("192.0.0.8", False),
        ("192.0.0.192", False),
        ("192.88.99.1", False),
        ("198.18.0.1", False),
        ("203.0.113.5", False),
        ("224.0.0.1", False),
        ("239.1.1.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("2001:db8::1", False),
        ("2002:7f00:1::", False),
        ("2002:a00:1::1", False),
        ("2001:0:7f00:1::1", False),
        ("2001:0:808:808:0:0:80ff:fffe", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::808:808", False),
        ("localhost", False),
    ],
)
def test_only_global_addresses_pass(address: str, allowed: bool) -> None:
    assert is_global(address) is allowed


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (None, "egress-url"),
        ("", "egress-url"),
        ("file:///etc/passwd", "egress-url"),
        ("https:///x", "egress-url"),
        ("https://la.example:99999/", "egress-url"),
        ("http://la.example/", "egress-scheme"),
        ("https://la.example:8443/", "egress-port"),
        ("https://someone:secret@la.example/", "egress-userinfo"),
        ("https://127.0.0.1/", "egress-address"),
        ("https://[::1]/", "egress-address"),
        ("https://[64:ff9b::7f00:1]/", "egress-address"),
    ],
)
def test_urls_that_are_not_for_us_are_refused(url: str | None, code: str) -> None:
    with pytest.raises(EgressRefused) as refused:
        Egress().url(url)
    assert refused.value.code == code


def test_a_good_url_is_kept_without_its_fragment() -> None:
    assert str(Egress().url("https://la.example:443/in?x=1#part")) == "https://la.example/in?x=1"


class Fixed(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked = addresses, 0

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for each in self.addresses
        ]

    async def close(self) -> None:
        return None


def test_one_private_address_among_several_refuses_the_name() -> None:
    resolver = GuardedResolver(Egress(), Fixed("8.8.8.8", "10.0.0.1"))
    with pytest.raises(EgressRefused):
        asyncio.run(resolver.resolve("la.example", 443))


def test_a_name_is_looked_up_once_and_its_addresses_are_handed_on() -> None:
    fixed = Fixed("8.8.8.8", "8.8.4.4")
    found = asyncio.run(GuardedResolver(Egress(), fixed).resolve("la.example", 443))
    assert ([each["host"] for each in found], fixed.asked) == (["8.8.8.8", "8.8.4.4"], 1)
