# SPDX-License-Identifier: MIT
"""Asking witnesses, whose addresses the operator's policy file names: where that may be."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from audit.policy import Policy, PolicyRefused


def require_usable(policy: Policy, *, live: bool) -> None:
    """The service may ask every witness that has an address, or PolicyRefused: https, and unless live http to this machine or network."""
    for witness in policy.witnesses:
        if not witness.name.isprintable():
            raise PolicyRefused("the name of a witness cannot be shown; write it in UTF-8 without control characters")
        if witness.url is not None and (why := _why_not(witness.url, live=live)):
            raise PolicyRefused(f"witness {witness.name}: {why}")


def _why_not(url: str, *, live: bool) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "its address is not one"
    if not url.isascii() or not host or parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return "its address is not a plain one"
    if parts.scheme == "https":
        return None
    if parts.scheme != "http":
        return "its address begins with neither https:// nor http://"
    if live:
        return "a live deployment asks witnesses over https alone"
    return None if _is_near(host) else "http is for witnesses on this machine or its private network"


def _is_near(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    return bool(addresses) and all(address.is_loopback or address.is_private for address in addresses)
