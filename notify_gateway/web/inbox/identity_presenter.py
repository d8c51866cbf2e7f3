# SPDX-License-Identifier: MIT
"""Who the child is: hidden, shown for a while, or to be opened elsewhere. Of all presenters this one alone may hold identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from notify_gateway.privacy.sheet import Section
from notify_gateway.privacy.wording import CERTAINTY
from notify_gateway.web.forms import Form, Option
from notify_gateway.web.wording import moment, nhs_number

HEADINGS = {"Who the child is": "The child", "What the trust says": "In the trust's codes", "What the parent was told": "The parent"}
TOLD = frozenset(
    {
        *CERTAINTY.values(),
        *("Type of need", "Opinion formed", "Sent to you", "Told of the opinion", "Offered a discussion", "Parent's view"),
    }
)
"""What stands on the page already, without the card."""


class Shown(StrEnum):
    """In which state the panel is."""

    HIDDEN = "hidden"
    OPEN = "open"
    READY = "ready"
    """It may be looked at again without a further reason, until a time."""
    BROWSER = "browser"
    """The authority holds its key: the card is opened in the officer's browser."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled line of the card."""

    label: str
    texts: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """One heading of the card with its groups of lines."""

    heading: str
    groups: tuple[tuple[Line, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoteRead:
    """A note of the team, opened with the card."""

    written: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The panel."""

    shown: Shown
    address: str
    card: str
    """Where the browser opens it, for an authority that holds its key."""
    reasons: tuple[Option, ...]
    form: Form
    until: str = ""
    safe: str = field(default="", repr=False)
    blocks: tuple[Block, ...] = field(default=(), repr=False)
    notes: tuple[NoteRead, ...] = field(default=(), repr=False)
    gone: str = ""
    original: str = ""
    """Where a manager asks for the original; nothing for whoever may not."""


def blocks(sections: tuple[Section, ...]) -> tuple[Block, ...]:
    """Return what the card adds to the page; an NHS number stands in its groups."""
    kept = [(each.heading, tuple(filter(None, map(_added, each.groups)))) for each in sections]
    return tuple(Block(HEADINGS.get(heading, heading), groups) for heading, groups in kept if groups)


def _added(group: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[Line, ...]:
    lines = [(label, texts) for label, texts in group if label not in TOLD]
    return tuple(Line(label, tuple(_said(label, text) for text in texts)) for label, texts in lines)


def until(at: datetime) -> str:
    """Return until when the card is shown."""
    return moment(at)


def _said(label: str, text: str) -> str:
    return nhs_number(text) if label == "NHS number" else text
