# SPDX-License-Identifier: MIT
"""What an examination finds: each check with its state, and how to mend what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from notify_gateway.cli.output import Json


class State(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``fix`` is empty when nothing is to be done. Holds no secret."""

    name: str
    state: State
    value: str
    fix: str = ""

    def document(self) -> dict[str, Json]:
        """Return the check as JSON values."""
        return {"name": self.name, "state": self.state.value, "value": self.value, "fix": self.fix}
