# SPDX-License-Identifier: MIT
"""What must be accepted: the worked examples as stories, and every convention in which real senders differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.cli.conformance.case import Case, Message, Post, good
from notify_gateway.cli.conformance.changes import Day, Drop, Instant, Put
from notify_gateway.cli.examples.children import CHILDREN, Sender
from notify_gateway.cli.examples.draft import Draft
from notify_gateway.fhir import names

GROUP: Final = "accepted"
_STATUS = "patient.identifier[0].extension[0].valueCodeableConcept.coding[0]"
_FOREIGN = {"url": "https://example.org/StructureDefinition/something", "valueString": "of another system"}
_UK = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"
_SPELLINGS = (("England's code", f"{_UK}England", "01"), ("the retired code", _UK, "number-present-and-verified"), ("01", _UK, "01"))
_OPINIONS = {
    "has a special educational need": ("confirmed", ["special-educational-need"]),
    "probably has a disability": ("provisional", ["disability"]),
    "has both": ("confirmed", ["special-educational-need", "disability"]),
}


def stories(sender: Sender) -> Iterator[Case]:
    """Give each worked child as a case: its messages in their order, each with the answer that the README of the examples tells."""
    for child in CHILDREN:
        steps = (Post(each.status, each.code, draft=each.draft) for each in child.examples(sender))
        yield Case("example", child.story, "the worked examples", tuple(steps))


def _categories(kinds: list[str]) -> list[dict[str, object]]:
    return [{"coding": [{"system": names.OPINION_CATEGORY, "code": kind}]} for kind in kinds]


def cases() -> Iterator[Case]:
    """Give the good messages that differ from the base message in one thing."""
    yield good(GROUP, "the base message", "message definition")
    for spelling, system, code in _SPELLINGS:
        coding = {"system": system, "code": code}
        yield good(GROUP, f"verification status by {spelling}", "UK Core, three spellings in use", Put(_STATUS, coding))
    for number, system in enumerate(sorted(names.ODS_SYSTEMS), 1):
        yield good(
            GROUP,
            f"ODS code by spelling {number} of three",
            "UK Core, BaRS, three systems in use",
            Put("sender.identifier[0].system", system),
        )
    for title, (certainty, kinds) in _OPINIONS.items():
        changes = Put("opinion.verificationStatus.coding[0].code", certainty), Put("opinion.category", _categories(kinds))
        yield good(GROUP, f"the child {title}", "section 23(1); L4", *changes)
    yield good(
        GROUP,
        "the opinion dated by its extension",
        "FHIR R4 condition-assertedDate",
        Drop("opinion.recordedDate"),
        Put("opinion.extension", lambda draft: [{"url": names.ASSERTED_DATE, "valueDateTime": Day(-5)(draft)}]),
    )
    yield good(GROUP, "an extension that is unknown here", "FHIR R4: may be ignored", Put("patient.extension[1]", _FOREIGN))
    yield good(GROUP, "seven digits of a second", "BaRS", Put("bundle.timestamp", lambda draft: f"{draft.sent_on}T10:15:00.1234567+00:00"))
    yield good(GROUP, "a given name with accents", "UTF-8", Put("patient.name[0].given", ["Zoë", "Siân"]))
    yield good(GROUP, "all on one day", "section 23(2) and (3): equal days are in order", *_on(Day(0)))
    yield good(GROUP, "informed on the day of the opinion", "L5", Put("informed.sent", Day(-5)), Put("offered.sent", Day(-5)))
    yield good(GROUP, "no view of the parent is recorded", "section 23 asks for none", *(Put(f"views.{each}", v) for each, v in _NO_VIEW))
    yield good(GROUP, "a parent not reached for a view", "section 23 has no veto", Put("views.topic", _view("not-reached")))
    yield good(GROUP, "no voluntary organisation likely", "section 23(4); L7", *_NONE_LIKELY)
    yield good(GROUP, "known to the sender alone for long", "section 23 sets no time", Put("opinion.recordedDate", Day(-90)))
    yield Case(
        GROUP,
        "the same child twice",
        "L10: each body has its own duty; never dropped",
        (Post(202), Post(202, message=Message.SAME_CHILD)),
    )
    yield Case(
        GROUP,
        "content type with its character set",
        "RFC 9110",
        (Post(202, headers={"Content-Type": 'Application/FHIR+JSON; charset="UTF-8"'}),),
    )
    yield good(GROUP, "sent at some other hour in another zone", "FHIR R4 dateTime", Put("focus.sent", _elsewhere))


_NO_VIEW = (("category", [{"text": "other"}]), ("payload", [{"contentString": "Came to the clinic."}]))
_NONE_LIKELY = (
    Put("views.category[0].coding[0].code", "voluntary-organisation-advised"),
    Put("views.status", "not-done"),
    Put("views.sent", Instant(-3)),
)


def _on(day: Day) -> tuple[Put, ...]:
    return Put("opinion.recordedDate", day), Put("informed.sent", day), Put("offered.sent", day)


def _view(code: str) -> dict[str, object]:
    return {"coding": [{"system": names.PARENTAL_VIEW, "code": code}]}


def _elsewhere(draft: Draft) -> str:
    return f"{draft.sent_on}T09:15:00+05:30"
