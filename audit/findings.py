# SPDX-License-Identifier: MIT
"""What the entries of an export say together: acts that were begun and never ended, and all that concerns one child's pseudonym."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.events import Event, EventInvalid, read_leaf
from audit.export import ExportRefused
from audit.note import Checkpoint
from audit.vocabulary import VOCABULARY

GRACE = timedelta(minutes=10)
"""An act that was begun less than this before the end of an export may well have ended after it."""
_ATTEMPTS = {row.tag: row.settled_by for row in VOCABULARY.values() if row.settled_by}
_SETTLING = frozenset(tag for tags in _ATTEMPTS.values() for tag in tags)
_NUMBERS = ("attempt", "grant", "export")
_LINKS = ("notification", "message", "grant", "successor", "reference")


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log that can be read, with its place."""

    index: int
    event: Event


class Reader(ABC):
    """Shown every readable entry in order (``audit.export.verify_export(seen=...)``); counts those whose wording it does not know."""

    def __init__(self) -> None:
        self.unknown = 0
        self.last_at: datetime | None = None

    def see(self, index: int, leaf: bytes) -> None:
        """Take the next entry."""
        try:
            event = read_leaf(leaf)
        except EventInvalid:
            self.unknown += 1
            return
        self.last_at = event.at
        self.take(Entry(index, event))

    @abstractmethod
    def take(self, entry: Entry) -> None:
        """Take an entry that could be read."""


class Gaps(Reader):
    """Finds the acts that could not be undone (a POST, an unseal, an export), were begun, and of which no result was recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts = 0
        self._open: dict[tuple[str, str], list[Entry]] = {}

    def take(self, entry: Entry) -> None:
        """Open an act, or settle it."""
        event = entry.event
        if event.tag in _ATTEMPTS:
            self.attempts += 1
            self._open.setdefault((event.tag, event.subject), []).append(entry)
        if event.tag in _SETTLING:
            for tag, settled_by in _ATTEMPTS.items():
                if event.tag in settled_by:
                    self._settle(tag, event)

    def found(self) -> list[Entry]:
        """Return the acts without a result that were begun long enough before the last entry, in the log's order."""
        if self.last_at is None:
            return []
        until = self.last_at - GRACE
        return sorted((e for begun in self._open.values() for e in begun if e.event.at <= until), key=lambda entry: entry.index)

    def _settle(self, tag: str, result: Event) -> None:
        begun = self._open.get((tag, result.subject), [])
        # A result that names none of several attempts is that of the one under way, which is the last that was begun.
        settled = next((entry for entry in reversed(begun) if _same_act(entry.event, result)), None)
        if settled is not None:
            begun.remove(settled)
            if not begun:
                del self._open[tag, result.subject]


class Opening:
    """Finds out whether the log follows one that was closed, and what is lost of that: the first entry says it."""

    def __init__(self) -> None:
        self._event: Event | None = None

    def see(self, index: int, leaf: bytes) -> None:
        """Take the next entry."""
        if index == 0:
            with suppress(EventInvalid):
                self._event = read_leaf(leaf)

    def require(self, closed: Checkpoint) -> None:
        """The first entry commits to this checkpoint of the log before; raises ``ExportRefused`` otherwise."""
        told = {} if self._event is None or self._event.tag != "log:opened" else self._event.fields
        if (told.get("previous"), told.get("previous_size"), told.get("previous_root")) != (closed.origin, closed.size, closed.root.hex()):
            raise ExportRefused(
                f"the first entry of this log does not say that it follows the log {closed.origin} as closed at {closed.size} entries. "
                "Is that its last checkpoint? /log/closed names the order of the logs, and each one's last checkpoint"
            )

    def sentence(self) -> str:
        """Return what the first entry says of the log before, in plain English; nothing where there was none."""
        event = self._event
        if event is None or event.tag != "log:opened" or "previous" not in event.fields:
            return ""
        told = event.fields
        closed = f" It follows the log {told['previous']}, which {event.actor} closed at {told['previous_size']} entries"
        closed += f" on {event.at:%Y-%m-%d %H:%M} UTC ({told.get('reason', 'no reason given')})."
        lost = ""
        if "gap_from" in told and "gap_to" in told:
            lost += f" A database was restored: entries {told['gap_from']} to {int(told['gap_to']) - 1} of it are lost there."
        if told.get("guard") == "lost":
            lost += " What the signer remembered was lost as well: more may have been signed there than this tells."
        return closed + (lost or " Nothing of that is lost.")


class Chronology(Reader):
    """Collects, in order, what concerns one pseudonym: the entries that bear it and those that bear an id which these brought in."""

    def __init__(self, pseudonym: str) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self._known = {pseudonym}

    def take(self, entry: Entry) -> None:
        """Keep the entry if it bears a known id; what it names besides is known from then on."""
        event = entry.event
        links = {str(event.fields[name]) for name in _LINKS if name in event.fields}
        if event.subject in self._known or str(event.fields.get("pseudonym", "")) in self._known or links & self._known:
            self.entries.append(entry)
            self._known |= links | {event.subject}


def _same_act(begun: Event, result: Event) -> bool:
    return all(result.fields[name] == begun.fields.get(name) for name in _NUMBERS if name in result.fields)
