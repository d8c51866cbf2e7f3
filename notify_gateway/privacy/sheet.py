# SPDX-License-Identifier: MIT
"""What an opened notification says, in plain words: headings with labelled lines, the same on paper and on screen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from mappings.needs import label
from notify_gateway.domain.model import Card
from notify_gateway.privacy import wording

Line: TypeAlias = tuple[str, tuple[str, ...]]
"""A label, which may be empty, and the texts that stand beside it, one below the other."""


class OpenedNotification(Protocol):
    """As much of an opened delivery as its readers need."""

    @property
    def notification_id(self) -> UUID:
        """The notification."""
        ...

    @property
    def reference(self) -> str:
        """What people say on the telephone."""
        ...

    @property
    def event(self) -> str:
        """``new``, ``update`` or ``delete``."""
        ...

    @property
    def view(self) -> Mapping[str, Any]:
        """The pseudonymised view."""
        ...

    @property
    def card(self) -> Card:
        """The child and the family."""
        ...


@dataclass(frozen=True, slots=True)
class Section:
    """A heading over one group of lines for each person or thing."""

    heading: str
    groups: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One notification in words; banners are a title and a sentence each."""

    reference: str
    about: str
    banners: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


_TOLD_ELSEWHERE = {"child", "carers", "summary", "opinions", "parental_words", "notifier", "sender", "identifier"}
_UNREMARKABLE = (("address_restricted", False), ("nhs_number_status", "01"))
_MAIN = ("name", "value", "language", "words", "display")
_ADDRESS = ("text", "line", "city", "district", "postalCode")
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def sheet_of(opened: OpenedNotification) -> Sheet:
    """Return what there is to say, in the order in which an officer needs it; what the card holds beyond that comes last."""
    card = opened.card.reveal()
    sections = (
        _from_card(card, "child"),
        _from_card(card, "carers"),
        Section("What the trust says", (tuple(_opinion(opened.view, card)),)),
        _from_card(card, "summary"),
        Section("What the parent was told", (tuple(_parent(opened.view, card)),)),
        *(Section(wording.HEADINGS[name], (tuple(lines(card.get(name))),)) for name, lines in _ENCLOSED.items()),
        Section("Who wrote to you", (tuple(_writer(card)),)),
        *(_from_card(card, name) for name in sorted(card.keys() - _TOLD_ELSEWHERE - _ENCLOSED.keys())),
    )
    return Sheet(
        reference=opened.reference,
        about=wording.EVENTS[opened.event],
        banners=tuple(_banners(opened.view, card)),
        sections=tuple(section for section in sections if any(section.groups)),
    )


def _banners(view: Mapping[str, Any], card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for flag, banner in wording.BANNERS.items():
        if flag in view["flags"]:
            yield banner
    if "attachments" in card:
        yield wording.NOT_SCANNED


def need_words(view: Mapping[str, Any]) -> tuple[str, ...]:
    """Return each need in words, with how sure its type is."""
    on = date.fromisoformat(view["opinion_formed_on"] or view["sent_on"])
    return tuple(_need(need, on) for need in view["needs"])


def _opinion(view: Mapping[str, Any], card: Mapping[str, Any]) -> Iterator[Line]:
    for certainty, words in wording.CERTAINTY.items():
        kinds = {kind for need in view["needs"] if need["certainty"] == certainty for kind in need["kinds"]}
        if kinds:
            yield words, (" and ".join(wording.KINDS[kind] for kind in sorted(kinds, reverse=True)),)
    yield from _line("Type of need", need_words(view))
    yield from _line("As the trust put it", [_stated(opinion) for opinion in _listed(card.get("opinions"))])
    yield "Opinion formed", (_day(view["opinion_formed_on"]),)
    yield "Sent to you", (_day(view["sent_on"]),)


def _parent(view: Mapping[str, Any], card: Mapping[str, Any]) -> Iterator[Line]:
    yield "Told of the opinion", (_day(view["parent_informed_on"]),)
    yield "Offered a discussion", (_day(view["discussion_offered_on"]),)
    yield "Parent's view", (wording.PARENT_VIEWS[view["parent_view"]],)
    yield from _line("In their own words", _listed(card.get("parental_words")))


def _writer(card: Mapping[str, Any]) -> Iterator[Line]:
    yield from _lines(card.get("notifier", {}))
    sender = card.get("sender", {})
    yield from _line("Organisation", _listed(sender.get("name")))
    yield from _line("ODS code", _listed(sender.get("ods")))
    yield from _line("Their number for this", _listed(card.get("identifier")))


def _involvement(request: Mapping[str, Any] | None) -> Iterator[Line]:
    if request:
        yield "", (wording.ITS_OWN_AGREEMENT,)
        yield from _lines({name: fact for name, fact in request.items() if name != "codes"})


def _scores(scores: Any) -> Iterator[Line]:
    for score in _listed(scores):
        facts = (f"{score.get('month')}-month questionnaire", _phrase(score.get("on")))
        yield _phrase(score.get("domain")), (f"{score.get('score')} of 60 ({', '.join(filter(None, facts))})",)


def _observations(observations: Any) -> Iterator[Line]:
    for seen in _listed(observations):
        told = [_phrase(seen.get("value")), *map(_phrase, _listed(seen.get("notes")))]
        on = f"({_phrase(seen['on'])})" if "on" in seen else ""
        yield _phrase(seen.get("name")) or "Observation", (" ".join(filter(None, (", ".join(filter(None, told)) or "Recorded", on))),)


def _attachments(attachments: Any) -> Iterator[Line]:
    for item in _listed(attachments):
        named = _phrase(item.get("title")) or _phrase(item.get("kind")) or "Attachment"
        facts = (item.get("kind"), item.get("file_type"), _size(item.get("bytes")), item.get("on"), item.get("language"))
        texts = (f"{named} ({', '.join(_phrase(fact) for fact in facts if fact)})", _phrase(item.get("description")))
        yield f"File {item.get('number')}", tuple(text for text in texts if text)


def _size(size: int | None) -> str | None:
    return None if size is None else f"{max(1, round(size / 1024))} KB"


_ENCLOSED: Final[Mapping[str, Callable[[Any], Iterator[Line]]]] = {
    "involvement": _involvement,
    "asq_3": _scores,
    "observations": _observations,
    "attachments": _attachments,
}


def _stated(opinion: Mapping[str, Any]) -> str:
    codes = ", ".join(_phrase(coding["code"]) for coding in _listed(opinion.get("codes")) if "code" in coding)
    return " ".join(part for part in (_phrase(opinion.get("need")), codes and f"({codes})") if part)


def _need(need: Mapping[str, Any], on: date) -> str:
    code = need["sen_type"] or need["area"]
    if code is None:
        return "Not one of the education types of need; read the trust's own words"
    try:
        words = label(code, on)
    except KeyError:
        words = code
    return f"{words} ({wording.STRENGTHS[need['strength']]})" if need["strength"] else words


def _from_card(card: Mapping[str, Any], name: str) -> Section:
    groups = (tuple(_lines(item)) for item in _listed(card.get(name)))
    return Section(wording.HEADINGS.get(name) or _sentence(name), tuple(group for group in groups if group))


def _lines(item: Any) -> Iterator[Line]:
    if not isinstance(item, Mapping) or "words" in item or "value" in item:
        yield from _line("", [item])
        return
    for name in sorted(item, key=_rank):
        if (name, item[name]) not in _UNREMARKABLE:
            yield from _line(wording.LABELS.get(name, _sentence(name)), _listed(item[name]), name)


def _line(label: str, values: Iterable[Any], name: str = "") -> Iterator[Line]:
    texts = tuple(text for value in values for text in _phrase(value, name).split("\n") if text)
    if texts:
        yield label, texts


def _phrase(value: Any, name: str = "") -> str:
    """Return a value of the card as a reader expects it: the main thing first, what qualifies it in brackets, no web addresses."""
    if isinstance(value, Mapping):
        if name == "address":
            return ", ".join(_phrase(part) for key in _ADDRESS for part in _listed(value.get(key)))
        main = [_phrase(value[key]) for key in _MAIN if key in value]
        others = [
            _sentence(key).lower() if item is True else _phrase(item)
            for key, item in value.items()
            if key not in _MAIN and item is not False and not str(item).startswith("http")
        ]
        if not main:
            return ", ".join(others)
        return f"{', '.join(main)} ({', '.join(others)})" if others else ", ".join(main)
    if isinstance(value, list | tuple):
        return ", ".join(_phrase(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = _shown("" if value is None else str(value))
    if name == "nhs_number" and len(text) == 10:
        return f"{text[:3]} {text[3:6]} {text[6:]}"
    return _day(text) if _DATE.fullmatch(text) else text


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else () if value is None else (value,)


def _rank(name: str) -> tuple[int, str]:
    known = list(wording.LABELS)
    return (known.index(name) if name in known else len(known), name)


def _sentence(name: str) -> str:
    words = " ".join(_shown(name).split("_"))
    return words[:1].upper() + words[1:]


def is_shown(character: str) -> bool:
    """Tell what can be shown from control characters, halves of characters, and those that turn the direction of a line."""
    return unicodedata.category(character) not in ("Cc", "Cs") and character not in _TURNING


def _shown(text: str) -> str:
    return "".join(character for character in text if is_shown(character) or character == "\n")


def _day(text: str | None) -> str:
    """Return an ISO date as people write it."""
    if text is None:
        return "Not stated"
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{day.day} {day:%B %Y}"
