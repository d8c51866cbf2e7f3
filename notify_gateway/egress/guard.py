# SPDX-License-Identifier: MIT
"""The guard against server-side request forgery: https on port 443, to addresses that are global in every reading, each looked up once.

aiohttp connects to the very addresses that ``GuardedResolver`` returns, with the name kept for SNI and Host; so the address that was
judged is the address that is used. Address registries: RFC 6890; embeddings of IPv4 in IPv6: RFC 3056, 4380, 6052, 4291.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

_NAT64 = IPv6Network("64:ff9b::/96")
# Global to some versions of ``ipaddress``, yet never a receiver's own: IETF protocols, 6to4 relays, IPv4-translated, local NAT64.
_NEVER = tuple(ip_network(net) for net in ("192.0.0.0/24", "192.88.99.0/24", "::ffff:0:0:0/96", "64:ff9b:1::/48"))


class EgressRefused(Exception):
    """The service does not send there; ``code`` says why. Holds neither the URL nor the address."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Egress:
    """Judges URLs and addresses; ``allow_private`` (tests and demonstration) lets everything pass that is http or https."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self.allow_private = allow_private

    def url(self, text: str | None) -> URL:
        """Return the URL in its normal form; raises ``EgressRefused``."""
        try:
            url = URL(text or "").with_fragment(None)
        except ValueError:
            raise EgressRefused("egress-url") from None
        if url.scheme not in ("https", "http") or not url.host:
            raise EgressRefused("egress-url")
        if url.user is not None or url.password is not None:
            raise EgressRefused("egress-userinfo")
        if not self.allow_private:
            if url.scheme != "https":
                raise EgressRefused("egress-scheme")
            if url.port != 443:
                raise EgressRefused("egress-port")
        # aiohttp does not ask the resolver about literal addresses.
        if _is_literal(url.host):
            self.address(url.host)
        return url

    def address(self, text: str) -> None:
        """Let the address pass, or raise ``EgressRefused``."""
        if not self.allow_private and not is_global(text):
            raise EgressRefused("egress-address")


class GuardedResolver(AbstractResolver):
    """Resolves a name once and gives its addresses only if the guard lets every single one pass."""

    def __init__(self, egress: Egress, resolver: AbstractResolver | None = None) -> None:
        self._egress = egress
        self._resolver = resolver or ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """Return the addresses of ``host``; raises ``EgressRefused`` if one of them is not for us, ``OSError`` if there is none."""
        found = await self._resolver.resolve(host, port, family)
        for each in found:
            self._egress.address(each["host"])
        return found

    async def close(self) -> None:
        """Give back what the resolver holds."""
        await self._resolver.close()


def is_global(text: str) -> bool:
    """Tell whether the address, and every address that is wrapped in it, is global unicast."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return all(_is_global(each) for each in (address, *_wrapped(address)))


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None or address in _NAT64:
            return True  # judged by the address that it holds
        if address.is_site_local:
            return False
    own = address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
    return own and not any(address in net for net in _NEVER)


def _wrapped(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    nat64 = IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None
    return [each for each in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()), nat64) if each is not None]


def _is_literal(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
