# SPDX-License-Identifier: MIT
"""How a bad message is made of a good one: by setting, removing or replacing one thing in it.

``SECRET`` stands wherever a case puts a value of its own: it may turn up in no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from notify_gateway.domain.catalogue import Code
from tests.support.messages import Message, a_message

SECRET = "Quillfeather"
PART = re.compile(r"(\w+)|\[(\d+)\]")

Change = Callable[[dict[str, Any]], object]
Build = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Case:
    """A bad message: ``expression`` is the FHIRPath of one issue with ``code``, ``None`` where the whole body is at fault."""

    name: str
    make: Build
    code: Code
    expression: str | None


def steps(path: str) -> list[str | int]:
    return [int(index) if index else name for name, index in PART.findall(path)]


def put(path: str, value: Any) -> Change:
    """Set what ``path`` names; an index one past the end appends."""

    def change(document: dict[str, Any]) -> None:
        *parents, last = steps(path)
        target: Any = document
        for step in parents:
            target = target[step]
        if isinstance(target, list) and last == len(target):
            target.append(value)
        else:
            target[last] = value

    return change


def drop(path: str) -> Change:
    """Remove what ``path`` names."""

    def change(document: dict[str, Any]) -> None:
        *parents, last = steps(path)
        target: Any = document
        for step in parents:
            target = target[step]
        del target[last]

    return change


def edited(*changes: Change) -> Build:
    def make() -> bytes:
        message = a_message()
        for change in changes:
            message.having(change)
        return message.bytes()

    return make


def built(change: Callable[[Message], Message]) -> Build:
    return lambda: change(a_message()).bytes()


def raw(body: bytes) -> Build:
    return lambda: body


def in_text(old: str, new: str) -> Build:
    """Replace in the text of a good message, for what no JSON writer would write."""

    def make() -> bytes:
        text = a_message().bytes().decode()
        assert old in text, old
        return text.replace(old, new, 1).encode("utf-8", "surrogatepass")

    return make


def at(path: str) -> str:
    return f"Bundle.{path}"


def wrong(name: str, code: Code, path: str, value: Any, *, where: str | None = None) -> Case:
    """A good message in which ``path`` was set to ``value``; the issue stands at ``where``, else at ``path``."""
    return Case(name, edited(put(path, value)), code, at(where or path))


def gone(name: str, code: Code, path: str, *, where: str | None = None) -> Case:
    """A good message from which ``path`` was removed."""
    return Case(name, edited(drop(path)), code, at(where or path))


R = [f"entry[{index}].resource" for index in range(12)]
HEADER, FOCUS, PATIENT, SENDER, RECEIVER, PRACTITIONER, ROLE, CARER, CONDITION, INFORMED, OFFERED, VIEWS = R


def nested(depth: int) -> dict[str, Any]:
    extension: dict[str, Any] = {"url": "https://example.org/x", "valueString": SECRET}
    for _ in range(depth):
        extension = {"url": "https://example.org/x", "extension": [extension]}
    return extension


def another(index: int) -> Change:
    def change(document: dict[str, Any]) -> None:
        copy = json.loads(json.dumps(document["entry"][index]))
        copy["fullUrl"] = "urn:uuid:00000000-0000-4000-8000-000000000001"
        document["entry"].append(copy)

    return change
