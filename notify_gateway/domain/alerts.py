# SPDX-License-Identifier: MIT
"""Alerts beside the custody channel: that something waits, told to a shared mailbox or by a thin webhook. They close no delivery."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused

MOST_REFERENCES = 10
"""References that one e-mail names at most."""
MOST_POSTS = 64
"""Deliveries of one authority that go out by thin webhook at once."""
MOST_TOLD = 5_000
"""Deliveries that one e-mail can stand for; what waits beyond that is told by the next one."""


class AlertKind(StrEnum):
    """How an authority is alerted."""

    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Untold:
    """A delivery that waits and of which an address has not been told."""

    delivery_id: UUID
    reference: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One attempt to alert one address, committed as begun: what may leave the house, and nothing else of the deliveries.

    ``waiting`` counts all that the authority has not received, ``untold`` is what this address does not know of yet.
    """

    id: UUID
    address_id: UUID
    kind: AlertKind
    address: str = field(repr=False)
    authority: str
    name: str
    custody_channel: str
    attempt: int
    waiting: int
    untold: tuple[Untold, ...]


@dataclass(frozen=True, slots=True)
class AlertResult:
    """What an attempt came to: the deliveries of which the address was told, and a code if it was not all of them.

    ``retry_after`` is in seconds.
    """

    told: tuple[UUID, ...]
    code: str | None = None
    retry_after: float | None = None


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAILBOX: Final = re.compile(rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_URL: Final = re.compile(r"https?://[!-~]{1,1990}")


def is_mailbox(text: str) -> bool:
    """Tell whether the text is one plain mailbox of ASCII characters: no list, no name, no quotes, nothing that ends a header's line."""
    return _MAILBOX.fullmatch(text) is not None


def _is_url(text: str) -> bool:
    return _URL.fullmatch(text) is not None


_JUDGES: Final[dict[AlertKind, Callable[[str], bool]]] = {AlertKind.EMAIL: is_mailbox, AlertKind.WEBHOOK: _is_url}


def read_address(kind: AlertKind, text: str) -> str:
    """Return the address if alerts of this kind can go there; raises ``Refused``."""
    if not _JUDGES[kind](text):
        raise Refused(Issue(Code.ALERT_ADDRESS))
    return text
