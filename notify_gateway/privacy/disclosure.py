# SPDX-License-Identifier: MIT
"""What the view's published JSON Schema says of each value in a view: a published word, an opaque code, or nothing that it foresees."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import resources
from typing import Any

SCHEMA: Mapping[str, Any] = json.loads(resources.files("notify_gateway.privacy").joinpath("view.schema.json").read_bytes())


class Standing(StrEnum):
    """How much a value could carry that the schema does not mean it to."""

    CLOSED = "closed"
    """One of the published words, or a date: it cannot carry an identity."""
    OPAQUE = "opaque"
    """A code of the published shape, such as a reference or an ODS code."""
    OPEN = "open"
    """Anything else, the names of unforeseen fields among it."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value of a view and where it stands; an unforeseen field's own name is never part of a path."""

    path: str
    value: object = field(repr=False)
    standing: Standing


def leaves(value: object) -> list[Leaf]:
    """Return every value in a view. All are closed or opaque exactly when the view conforms to the schema, ``uniqueItems`` aside."""
    found: list[Leaf] = []
    _walk(value, _VIEW, "view", found)
    return found


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of the schema, made ready once: the view is walked for every notification, twice."""

    words: frozenset[tuple[type, object]]
    pattern: re.Pattern[str] | None
    matching: Standing
    properties: Mapping[str, _Node]
    required: frozenset[str]
    items: _Node | None


def _prepared(part: Mapping[str, Any]) -> _Node:
    if "$ref" in part:
        part = SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")]
    words = [part["const"]] if "const" in part else part.get("enum", [])
    if "null" in part.get("type", ()):
        words = [*words, None]
    return _Node(
        words=frozenset((type(word), word) for word in words),
        pattern=re.compile(part["pattern"]) if "pattern" in part else None,
        matching=Standing.CLOSED if part.get("x-closed") else Standing.OPAQUE,
        properties={name: _prepared(inner) for name, inner in part.get("properties", {}).items()},
        required=frozenset(part.get("required", ())),
        items=_prepared(part["items"]) if "items" in part else None,
    )


_UNFORESEEN = _prepared({})
_VIEW = _prepared(SCHEMA)


def _walk(value: object, node: _Node, path: str, found: list[Leaf]) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            if name in node.properties:
                _walk(item, node.properties[name], f"{path}.{name}", found)
            else:
                found.append(Leaf(f"{path}.?", name, Standing.OPEN))
                _walk(item, _UNFORESEEN, f"{path}.?", found)
        if not node.properties or not value.keys() >= node.required:
            found.append(Leaf(path, None, Standing.OPEN))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _walk(item, node.items or _UNFORESEEN, f"{path}[{position}]", found)
        if node.items is None:
            found.append(Leaf(path, None, Standing.OPEN))
    elif (type(value), value) in node.words:
        found.append(Leaf(path, value, Standing.CLOSED))
    elif isinstance(value, str) and node.pattern is not None and node.pattern.fullmatch(value):
        found.append(Leaf(path, value, node.matching))
    else:
        found.append(Leaf(path, value, Standing.OPEN))
