# SPDX-License-Identifier: MIT
"""What the view's published JSON Schema says of each value in a view: a published word, an opaque code, or nothing that it foresees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
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


def leaves(value: object, node: Mapping[str, Any] | None = SCHEMA, path: str = "view") -> Iterator[Leaf]:
    """Yield every value in a view. All are closed or opaque exactly when the view conforms to the schema, ``uniqueItems`` aside."""
    node = _resolved(node or {})
    if isinstance(value, dict):
        yield from _fields(value, node, path)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from leaves(item, node.get("items"), f"{path}[{position}]")
        if "items" not in node:
            yield Leaf(path, None, Standing.OPEN)
    else:
        yield Leaf(path, value, _standing(value, node))


def _fields(value: dict[str, object], node: Mapping[str, Any], path: str) -> Iterator[Leaf]:
    foreseen = node.get("properties", {})
    for name, item in value.items():
        if name in foreseen:
            yield from leaves(item, foreseen[name], f"{path}.{name}")
        else:
            yield Leaf(f"{path}.?", name, Standing.OPEN)
            yield from leaves(item, None, f"{path}.?")
    if not foreseen or not value.keys() >= set(node["required"]):
        yield Leaf(path, None, Standing.OPEN)


def _standing(value: object, node: Mapping[str, Any]) -> Standing:
    words = [node["const"]] if "const" in node else node.get("enum", ())
    if any(type(word) is type(value) and word == value for word in words):
        return Standing.CLOSED
    if value is None and "null" in node.get("type", ()):
        return Standing.CLOSED
    if isinstance(value, str) and "pattern" in node and re.fullmatch(node["pattern"], value):
        return Standing.CLOSED if node.get("x-closed") else Standing.OPAQUE
    return Standing.OPEN


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    return node if reference is None else SCHEMA["$defs"][reference.removeprefix("#/$defs/")]
