# SPDX-License-Identifier: MIT
"""Trying whether an authority can be reached by its channel. Nothing is sent: a test can never be taken for a child's notification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.store import parties
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core

Reach: TypeAlias = Callable[[str, Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it; ``code`` is ``ok``, ``comes-to-us``, or says what hinders."""

    authority: str
    name: str
    channel: str
    code: str

    @property
    def well(self) -> bool:
        """Tell whether nothing hinders deliveries."""
        return self.code in ("ok", "comes-to-us")

    @property
    def sentence(self) -> str:
        """Return it in words."""
        if self.code == "ok":
            return f"{self.name} lets us in by {self.channel}. No delivery was sent."
        if self.code == "comes-to-us":
            return f"{self.name} comes to us by {self.channel}: there is nothing to reach."
        return f"{self.name} cannot be reached by {self.channel}: {self.code}."


def try_channel(core: Core, reach: Reach, *, authority: str, actor: str) -> Tried:
    """Try to be let in where the authority's deliveries go; that it was tried, and what came of it, is in the log. Raises ``NotFound``."""
    with reading(core.engine).begin() as connection:
        receiver = parties.receivers(connection).get(authority)
    if receiver is None:
        raise NotFound(Issue(Code.AUTHORITY_NOT_SERVED))
    code = reach(receiver.channel, receiver.route)
    fields = {"channel": receiver.channel, "code": code}
    with core.engine.begin() as connection:
        append(connection, audit_tables, [Event("channel:tried", at=core.clock.now(), actor=actor, subject=authority, fields=fields)])
    return Tried(authority, receiver.name, receiver.channel, code)
