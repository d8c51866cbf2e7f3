# SPDX-License-Identifier: MIT
"""How the operations pages show things: each page knows where it is and who looks; states are said in words beside their colour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from fastapi import Response

from notify_gateway.domain.standing import Level, words_of
from notify_gateway.use_cases.operators import SignedIn
from notify_gateway.web.rendering import environment, show

WORDS: Final[Mapping[Level, str]] = MappingProxyType(
    {Level.OK: "Well", Level.WARN: "Look at it", Level.FAIL: "Act now", Level.UNKNOWN: "Not known"}
)
"""What a level is called on a page: colour alone says nothing to many."""


def page(template: str, who: SignedIn, *, at: datetime, status: int = 200, **values: object) -> Response:
    """Return an operations page as it was at the instant."""
    filters = environment().filters
    filters.setdefault("instant", instant)
    filters.setdefault("span", span)
    return show(f"operations/{template}", status=status, who=who, at=at, words=WORDS, **values)


def instant(moment: datetime | None) -> str:
    """Return an instant as people read it, in UTC."""
    return "" if moment is None else f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def span(length: timedelta | None) -> str:
    """Return a span of time in words."""
    return "" if length is None else words_of(length)
