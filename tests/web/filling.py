# SPDX-License-Identifier: MIT
"""Presenters filled with words that occur nowhere else, so that a page shows whether it shows all of them."""

from __future__ import annotations

import dataclasses
import itertools
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from notify_gateway.web.forms import Form, Option


class Filler:
    """Fills presenters; each text is a word of its own, and booleans are as they are asked to be."""

    def __init__(self, truth: bool, choices: Mapping[str, object] | None = None) -> None:
        self._numbers = itertools.count(100)
        self._truth = truth
        self._choices = dict(choices or {})

    def fill(self, kind: Any, name: str = "") -> Any:
        """Return a value of the kind."""
        if name in self._choices:
            return self._choices[name]
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin is tuple and arguments[-1] is Ellipsis:
            return tuple(self.fill(arguments[0], name) for _ in range(2))
        if origin is tuple:
            return tuple(self.fill(each, name) for each in arguments)
        if origin in (typing.Union, types.UnionType):
            return self.fill(arguments[0], name)
        if kind is str:
            return f"{name or 'word'}-w{next(self._numbers)}"
        if kind is bool:
            return self._truth
        if kind is Form:
            return Form(token="the-token")
        if isinstance(kind, type) and issubclass(kind, Enum):
            return next(iter(kind))
        if dataclasses.is_dataclass(kind):
            hints = typing.get_type_hints(kind)
            return kind(**{each.name: self.fill(hints[each.name], each.name) for each in dataclasses.fields(kind)})
        raise TypeError(f"{name}: {kind}")


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Return every text of a presenter with where it stands."""
    if isinstance(value, Option):
        yield f"{path}.value", value.value
        yield f"{path}.label", value.label
    elif isinstance(value, Form | Enum):
        return
    elif isinstance(value, str):
        yield path, value
    elif isinstance(value, tuple):
        for each in value:
            yield from texts(each, path)
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from texts(getattr(value, each.name), f"{path}.{each.name}")
