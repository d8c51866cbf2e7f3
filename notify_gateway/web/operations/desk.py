# SPDX-License-Identifier: MIT
"""What the operations pages of one process share: who looks at the machine, and whom they refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi import Request

from notify_gateway.domain.standing import Finding
from notify_gateway.use_cases.access import Denials
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.try_channel import Reach

Examine = Callable[[], Sequence[Finding]]


@dataclass
class Desk:
    """One of each process. ``examine`` looks at the machine, as doctor does, ``reach`` tries channels; None where nobody can."""

    gateway: Gateway
    examine: Examine | None = None
    reach: Reach | None = None
    denials: Denials = field(init=False)

    def __post_init__(self) -> None:
        self.denials = Denials(self.gateway, "operations")

    def findings(self) -> Sequence[Finding] | None:
        """Return what the machine is like now; None where nobody can look."""
        return None if self.examine is None else self.examine()


def desk(request: Request) -> Desk:
    """Return the desk of the application that handles ``request``."""
    found: Desk = request.app.state.desk
    return found
