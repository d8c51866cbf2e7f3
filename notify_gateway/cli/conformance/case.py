# SPDX-License-Identifier: MIT
"""A conformance case as data: what is sent, how it differs from a good message, and the answer that it must get."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from notify_gateway.cli.conformance.changes import Change, Spoil
from notify_gateway.cli.examples.draft import Draft
from notify_gateway.domain.catalogue import Code, entry

if TYPE_CHECKING:
    from notify_gateway.cli.sign_in import SignIn


class Message(StrEnum):
    """Which message a step sends."""

    NEW = "another new one"
    SAME = "the one before, byte for byte"
    ALTERED = "the one before, changed"
    UPDATE = "an update of the one before"
    DELETE = "a withdrawal of the one before"
    SAME_CHILD = "another new one about the child of the one before"
    SAME_IDENTIFIER = "another new one under the identifier of the one before"


class Who(StrEnum):
    """With which credentials a step calls."""

    SENDER = "the sender"
    NOBODY = "without a token"
    STRANGER = "with a token that nobody issued"


@dataclass(frozen=True, slots=True)
class Post:
    """POST a message to ``$process-message``. ``code`` is what a refusal must name; ``headers`` given as ``None`` are left out;
    ``same_request``: under the X-Request-ID of the step before; ``draft`` is a message that is there already."""

    status: int
    code: Code | None = None
    changes: tuple[Change, ...] = ()
    message: Message = Message.NEW
    spoil: Spoil | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    who: Who = Who.SENDER
    same_request: bool = False
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Bulk:
    """POST a line for each message to ``$process-messages``; each ``Post`` says what its line must get, bytes are blank lines.

    ``status`` and ``code`` are those of the call itself, for which the lines are not looked at where it is refused.
    """

    lines: tuple[Post | bytes, ...]
    status: int = 200
    code: Code | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    who: Who = Who.SENDER


@dataclass(frozen=True, slots=True)
class Get:
    """GET a path; ``{task}`` in it is the Task of the last acceptance. ``holds`` tells what is wrong with the document, if anything."""

    path: str
    status: int
    code: Code | None = None
    who: Who = Who.SENDER
    holds: Callable[[dict[str, Any]], str | None] | None = None


@dataclass(frozen=True, slots=True)
class Try:
    """Have a new message judged by ``$validate``, which keeps nothing: it would be accepted, or be refused with ``code``."""

    code: Code | None = None
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """Search for Tasks by the fields of a form; where that is good, the one Task that is found is that of the last acceptance."""

    fields: Callable[[Draft], Mapping[str, str]]
    status: int = 200
    code: Code | None = None


@dataclass(frozen=True, slots=True)
class Forged:
    """Post the assertions that ``make`` gives to the token endpoint; the last must be refused with ``code``."""

    make: Callable[[SignIn], tuple[str, ...]]
    code: Code


@dataclass(frozen=True, slots=True)
class Receipt:
    """Ask for the receipt of the last acceptance until it is there, within the time that was promised, and verify it."""


Step: TypeAlias = Post | Bulk | Get | Try | Search | Forged | Receipt


@dataclass(frozen=True, slots=True)
class Case:
    """A case: ``group/title``, where the demand comes from, and what is done in it, in order."""

    group: str
    title: str
    source: str
    steps: tuple[Step, ...] = field(default=())

    @property
    def name(self) -> str:
        """Return the name by which the case is chosen: group and title, in small letters and hyphens."""
        return f"{self.group}/{re.sub(r'[^a-z0-9]+', '-', self.title.lower()).strip('-')}"

    @property
    def expected(self) -> str:
        """Return the answers that it must get, in one line."""
        return ", then ".join(expected(step) for step in self.steps)


def expected(step: Step) -> str:
    """Return the answer that a step must get."""
    match step:
        case Receipt():
            return "receipt"
        case Try():
            return f"would be refused {step.code.value}" if step.code else "would be accepted"
        case Forged():
            return f"{entry(step.code).status} {step.code.value}"
        case Bulk(lines=lines, status=200):
            return "lines: " + (", ".join(expected(line) for line in lines if isinstance(line, Post)) or "none")
        case Post() | Bulk() | Get() | Search():
            return f"{step.status} {step.code.value}" if step.code else str(step.status)


def good(group: str, title: str, source: str, *changes: Change) -> Case:
    """Return the case of a good message that differs so from the base message, and is accepted."""
    return Case(group, title, source, (Post(202, changes=changes),))


def bad(group: str, title: str, source: str, code: Code, *changes: Change, spoil: Spoil | None = None) -> Case:
    """Return the case of a message that must be refused with ``code``, and its status of the catalogue."""
    return Case(group, title, source, (Post(entry(code).status, code, changes, spoil=spoil),))
