# SPDX-License-Identifier: MIT
"""How a conformance message differs from a good one, as values: set, drop, leave out, repeat; days count from that of the message."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import uuid4

from notify_gateway.cli.examples.draft import Draft

_PART = re.compile(r"(\w+)|\[(\d+)\]")

Worked: TypeAlias = Callable[[Draft], object]
"""A value that depends on the message, such as a day before that of its sending."""


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day, counted from the day on which the message says that it was sent."""

    after: int

    def __call__(self, draft: Draft) -> str:
        """Return the day as FHIR writes it."""
        return draft.day(self.after).isoformat()


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant, counted in days from that at which the message says that it was sent."""

    after: int

    def __call__(self, draft: Draft) -> str:
        """Return the instant as FHIR writes it."""
        return (datetime.fromisoformat(draft.document["timestamp"]) + timedelta(days=self.after)).isoformat()


@dataclass(frozen=True, slots=True)
class DayOfLife:
    """A calendar day, counted from the child's birthday."""

    after: int

    def __call__(self, draft: Draft) -> str:
        """Return the day as FHIR writes it."""
        return (date.fromisoformat(draft.at["patient"]["birthDate"]) + timedelta(days=self.after)).isoformat()


@dataclass(frozen=True, slots=True)
class Url:
    """The fullUrl of an entry of the message."""

    place: str

    def __call__(self, draft: Draft) -> str:
        """Return it."""
        return draft.url(self.place)


@dataclass(frozen=True, slots=True)
class Put:
    """Set what ``path`` names, such as ``patient.name[0].family``, to a value; an index one past the end appends."""

    path: str
    value: object | Worked

    def __call__(self, draft: Draft) -> None:
        """Change the draft."""
        target, last = _reach(draft, self.path)
        value = deepcopy(self.value(draft) if callable(self.value) else self.value)
        if isinstance(target, list) and last == len(target):
            target.append(value)
        else:
            target[last] = value


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove what ``path`` names."""

    path: str

    def __call__(self, draft: Draft) -> None:
        """Change the draft."""
        target, last = _reach(draft, self.path)
        del target[last]


@dataclass(frozen=True, slots=True)
class Without:
    """Leave out an entry, and what refers to it."""

    place: str

    def __call__(self, draft: Draft) -> None:
        """Change the draft."""
        draft.without(self.place)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Put an entry in once more, under a fullUrl of its own."""

    place: str

    def __call__(self, draft: Draft) -> None:
        """Change the draft."""
        copy = {"fullUrl": f"urn:uuid:{uuid4()}", "resource": deepcopy(draft.at[self.place])}
        draft.document["entry"].append(copy)


Change: TypeAlias = Callable[[Draft], object]
Spoil: TypeAlias = Callable[[bytes], bytes]


def _reach(draft: Draft, path: str) -> tuple[Any, Any]:
    root, *parts = [int(index) if index else name for name, index in _PART.findall(path)]
    target: Any = draft.document if root == "bundle" else draft.at[str(root)]
    for part in parts[:-1]:
        target = target[part]
    return target, parts[-1]


def replacing(old: str, new: str) -> Spoil:
    """Return what replaces a text of the message's bytes once, for what no JSON writer would write."""

    def spoil(body: bytes) -> bytes:
        compact = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))
        if old not in compact:
            raise ValueError(f"the message has no {old}")
        return compact.replace(old, new, 1).encode("utf-8", "surrogatepass")

    return spoil
