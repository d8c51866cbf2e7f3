# SPDX-License-Identifier: MIT
"""What an opened notification says, in plain words: headings with labelled lines, the same for paper, screen and spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from mappings.needs import label
from notify_gateway.domain.model import Card


class OpenedNotification(Protocol):
    """As much of an opened delivery as paper needs."""

    @property
    def notification_id(self) -> UUID: ...  # noqa: D102
    @property
    def reference(self) -> str: ...  # noqa: D102
    @property
    def event(self) -> str: ...  # noqa: D102
    @property
    def view(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def card(self) -> Card: ...  # noqa: D102


Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its labelled lines; ``groups`` are people or things that stand apart under one heading."""

    heading: str
    groups: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One notification in words."""

    reference: str
    about: str
    banners: tuple[Line, ...]
    sections: tuple[Section, ...]


_EVENTS = {
    "new": "New notification",
    "update": "Update: replaces what you were told before",
    "delete": "Withdrawn by the trust",
}
_BANNERS = {
    "restricted-address": (
        "Restricted address",
        "The address is withheld. Do not ask for it, write it down or share where the family lives.",
    ),
    "contact-sensitively": (
        "Contact sensitively",
        "The parent objects to this notification. The law still required it; make contact with care.",
    ),
    "came-of-age-since": ("Of compulsory school age by now", "The child was below it when the opinion was formed."),
    "unlinked": ("No NHS number", "This notification cannot be joined to others about the same child."),
    "receiver-named-by-sender": ("You were named by the trust", "The home postcode did not decide which authority this is for."),
    "receiver-overrides-postcode": (
        "You were named by the trust",
        "The home postcode points to another authority; the trust gave a reason.",
    ),
    "voluntary-notification": ("Voluntary", "The sender is not bound by section 23; the parent agreed to this."),
    "no-voluntary-organisation-answer": ("Not answered", "The trust did not say whether it named a voluntary organisation."),
}
_CERTAINTY = {"has": "The child has", "probably-has": "The child probably has"}
_KINDS = {"special-educational-need": "special educational needs", "disability": "a disability"}
_STRENGTHS = {
    "stated": "stated by the trust",
    "direct": "from the trust's clinical code",
    "provisional": "a provisional reading of the trust's clinical code",
    "risk": "the clinical code names a risk, not a need",
    "contradiction": "the clinical code does not fit a need",
}
_PARENT_VIEWS = {
    "agrees": "Agrees",
    "has-concerns": "Has concerns",
    "objects": "Objects",
    "not-reached": "Could not be reached",
    "in-words": "Given in the parent's own words",
    "not-recorded": "Not recorded",
}
_HEADINGS = {"child": "Who the child is", "carers": "Who to contact", "summary": "In the trust's own words", "sender": "Who sent this"}
_ACRONYMS = {"nhs": "NHS", "gp": "GP", "ods": "ODS", "id": "ID", "uprn": "UPRN"}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def sheet_of(opened: OpenedNotification) -> Sheet:
    """Return what there is to say, in the order in which an officer needs it: child, contacts, opinion, parent, sender, the rest."""
    card = dict(opened.card.reveal())
    flags = opened.view["flags"]
    return Sheet(
        reference=opened.reference,
        about=_EVENTS.get(opened.event, opened.event),
        banners=tuple(_BANNERS[flag] for flag in _BANNERS if flag in flags),
        sections=tuple(
            section
            for section in (
                _from_card(card, "child"),
                _from_card(card, "carers"),
                Section("What the trust says", (tuple(_opinion(opened.view)),)),
                _from_card(card, "summary"),
                Section("What the parent was told", (tuple(_parent(opened.view)),)),
                _from_card(card, "sender"),
                *(_from_card(card, name) for name in sorted(card.keys() - _HEADINGS.keys())),
            )
            if any(section.groups)
        ),
    )


def flat_lines(value: Any, name: str = "") -> Iterator[Line]:
    """Yield ``(dotted name, text)`` of every value in a JSON value; lists of texts are joined, other lists are numbered from 1."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flat_lines(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if all(isinstance(item, str) for item in value):
            yield from flat_lines(", ".join(value), name)
        else:
            for position, item in enumerate(value, start=1):
                yield from flat_lines(item, f"{name}.{position}")
    elif isinstance(value, bool):
        yield name, "yes" if value else "no"
    elif value not in (None, ""):
        yield name, str(value)


def need_words(view: Mapping[str, Any]) -> list[str]:
    """Return each need in words, with how sure its type is."""
    on = date.fromisoformat(view["opinion_formed_on"] or view["sent_on"])
    return [_need(need, on) for need in view["needs"]]


def day_words(text: str | None) -> str:
    """Return an ISO date as people write it."""
    if text is None:
        return "not stated"
    day = date.fromisoformat(text)
    return f"{day.day} {day:%B %Y}"


def _from_card(card: Mapping[str, Any], name: str) -> Section:
    value = card.get(name)
    items = value if isinstance(value, list | tuple) and not all(isinstance(item, str) for item in value) else [value]
    groups = tuple(tuple((_label(key), _text(key, text)) for key, text in flat_lines(item)) for item in items)
    return Section(_HEADINGS.get(name, _label(name)), tuple(group for group in groups if group))


def _opinion(view: Mapping[str, Any]) -> Iterator[Line]:
    for certainty, words in _CERTAINTY.items():
        kinds = {kind for need in view["needs"] if need["certainty"] == certainty for kind in need["kinds"]}
        if kinds:
            yield words, " and ".join(_KINDS[kind] for kind in sorted(kinds, reverse=True))
    for position, words in enumerate(need_words(view)):
        yield ("" if position else "Type of need"), words
    yield "Opinion formed", day_words(view["opinion_formed_on"])
    yield "Sent to you", day_words(view["sent_on"])


def _parent(view: Mapping[str, Any]) -> Iterator[Line]:
    yield "Told of the opinion", day_words(view["parent_informed_on"])
    yield "Offered a discussion", day_words(view["discussion_offered_on"])
    yield "Parent's view", _PARENT_VIEWS[view["parent_view"]]


def _need(need: Mapping[str, Any], on: date) -> str:
    code = need["sen_type"] or need["area"]
    if code is None:
        return "Not one of the education types of need; read the trust's own words"
    try:
        words = label(code, on)
    except KeyError:
        words = code
    return f"{words} ({_STRENGTHS[need['strength']]})" if need["strength"] else words


def _label(key: str) -> str:
    words = [_ACRONYMS.get(word, word) for word in re.split(r"[^A-Za-z0-9]+", key.removesuffix(".text")) if word]
    sentence = " ".join(words)
    return sentence[:1].upper() + sentence[1:]


def _text(key: str, text: str) -> str:
    if key.endswith("nhs_number") and len(text) == 10:
        return f"{text[:3]} {text[3:6]} {text[6:]}"
    if _DATE.fullmatch(text):
        try:
            return day_words(text)
        except ValueError:
            return text
    return text
