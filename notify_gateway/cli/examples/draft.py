# SPDX-License-Identifier: MIT
"""A whole notification under construction: the packaged example, renewed and moved to today, then changed step by step."""

from __future__ import annotations

import json
import re
import secrets
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final, Self
from uuid import uuid4

from notify_gateway.cli.examples.values import each_text, forget, with_new_ids
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.model import MessageReason, ReceiverReason
from notify_gateway.fhir import names

NAME: Final = "send_notification_new.json"
PLACES: Final = (
    *("header", "focus", "patient", "sender", "receiver", "practitioner"),
    *("role", "carer", "opinion", "informed", "offered", "views"),
)
"""What the entries of the packaged example are called here, in their order."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|T)")
_NUMBER, _ODS = "2026-000123", "rxx.nhs.uk"
_RESTRICTED = {"system": names.CONFIDENTIALITY, "code": "R"}
_UNAVAILABLE_REASONS = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberUnavailableReason"
_RELATIONSHIPS = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a child lives, and who answers for children there."""

    gss: str
    council: str
    town: str
    postcode: str


STOCKTON: Final = Home("E06000004", "Stockton-on-Tees Borough Council", "Stockton-on-Tees", "TS18 1LD")
MIDDLESBROUGH: Final = Home("E06000002", "Middlesbrough Council", "Middlesbrough", "TS1 2QJ")
HARTLEPOOL: Final = Home("E06000001", "Hartlepool Borough Council", "Hartlepool", "TS24 8AY")
REDCAR: Final = Home("E06000003", "Redcar and Cleveland Borough Council", "Redcar", "TS10 1RT")


@cache
def _template() -> bytes:
    return resources.files("notify_gateway.cli.data").joinpath(NAME).read_bytes()


def template() -> dict[str, Any]:
    """Return the packaged example as it was written."""
    document: dict[str, Any] = json.loads(_template())
    return document


def made_up_nhs_number() -> str:
    """Return a random NHS number of the 999 range, which nobody is given, with its right check digit."""
    while True:
        body = f"999{secrets.randbelow(10**6):06}"
        check = (11 - sum(int(digit) * weight for digit, weight in zip(body, range(10, 1, -1), strict=True)) % 11) % 11
        if check != 10:
            return f"{body}{check}"


class Draft:
    """A good ``new`` notification, sent yesterday, with ids of its own; each method changes it and returns it.

    All days of the example move together, the birthday included, so that the law judges it today as it did when it was written.
    """

    def __init__(self, now: datetime, *, home: Home = STOCKTON, ods: str = "RXX", nhs_number: str | None = None) -> None:
        document = template()
        days = london_day(now) - timedelta(days=1) - date.fromisoformat(document["timestamp"][:10])
        number = f"{now.year}-{secrets.randbelow(10**9):09}"

        def move(text: str) -> str:
            text = text.replace(_NUMBER, number).replace(_ODS, f"{ods.lower()}.nhs.uk")
            return _DAY.sub(lambda found: (date.fromisoformat(found[0]) + days).isoformat(), text)

        self.document: dict[str, Any] = each_text(with_new_ids(document), move)
        self.at = dict(zip(PLACES, (entry["resource"] for entry in self.document["entry"]), strict=True))
        self.from_sender(ods).lives(home).child(nhs_number=nhs_number or made_up_nhs_number())

    # What it is

    @property
    def sent_on(self) -> date:
        """Return the day of the notification."""
        return date.fromisoformat(self.document["timestamp"][:10])

    def day(self, after: int) -> date:
        """Return a day, counted from that of the notification."""
        return self.sent_on + timedelta(days=after)

    def text(self) -> str:
        """Return the message as a file for people to read."""
        return json.dumps(self.document, indent=1, ensure_ascii=False) + "\n"

    def bytes(self) -> bytes:
        """Return the message as it goes over the wire."""
        return json.dumps(self.document, ensure_ascii=False, separators=(",", ":")).encode()

    # Who and where

    def child(
        self, *, given: str | None = None, family: str | None = None, born: date | None = None, nhs_number: str | None = None, **more: Any
    ) -> Self:
        """Say who the child is; the family name is the carer's too. ``more`` are elements of the Patient."""
        patient = self.at["patient"]
        if given is not None:
            patient["name"][0]["given"] = [given]
        if family is not None:
            patient["name"][0]["family"] = self.at["carer"]["name"][0]["family"] = family.upper()
        if born is not None:
            patient["birthDate"] = born.isoformat()
        if nhs_number is not None:
            patient["identifier"][0]["value"] = nhs_number
        patient.update(more)
        return self

    def lives(self, home: Home) -> Self:
        """Let the child live at ``home``, and address the message to the authority that answers for it."""
        self.at["patient"]["address"][0] |= {"city": home.town, "postalCode": home.postcode}
        self.at["receiver"]["identifier"] = [{"system": names.GSS, "value": home.gss}]
        self.at["receiver"]["name"] = self.at["header"]["destination"][0]["name"] = home.council
        return self

    def from_sender(self, ods: str) -> Self:
        """Name the sending organisation."""
        self.at["sender"]["identifier"][0]["value"] = ods
        return self

    def carer(self, given: str, relationship: str, display: str, phone: str) -> Self:
        """Add another carer, who was informed and offered a discussion as the first was."""
        entry = self._add("another-carer", self.at["carer"])
        entry["name"][0]["given"] = [given]
        entry["relationship"][0]["coding"] = [{"system": _RELATIONSHIPS, "code": relationship, "display": display}]
        entry["telecom"][0]["value"] = phone
        for act in ("informed", "offered"):
            self.at[act]["recipient"].append({"reference": self.url("another-carer"), "type": "RelatedPerson"})
        return self

    def without_nhs_number(self, reason: str) -> Self:
        """Say why the child has no NHS number (UK Core's code), and give a local one instead."""
        patient, url = self.at["patient"], names.NUMBER_UNAVAILABLE
        coding = {"system": _UNAVAILABLE_REASONS, "code": reason}
        patient["extension"].append({"url": url, "valueCodeableConcept": {"coding": [coding]}})
        own = self.at["focus"]["identifier"][0]["system"].rpartition("/")[0]
        patient["identifier"] = [{"system": f"{own}/local-patient", "value": f"L-{secrets.token_hex(5)}"}]
        return self

    def because(self, reason: ReceiverReason) -> Self:
        """Say why the sender names the authority itself."""
        self.at["header"]["extension"] = [{"url": names.RECEIVER_REASON, "valueCode": reason.value}]
        return self

    def no_postcode(self) -> Self:
        """Leave out where the child lives."""
        self.at["patient"]["address"][0] = {"use": "home", "text": "No fixed address"}
        return self

    def restricted(self) -> Self:
        """Restrict the address (refuge, adoption)."""
        self.at["patient"]["meta"]["security"] = [_RESTRICTED]
        return self

    # What is thought, and what the parent was told

    def opinion(self, *codings: tuple[str, str, str], has: bool = False, kinds: tuple[str, ...] = ("special-educational-need",)) -> Self:
        """Say what the opinion is: system, code and display of each coding; ``has``, or else probably has."""
        return self._state("opinion", codings, has, kinds)

    def another_opinion(
        self, *codings: tuple[str, str, str], has: bool = False, kinds: tuple[str, ...] = ("special-educational-need",)
    ) -> Self:
        """Add a second opinion, of the same day, of which the parent was told as well."""
        added = self._add("another-opinion", self.at["opinion"])
        added["identifier"][0]["value"] = added["identifier"][0]["value"].removesuffix("-1") + "-2"
        self._state("another-opinion", codings, has, kinds)
        reference = {"reference": self.url("another-opinion"), "type": "Condition"}
        self.at["focus"]["reasonReference"].append(reference)
        for act in ("informed", "offered", "views"):
            self.at[act]["about"].append(dict(reference))
        return self

    def _state(self, place: str, codings: tuple[tuple[str, str, str], ...], has: bool, kinds: tuple[str, ...]) -> Self:
        condition = self.at[place]
        condition["code"] = {"coding": [{"system": s, "code": c, "display": d} for s, c, d in codings]}
        condition["verificationStatus"]["coding"][0]["code"] = "confirmed" if has else "provisional"
        condition["category"] = [{"coding": [{"system": names.OPINION_CATEGORY, "code": kind}]} for kind in kinds]
        return self

    def dated(self, *, opinion: date | None = None, informed: date | None = None, offered: date | None = None) -> Self:
        """Set the days of the opinion and of the acts that follow it."""
        for place, name, day in (("opinion", "recordedDate", opinion), ("informed", "sent", informed), ("offered", "sent", offered)):
            if day is not None:
                self.at[place][name] = day.isoformat()
        return self

    def view(self, code: str, words: str | None = None) -> Self:
        """Say what the parent thinks, as a code and perhaps in words."""
        self.at["views"]["topic"] = {"coding": [{"system": names.PARENTAL_VIEW, "code": code}]}
        if words is not None:
            self.at["views"]["payload"] = [{"contentString": words}]
        return self

    def agreed(self) -> Self:
        """Record that the parent agreed to the sharing, which a sender that section 23 does not bind must have."""
        self.at["focus"]["extension"] = [{"url": names.AGREED_TO_SHARE, "valueBoolean": True}]
        return self

    def voluntary_organisation(self, words: str) -> Self:
        """Say that the parent was told of a voluntary organisation that is likely to help (section 23(4))."""
        told = self._add("organisation-advised", self.at["informed"])
        told["category"][0]["coding"][0]["code"] = "voluntary-organisation-advised"
        told["payload"] = [{"contentString": words}]
        self.at["focus"]["about"].append({"reference": self.url("organisation-advised"), "type": "Communication"})
        return self

    def without(self, place: str) -> Self:
        """Leave out an entry, and every reference to it."""
        gone = self.url(place)
        self.document["entry"] = [entry for entry in self.document["entry"] if entry["fullUrl"] != gone]
        forget(self.document, gone)
        del self.at[place]
        return self

    # Later messages on the same notification

    def followed_by(self, reason: MessageReason, *, after: timedelta = timedelta(hours=1)) -> Draft:
        """Return the next message: the same content and identifier, new ids, a later version."""
        later = object.__new__(type(self))
        later.document = with_new_ids(deepcopy(self.document))
        places = {entry["fullUrl"]: index for index, entry in enumerate(self.document["entry"])}
        later.at = {place: later.document["entry"][places[self.url(place)]]["resource"] for place in self.at}
        header = later.at["header"]
        version = datetime.fromisoformat(header["meta"]["lastUpdated"]) + after
        header["meta"] |= {"lastUpdated": version.isoformat(), "versionId": str(int(header["meta"]["versionId"]) + 1)}
        header["reason"]["coding"][0]["code"] = reason.value
        if reason is MessageReason.DELETE:
            later.at["focus"]["status"] = "entered-in-error"
        return later

    def no_longer_held(self) -> Self:
        """Say, in an update, that the opinion is no longer held."""
        self.at["focus"] |= {"status": "stopped", "statusReason": {"text": "The opinion is no longer held."}}
        self.at["opinion"]["verificationStatus"]["coding"][0]["code"] = "refuted"
        self.at["opinion"]["clinicalStatus"]["coding"][0]["code"] = "inactive"
        return self

    # Parts

    def url(self, place: str) -> str:
        """Return the fullUrl of an entry."""
        return next(str(entry["fullUrl"]) for entry in self.document["entry"] if entry["resource"] is self.at[place])

    def _add(self, place: str, like: dict[str, Any]) -> dict[str, Any]:
        resource: dict[str, Any] = deepcopy(like)
        self.document["entry"].append({"fullUrl": f"urn:uuid:{uuid4()}", "resource": resource})
        self.at[place] = resource
        return resource
