# SPDX-License-Identifier: MIT
"""A builder of whole notifications about invented children: ``a_message().opinion_on("2026-01-09").without("parent-informed").bytes()``.

Each message has fresh UUIDs, its own business identifier and an NHS number of the 999 range, which is never issued. Standard library
only; some thousand messages a second.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

EXAMPLE = Path(__file__).parents[2] / "examples" / "send_notification_new.json"
BASE = "https://w3id.org/early-years-send/fhir"
SECTION_23 = f"{BASE}/CodeSystem/section-23-communication"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
GSS = "http://statistics.data.gov.uk/id/statistical-geography"
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

HEADER, FOCUS, PATIENT, SENDER, RECEIVER, PRACTITIONER, ROLE, CARER, CONDITION, INFORMED, OFFERED, VIEWS = range(12)
ACTS = {"parent-informed": INFORMED, "discussion-offered": OFFERED, "parental-views": VIEWS}

GIVEN = ("Arlo", "Bryony", "Caspian", "Delphine", "Emrys", "Fenella", "Gwilym", "Hester", "Idris", "Juniper", "Kester", "Linnea")
FAMILY = ("Ashgrove", "Brindlewood", "Copperfold", "Dunmallow", "Elderwick", "Fernaby", "Greyling", "Hollowell", "Ivesmoor", "Juddmere")
STREETS = ("Sycamore Rise", "Larkspur Lane", "Cobbler's Yard", "Millrace Walk", "Foxglove Close")
DEMONSTRATION_POSTCODE = "TS18 1LD"

PDF, JPEG, PNG = b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"
"""How files of the types that are taken begin; the rest of an attachment is nobody's business."""

_numbers = itertools.count()


def nhs_number(index: int) -> str:
    """Return the ``index``-th synthetic NHS number (999 range, valid check digit); distinct for 0 to 499,999."""
    for last in (0, 1):
        body = f"999{(index * 2 + last) % 1_000_000:06d}"
        check = (11 - sum(int(d) * w for d, w in zip(body, range(10, 1, -1), strict=True)) % 11) % 11
        if check != 10:
            return f"{body}{check}"
    raise AssertionError("neighbouring bodies cannot both lack a check digit")


@cache
def _example() -> str:
    return json.dumps(json.loads(EXAMPLE.read_text(encoding="utf-8")))


class Message:
    """A notification under construction; each method changes it and returns it."""

    def __init__(self, index: int | None = None) -> None:
        index = next(_numbers) if index is None else index
        fresh: dict[str, str] = {}
        text = UUID.sub(lambda match: fresh.setdefault(match[0], str(uuid4())), _example())
        self.data: dict[str, Any] = json.loads(text)
        self.identified(f"SN-{uuid4().hex[:12]}")
        self.for_child(
            number=nhs_number(index),
            given=GIVEN[index % len(GIVEN)],
            family=FAMILY[index // len(GIVEN) % len(FAMILY)].upper(),
            line=f"{index % 190 + 1} {STREETS[index % len(STREETS)]}",
        )

    # What it is

    def resource(self, index: int) -> dict[str, Any]:
        """Return the resource of an entry."""
        found: dict[str, Any] = self.data["entry"][index]["resource"]
        return found

    @property
    def message_id(self) -> str:
        return str(self.resource(HEADER)["id"])

    @property
    def business_identifier(self) -> str:
        return str(self.resource(FOCUS)["identifier"][0]["value"])

    @property
    def number(self) -> str | None:
        return next((i["value"] for i in self.resource(PATIENT).get("identifier", ()) if i["system"] == NHS_NUMBER), None)

    @property
    def canaries(self) -> tuple[str, ...]:
        """Strings that give the child or the family away; they may turn up nowhere in the clear."""
        child, carer = self.resource(PATIENT), self.resource(CARER)
        born = date.fromisoformat(child["birthDate"])
        return (
            *([self.number] if self.number else []),
            child["name"][0]["family"],
            *child["name"][0]["given"],
            child["birthDate"],
            born.strftime("%d/%m/%Y"),
            *child["address"][0]["line"],
            child["address"][0]["postalCode"],
            child["address"][0]["postalCode"].replace(" ", ""),
            *carer["name"][0]["given"],
            carer["telecom"][0]["value"],
            self.resource(VIEWS)["payload"][0]["contentString"],
        )

    def document(self) -> dict[str, Any]:
        """Return the message as JSON values of their own."""
        copy: dict[str, Any] = json.loads(json.dumps(self.data))
        return copy

    def bytes(self) -> bytes:
        """Return the message as it goes over the wire."""
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":")).encode()

    # Who

    def for_child(
        self,
        *,
        number: str | None = None,
        given: str | None = None,
        family: str | None = None,
        born: date | str | None = None,
        postcode: str | None = None,
        line: str | None = None,
    ) -> Self:
        child, carer = self.resource(PATIENT), self.resource(CARER)
        if number is not None:
            child["identifier"][0]["value"] = number
        if given is not None:
            child["name"][0]["given"] = [given]
        if family is not None:
            child["name"][0]["family"] = carer["name"][0]["family"] = family
        if born is not None:
            child["birthDate"] = str(born)
        if postcode is not None:
            child["address"][0]["postalCode"] = postcode
        if line is not None:
            child["address"][0]["line"] = [line]
        return self

    def from_sender(self, ods: str) -> Self:
        self.resource(SENDER)["identifier"][0]["value"] = ods
        return self

    def to_authority(self, code: str, system: str = GSS) -> Self:
        self.resource(RECEIVER)["identifier"] = [{"system": system, "value": code}]
        return self

    def because(self, reason: str) -> Self:
        """Say why the sender names the authority itself."""
        self.resource(HEADER)["extension"] = [{"url": f"{BASE}/StructureDefinition/receiver-reason", "valueCode": reason}]
        return self

    def restricted(self) -> Self:
        """Restrict the address (refuge, adoption)."""
        label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
        self.resource(PATIENT)["meta"]["security"] = [label]
        return self

    # When

    def opinion_on(self, day: date | str) -> Self:
        self.resource(CONDITION)["recordedDate"] = str(day)
        return self

    def informed_on(self, day: date | str) -> Self:
        self.resource(INFORMED)["sent"] = str(day)
        return self

    def offered_on(self, day: date | str) -> Self:
        self.resource(OFFERED)["sent"] = str(day)
        return self

    def sent_at(self, moment: datetime | str) -> Self:
        text = moment if isinstance(moment, str) else moment.isoformat()
        self.resource(FOCUS)["sent"] = self.data["timestamp"] = text
        return self

    def version_at(self, moment: datetime | str) -> Self:
        self.resource(HEADER)["meta"]["lastUpdated"] = moment if isinstance(moment, str) else moment.isoformat()
        return self

    # What

    def identified(self, value: str) -> Self:
        """Give the notification the trust's own identifier."""
        self.resource(FOCUS)["identifier"][0]["value"] = value
        return self

    def needs(self, *codes: str, system: str = f"{BASE}/CodeSystem/dfe-sen-type") -> Self:
        self.resource(CONDITION)["code"] = {"coding": [{"system": system, "code": code} for code in codes]}
        return self

    def view(self, code: str) -> Self:
        """Code the parent's view."""
        self.resource(VIEWS)["topic"] = {"coding": [{"system": f"{BASE}/CodeSystem/parental-view", "code": code}]}
        return self

    def not_contacted_before(self, day: date | str) -> Self:
        """Ask the authority not to contact the family before a day."""
        self.resource(FOCUS)["extension"] = [{"url": f"{BASE}/StructureDefinition/do-not-contact-before", "valueDate": str(day)}]
        return self

    def agreed(self, value: bool = True) -> Self:
        """Record the parent's agreement to share."""
        self.resource(FOCUS)["extension"] = [{"url": f"{BASE}/StructureDefinition/parent-agreed-to-share", "valueBoolean": value}]
        return self

    def without(self, what: str) -> Self:
        """Leave out an act towards the parent by its code, or ``nhs-number``, ``postcode``, ``receiver``."""
        if what in ACTS:
            # Dropping the code keeps the places of all other entries, so that tests may name them.
            self.resource(ACTS[what])["category"] = [{"text": "other"}]
        elif what == "nhs-number":
            reasons = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberUnavailableReason"
            url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberUnavailableReason"
            child = self.resource(PATIENT)
            child["extension"].append({"url": url, "valueCodeableConcept": {"coding": [{"system": reasons, "code": "not-yet-traced"}]}})
            child["identifier"] = [{"system": "https://rxx.nhs.uk/Id/local-patient", "value": f"L-{uuid4().hex[:10]}"}]
        elif what == "postcode":
            self.resource(PATIENT)["address"][0].pop("postalCode")
        elif what == "receiver":
            self.resource(HEADER)["destination"][0].pop("receiver")
        else:
            raise ValueError(what)
        return self

    # What goes with it: each of these appends entries, in the order of the calls

    def attached(self, content: bytes = PDF, content_type: str = "application/pdf", **attachment: Any) -> Self:
        """Attach a file in a DocumentReference, with its true size and hash; ``attachment`` sets or, with ``None``, leaves out elements."""
        digest = hashlib.sha1(content, usedforsecurity=False).digest()
        facts = {"contentType": content_type, "data": b64encode(content).decode(), "size": len(content), "hash": b64encode(digest).decode()}
        whole = {"title": "Clinic letter", "creation": "2026-01-08", **facts, **attachment}
        return self._with(
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "type": {"text": "Letter"},
                "subject": {"reference": self.data["entry"][PATIENT]["fullUrl"]},
                "content": [{"attachment": {name: value for name, value in whole.items() if value is not None}}],
            }
        )

    def involving(self, service: str = "Portage", *, agreed_on: date | str = "2026-01-12") -> Self:
        """Add part 2: the request that a service become involved, and the parent's agreement to it."""
        child, carer = ({"reference": self.data["entry"][index]["fullUrl"]} for index in (PATIENT, CARER))
        self._with(
            {
                "resourceType": "ServiceRequest",
                "status": "active",
                "intent": "proposal",
                "code": {"text": service},
                "subject": child,
                "authoredOn": str(agreed_on),
            }
        )
        terms = "http://terminology.hl7.org/CodeSystem"
        return self._with(
            {
                "resourceType": "Consent",
                "status": "active",
                "scope": {"coding": [{"system": f"{terms}/consentscope", "code": "treatment"}]},
                "category": [{"text": "Agreement to the involvement of a service"}],
                "patient": child,
                "dateTime": str(agreed_on),
                "performer": [carer],
                "policyRule": {"text": "Agreement of a parent"},
                "provision": {
                    "type": "permit",
                    "data": [{"meaning": "instance", "reference": {"reference": self.data["entry"][-1]["fullUrl"]}}],
                },
            }
        )

    def observed(self, code: dict[str, Any], on: date | str = "2026-01-08", **facts: Any) -> Self:
        """Add an Observation."""
        child = {"reference": self.data["entry"][PATIENT]["fullUrl"]}
        fixed = {"resourceType": "Observation", "status": "final", "code": code, "subject": child, "effectiveDateTime": str(on)}
        return self._with(fixed | facts)

    def scored(self, domain: str, score: float, *, month: int = 24) -> Self:
        """Add a score of ASQ-3."""
        extension = {"url": f"{BASE}/StructureDefinition/asq-3-questionnaire-month", "valuePositiveInt": month}
        coding = {"system": f"{BASE}/CodeSystem/asq-3-domain", "code": domain}
        return self.observed({"coding": [coding]}, extension=[extension], valueQuantity={"value": score})

    def _with(self, resource: dict[str, Any]) -> Self:
        self.data["entry"].append({"fullUrl": f"urn:uuid:{uuid4()}", "resource": resource})
        return self

    def having(self, change: Callable[[dict[str, Any]], object]) -> Self:
        """Apply any other change to the JSON values."""
        change(self.data)
        return self

    # Later messages

    def reason(self, code: str) -> Self:
        self.resource(HEADER)["reason"]["coding"][0]["code"] = code
        if code == "delete":
            self.resource(FOCUS)["status"] = "entered-in-error"
        return self

    def opinion_withdrawn(self) -> Self:
        """Say that the opinion is no longer held."""
        self.resource(FOCUS)["status"] = "stopped"
        self.resource(CONDITION)["verificationStatus"]["coding"][0]["code"] = "refuted"
        return self.reason("update")

    def followed_by(self, reason: str, *, after: timedelta = timedelta(minutes=5)) -> Message:
        """Return the next message on the same notification: same content and identifier, new ids, a later version."""
        later = Message(0)
        fresh: dict[str, str] = {}
        later.data = json.loads(UUID.sub(lambda match: fresh.setdefault(match[0], str(uuid4())), json.dumps(self.data)))
        later.resource(FOCUS)["identifier"] = self.resource(FOCUS)["identifier"]
        version = datetime.fromisoformat(self.resource(HEADER)["meta"]["lastUpdated"])
        return later.version_at(version + after).reason(reason)


def a_message(index: int | None = None) -> Message:
    """Return a good ``new`` notification about an invented child; ``index`` picks the child, else each call has its own."""
    return Message(index)
