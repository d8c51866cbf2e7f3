# SPDX-License-Identifier: MIT
"""A message Bundle as something to read from: resources by type, references that lead somewhere, codes, dates, and a list of faults."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.fhir.parsing import MAX_ISSUES

Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A resource, and the FHIRPath of where it stands; equal to itself alone, so that comparing costs nothing."""

    resource: Json
    at: str

    @property
    def kind(self) -> str:
        """The type of the resource."""
        return str(self.resource["resourceType"])


class Bundle:
    """A Bundle whose structure was checked, with the faults found while reading it."""

    def __init__(self, document: Json) -> None:
        self._issues: dict[Issue, None] = {}
        self._by_url: dict[str, Located] = {}
        self._by_kind: dict[str, list[Located]] = {}
        self._within: dict[Located, dict[str, Located]] = {}
        for index, entry in enumerate(document["entry"]):
            located = Located(entry["resource"], f"Bundle.entry[{index}].resource")
            self._by_url[entry["fullUrl"]] = located
            self._by_kind.setdefault(located.kind, []).append(located)

    def fault(self, code: str, at: str) -> None:
        """Note a fault, once for each place."""
        self._issues.setdefault(Issue(code, at))

    @property
    def issues(self) -> tuple[Issue, ...]:
        """The faults noted, in order, as many as are told."""
        return tuple(islice(self._issues, MAX_ISSUES))

    def refuse_if_faulty(self) -> None:
        """Raise ``Refused`` with the faults noted, if there are any."""
        if self._issues:
            raise Refused(*self.issues)

    def sure(self, value: T | None) -> T:
        """Return ``value``; where there is none, a fault was noted when it was read, and ``Refused`` is raised with all of them."""
        if value is None:
            raise Refused(*self.issues)
        return value

    def all(self, kind: str) -> list[Located]:
        """Return the resources of a type, in the order of the message."""
        return self._by_kind.get(kind, [])

    def follow(self, origin: Located, reference: Json | None, *kinds: str) -> Located | None:
        """Return what ``reference`` leads to from ``origin``, if it leads to one of ``kinds``."""
        target = (reference or {}).get("reference", "")
        found = self._contained(origin, target[1:]) if target.startswith("#") else self._by_url.get(target)
        return found if found is not None and found.kind in kinds else None

    def _contained(self, origin: Located, name: str) -> Located | None:
        within = self._within.get(origin)
        if within is None:
            within = self._within[origin] = {}
            for index, resource in enumerate(origin.resource.get("contained", [])):
                if "id" in resource:
                    within.setdefault(resource["id"], Located(resource, f"{origin.at}.contained[{index}]"))
        return within.get(name)


def codes(concepts: Json | list[Json] | None, *systems: str) -> list[str]:
    """Return the codes of ``systems`` in a CodeableConcept or a list of them."""
    return [coding["code"] for coding in codings(concepts) if coding.get("system") in systems and "code" in coding]


def codings(concepts: Json | list[Json] | None) -> Iterator[Json]:
    """Yield the codings of a CodeableConcept or a list of them."""
    for concept in concepts if isinstance(concepts, list) else [concepts or {}]:
        yield from concept.get("coding", ())


def extensions(element: Json, url: str) -> list[Json]:
    """Return the extensions of ``element`` under ``url``."""
    return [extension for extension in element.get("extension", ()) if extension["url"] == url]


def identifiers(resource: Json, systems: Collection[str]) -> list[str]:
    """Return the distinct values of the identifiers of ``systems``."""
    values = [item["value"] for item in resource.get("identifier", ()) if item.get("system") in systems and "value" in item]
    return list(dict.fromkeys(values))


def full_date(text: str | None) -> date | None:
    """Return the day of a FHIR date or dateTime, in London if it has a time; ``None`` if it is partial or missing."""
    if text is None or len(text) < len("2026-01-01"):
        return None
    moment = instant(text)
    if moment is not None:
        return london_day(moment)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def instant(text: str | None) -> datetime | None:
    """Return the instant of a FHIR instant or full dateTime; ``None`` if it is partial, missing or outside the calendar."""
    if text is None or "T" not in text:
        return None
    try:
        # A leap second is a legal FHIR time that Python's clock does not know.
        moment = datetime.fromisoformat(text.replace(":60", ":59"))
        london_day(moment)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None
