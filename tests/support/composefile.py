# SPDX-License-Identifier: MIT
"""Reading ``docker-compose.yml`` as Compose does: strict YAML, merge keys, variables with defaults (compose-spec, interpolation)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.waiting import ROOT

COMPOSE_FILE = ROOT / "docker-compose.yml"
OUR_IMAGE = "notify-gateway:"

_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?-)(?P<default>[^}]*))?\}|(?P<bad>.?))")


class ComposeError(ValueError):
    """The file is not one that Compose would take."""


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is given twice, as Compose does."""

    def compose_mapping_node(self, anchor: dict[str, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        given = [key.value for key, _ in node.value]
        twice = sorted({key for key in given if given.count(key) > 1})
        if twice:
            raise ComposeError(f"given twice: {', '.join(twice)}")
        return node


def read_compose(path: Path = COMPOSE_FILE, *, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the file with merge keys resolved and ``${NAME:-default}`` replaced from ``variables``, and ``x-`` parts left out.

    Raises ``ComposeError`` for a key given twice or a variable without value or default.
    """
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # a subclass of the safe loader
    known = variables or {}
    return {name: _interpolate(value, known) for name, value in document.items() if not name.startswith("x-")}


def our_services(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the services that run this project's image."""
    return {name: service for name, service in document["services"].items() if service["image"].startswith(OUR_IMAGE)}


def _interpolate(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _interpolate(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolate(item, variables) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: _replacement(match, variables), value)
    return value


def _replacement(match: re.Match[str], variables: Mapping[str, str]) -> str:
    if match["dollar"]:
        return "$"
    name = match["name"]
    if name is None:
        raise ComposeError(f"a lone $ before {match['bad']!r}: write $$")
    if variables.get(name) or (name in variables and match["how"] == "-"):
        return variables[name]
    if match["default"] is None:
        raise ComposeError(f"{name} has neither value nor default")
    return match["default"]
