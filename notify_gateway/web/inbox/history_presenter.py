# SPDX-License-Identifier: MIT
"""What happened to a notification, the latest first: who did what, when, and which entry of the log proves it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from notify_gateway.domain.casework_words import HAPPENINGS
from notify_gateway.use_cases.inbox.read import Case, Happening
from notify_gateway.use_cases.reveal import RevealReason
from notify_gateway.use_cases.reveal_to_staff import View
from notify_gateway.web.inbox.words import REVEALING
from notify_gateway.web.wording import day, instant

BEFORE = {
    "on": "on",
    "officer": "to",
    "before": "from",
    "instead_of": "instead of",
    "reason": "because:",
    "suggested": "suggested:",
    "review_on": "review on",
    "kept": "worked:",
    "told": "told:",
    "times": "times:",
}
"""What stands before a detail that is not plain by itself."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    title: str
    by: str
    when: str
    datetime: str
    lines: tuple[str, ...]
    quiet: bool


def entry(happening: Happening, names: Mapping[str, str]) -> Entry:
    """Return an entry of the timeline; ``names`` says what authorities are called, by code."""
    told = ", ".join(_said(name, names.get(text, text)) for name, text in happening.details.items())
    lines = (told,) if told else ()
    proof = (f"Log entry {happening.log_entry:,}",) if happening.log_entry is not None else ()
    return Entry(
        title=HAPPENINGS.get(happening.what, happening.what),
        by=happening.who or "",
        when=instant(happening.at),
        datetime=happening.at.isoformat(),
        lines=lines + proof,
        quiet=happening.who is None,
    )


def _said(name: str, text: str) -> str:
    """Return a detail in words: a day as people write it, what is plain by itself without its name."""
    words = day(date.fromisoformat(text)) if _DAY.fullmatch(text) else text
    return f"{BEFORE[name]} {words}" if name in BEFORE else words


def with_views(entries: tuple[Entry, ...], views: tuple[View, ...]) -> tuple[Entry, ...]:
    """Return the history with every time that somebody saw who the child is in its place."""
    return tuple(sorted((*entries, *map(_viewed, views)), key=lambda each: each.datetime, reverse=True))


def _viewed(view: View) -> Entry:
    title = "Child's details shown" if view.kind == "card" else "Original message shown"
    times = (f"{view.times} times",) if view.times > 1 else ()
    lines = (REVEALING[RevealReason(view.reason)], *times)
    return Entry(title=title, by=view.who, when=instant(view.at), datetime=view.at.isoformat(), lines=lines, quiet=False)


def changes_since(case: Case, version: int) -> tuple[str, ...]:
    """Return what others did since a form was shown, for whoever sends it late."""
    newer = [each for each in case.history if each.version > version]
    return tuple(f"{HAPPENINGS.get(each.what, each.what)}{f' by {each.who}' if each.who else ''}, {instant(each.at)}" for each in newer)
