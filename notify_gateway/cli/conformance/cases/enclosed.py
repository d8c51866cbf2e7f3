# SPDX-License-Identifier: MIT
"""What goes with a notification: attachments, ASQ-3 scores, and the request that a service become involved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.cli.conformance.case import Case, bad, good
from notify_gateway.cli.conformance.changes import Change, Drop, Put, Without
from notify_gateway.cli.examples.draft import Draft
from notify_gateway.cli.examples.enclosing import asking_for, with_report, with_score
from notify_gateway.domain.catalogue import Code

ATTACHMENT: Final = "attachment"
SCORE: Final = "score"
PART_2: Final = "part 2"
_FILE = "report.content[0].attachment"
_JPEG, _PNG = b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"


def cases() -> Iterator[Case]:
    """Give them."""
    yield from _attachments()
    yield from _scores()
    yield from _requests()


def _attachments() -> Iterator[Case]:
    yield good(ATTACHMENT, "a JPEG picture", "type allow-list", _attached(_JPEG, "image/jpeg"))
    yield good(ATTACHMENT, "a PNG picture", "type allow-list", _attached(_PNG, "image/png"))
    yield good(ATTACHMENT, "a report of 300 KB", "attachments do not count to the 256 KB", _attached(b"%PDF-" + b"0" * 300_000))
    faults: tuple[tuple[str, Code, Change], ...] = (
        ("a word processor's document", Code.ATTACHMENT_TYPE, Put(f"{_FILE}.contentType", "application/msword")),
        ("a program that is called a PDF", Code.ATTACHMENT_TYPE_DIFFERS, Put(f"{_FILE}.data", "TVqQAAMAAAAEAAAA")),
        ("an address instead of a file", Code.ATTACHMENT_NOT_INSIDE, Put(f"{_FILE}.url", "https://example.org/report.pdf")),
        ("another size than is said", Code.ATTACHMENT_SIZE, Put(f"{_FILE}.size", 1)),
        ("another hash than is said", Code.ATTACHMENT_HASH, Put(f"{_FILE}.hash", "qUiQTy8PR5uPgZdpSzAYSw0u0cM=")),
        ("one that is superseded", Code.ATTACHMENT_STATUS, Put("report.status", "superseded")),
    )
    for title, code, change in faults:
        yield bad(ATTACHMENT, title, "type allow-list, FHIR R4 Attachment", code, _attached(), change)


def _scores() -> Iterator[Case]:
    yield good(SCORE, "an adjusted score", "ASQ-3: a question was left out", lambda draft: with_score(draft, "fine-motor", 37.5))
    faults: tuple[tuple[str, Code, Change], ...] = (
        ("more points than there are", Code.ASQ_SCORE, Put("score_communication.valueQuantity", {"value": 61})),
        ("a questionnaire that does not exist", Code.ASQ_MONTH, Put("score_communication.extension[0].valuePositiveInt", 25)),
        ("a domain that does not exist", Code.ASQ_DOMAIN, Put("score_communication.code.coding[0].code", "talking")),
    )
    for title, code, change in faults:
        yield bad(SCORE, title, "ASQ-3", code, lambda draft: with_score(draft, "communication", 20), change)


def _requests() -> Iterator[Case]:
    source = "the request needs an agreement; the notification needs none"
    yield good(PART_2, "with the parent's agreement", source, _asking)
    yield bad(PART_2, "without agreement", source, Code.INVOLVEMENT_NOT_AGREED, _asking, Without("consent"))
    yield bad(PART_2, "the parent denies", source, Code.INVOLVEMENT_NOT_AGREED, _asking, Put("consent.provision.type", "deny"))
    yield bad(PART_2, "an agreement to something else", source, Code.INVOLVEMENT_BOUNDS, _asking, Drop("consent.provision.data"))
    yield bad(
        PART_2, "an agreement without request", source, Code.CONSENT_ALONE, _asking, Drop("consent.provision.data"), Without("request")
    )


def _attached(content: bytes | None = None, media_type: str = "application/pdf") -> Change:
    def attach(draft: Draft) -> Draft:
        return with_report(draft, "Report") if content is None else with_report(draft, "Report", content, media_type)

    return attach


def _asking(draft: Draft) -> Draft:
    return asking_for(draft, "Portage")
