# SPDX-License-Identifier: MIT
"""Messages whose notification is good, and of which something that goes with it is not: an attachment, part 2, an observation."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from notify_gateway.domain.catalogue import Code
from tests.fhir.spoiling import FOCUS, INFORMED, PATIENT, SECRET, Build, Case, another, at, built, drop, put
from tests.support.messages import BASE, JPEG, PDF, PNG, Message, a_message

FIRST, SECOND = "entry[12].resource", "entry[13].resource"
FILE = f"{FIRST}.content[0].attachment"
MIB = 1024 * 1024
SNOMED = "http://snomed.info/sct"

Make = Callable[[Message], Message]


def _attached(name: str, code: Code, path: str, value: Any, *, where: str | None = None) -> Case:
    """A message with a good attachment of which ``path`` was set to ``value``."""
    return Case(name, built(lambda m: m.attached().having(put(path, value))), code, at(where or path))


def _file(name: str, code: Code, where: str, content: bytes = PDF, content_type: str = "application/pdf", **attachment: Any) -> Case:
    return Case(name, built(lambda m: m.attached(content, content_type, **attachment)), code, at(f"{FILE}.{where}"))


def _text(old: bytes, new: bytes) -> Build:
    """A large attachment, of which one piece of text was replaced on the wire."""

    def make() -> bytes:
        body = a_message().attached(PDF + b"ABC" * 2_000).bytes()
        assert old in body
        return body.replace(old, new, 1)

    return make


ATTACHED = [
    _file("an attachment of plain text", Code.ATTACHMENT_TYPE, "contentType", b"hello", "text/plain"),
    _file("an attachment in HTML", Code.ATTACHMENT_TYPE, "contentType", b"<script>", "text/html"),
    _file("an attachment in SVG", Code.ATTACHMENT_TYPE, "contentType", b"<svg/>", "image/svg+xml"),
    _file("an attachment in RTF", Code.ATTACHMENT_TYPE, "contentType", b"{\\rtf1}", "application/rtf"),
    _file("an attachment in TIFF", Code.ATTACHMENT_TYPE, "contentType", b"II*\x00", "image/tiff"),
    _file("a ZIP archive", Code.ATTACHMENT_TYPE, "contentType", b"PK\x03\x04", "application/zip"),
    _file(
        "a word processor's document",
        Code.ATTACHMENT_TYPE,
        "contentType",
        b"PK\x03\x04",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    _file("an attachment of no type", Code.ATTACHMENT_TYPE, "contentType", PDF, contentType=None),
    _file("an attachment of a type in words", Code.ATTACHMENT_TYPE, "contentType", PDF, SECRET),
    _file("a type with a parameter", Code.ATTACHMENT_TYPE, "contentType", PDF, "application/pdf; name=x"),
    _file("an archive called PDF", Code.ATTACHMENT_TYPE_DIFFERS, "contentType", b"PK\x03\x04" + b"0" * 2_000),
    _file("a program called PNG", Code.ATTACHMENT_TYPE_DIFFERS, "contentType", b"MZ" + b"\x00" * 2_000, "image/png"),
    _file("a PNG called JPEG", Code.ATTACHMENT_TYPE_DIFFERS, "contentType", PNG, "image/jpeg"),
    _file("a JPEG called PNG", Code.ATTACHMENT_TYPE_DIFFERS, "contentType", JPEG, "image/png"),
    _file("a PDF after something else", Code.ATTACHMENT_TYPE_DIFFERS, "contentType", b"<html>" + PDF),
    _file("an attachment by its address", Code.ATTACHMENT_NOT_INSIDE, "data", PDF, data=None, url="https://rxx.nhs.uk/letter.pdf"),
    _file("an attachment with an address besides", Code.ATTACHMENT_NOT_INSIDE, "url", PDF, url="https://rxx.nhs.uk/letter.pdf"),
    _file("an attachment without data", Code.ATTACHMENT_NOT_INSIDE, "data", PDF, data=None),
    _file("an empty attachment", Code.EMPTY_VALUE, "data", PDF, data=""),
    _file("an attachment of blanks", Code.EMPTY_VALUE, "data", PDF, data=" " * 10),
    _file("a large attachment of blanks", Code.ATTACHMENT_TYPE_DIFFERS, "contentType", PDF, data=" " * 2_000),
    _file("a short text for base64", Code.VALUE_FORMAT, "data", PDF, data=f"{SECRET}!"),
    _file("a long text for base64", Code.ATTACHMENT_DATA, "data", PDF, data=f"{SECRET}! " * 200),
    _file("base64 in the alphabet for addresses", Code.ATTACHMENT_DATA, "data", PDF, data="JVBERi0xLjc-_-_-" * 200),
    _file("base64 that breaks off", Code.ATTACHMENT_DATA, "data", PDF, data=b64encode(PDF * 500).decode()[:-1]),
    _file("base64 with more after its end", Code.ATTACHMENT_DATA, "data", PDF, data=b64encode(PDF * 500 + b"1").decode() + "QUJD"),
    _file("a list for base64", Code.JSON_TYPE, "data", PDF, data=["JVBERi0="]),
    _file("an object for base64", Code.JSON_TYPE, "data", PDF, data={"data": "QUJD" * 500}),
    _file("a number for base64", Code.JSON_TYPE, "data", PDF, data=7),
    _file("an attachment of another size", Code.ATTACHMENT_SIZE, "size", PDF, size=len(PDF) - 1),
    _file("a size in base64", Code.ATTACHMENT_SIZE, "size", PDF * 200, size=len(b64encode(PDF * 200))),
    _file("a size below nothing", Code.VALUE_FORMAT, "size", PDF, size=-1),
    _file("an attachment of another hash", Code.ATTACHMENT_HASH, "hash", PDF, hash="qUiQTy8PR5uPgZdpSzAYSw0u0cM="),
    _file("a hash in hexadecimal", Code.ATTACHMENT_HASH, "hash", PDF, hash="5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"),
    _file("a hash by SHA-256", Code.ATTACHMENT_HASH, "hash", PDF, hash="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    _file("an attachment over three megabytes", Code.ATTACHMENT_TOO_LARGE, "data", PDF + b"0" * 3 * MIB),
    _attached("a superseded document", Code.ATTACHMENT_STATUS, f"{FIRST}.status", "superseded"),
    _attached("a document entered in error", Code.ATTACHMENT_STATUS, f"{FIRST}.status", "entered-in-error"),
    _attached("a document of unknown status", Code.CODE_NOT_IN_BINDING, f"{FIRST}.status", "final"),
    Case("a document about nobody", built(lambda m: m.attached().having(drop(f"{FIRST}.subject"))), Code.SUBJECT, at(f"{FIRST}.subject")),
    _attached("a document about another", Code.SUBJECT, f"{FIRST}.subject", {"display": SECRET}),
    _attached("a document without content", Code.EMPTY_VALUE, f"{FIRST}.content", []),
    _attached(
        "a content without attachment", Code.ELEMENT_MISSING, f"{FIRST}.content[0]", {"id": "a"}, where=f"{FIRST}.content[0].attachment"
    ),
    _attached("an attachment in a list", Code.JSON_TYPE, FILE, [{"contentType": "application/pdf"}]),
    _attached("an unknown element of an attachment", Code.ELEMENT_UNKNOWN, f"{FILE}.{SECRET}", "x", where=FILE),
    Case(
        "eleven attachments",
        built(lambda m: [m.attached() for _ in range(11)][-1]),
        Code.ATTACHMENTS_TOO_MANY,
        "Bundle.entry.resource.ofType(DocumentReference)",
    ),
    Case(
        "a file in an act towards the parent",
        built(
            lambda m: m.having(put(f"{INFORMED}.payload", [{"contentAttachment": {"contentType": "application/pdf", "data": "JVBERi0="}}]))
        ),
        Code.ATTACHMENT_ELSEWHERE,
        at(f"{INFORMED}.payload[0].content"),
    ),
    Case(
        "a large file for a picture of the child",
        built(lambda m: m.having(put(f"{PATIENT}.photo", [{"contentType": "image/png", "data": "QUJD" * 100_000}]))),
        Code.MESSAGE_TOO_LARGE,
        None,
    ),
    Case("data twice", _text(b'"size":', b'"data":"JVBERi0=","size":'), Code.DUPLICATE_KEY, at(FILE)),
    Case("a line break within data", _text(b"QUJD", b"QUJD\n"), Code.ATTACHMENT_DATA, at(f"{FILE}.data")),
    Case("an unknown escape within data", _text(b"QUJD", b"\\qUJD"), Code.ATTACHMENT_DATA, at(f"{FILE}.data")),
    Case("bytes that are no text within data", _text(b"QUJD", b"\xff\xfe\xfd\xfc"), Code.ATTACHMENT_DATA, at(f"{FILE}.data")),
    Case("a quotation mark within data", _text(b"QUJD", b'\\"UJD'), Code.VALUE_FORMAT, at(f"{FILE}.data")),
]


def _part_two(name: str, code: Code, path: str, value: Any, *, where: str | None = None) -> Case:
    """A message with a good part 2 of which ``path`` was set to ``value``."""
    return Case(name, built(lambda m: m.involving().having(put(path, value))), code, at(where or path))


def _part_two_without(name: str, code: Code, path: str) -> Case:
    return Case(name, built(lambda m: m.involving().having(drop(path))), code, at(path))


def _to(index: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda document: {"reference": document["entry"][index]["fullUrl"]}


def _agreed_to(*indexes: int) -> Make:
    """Let the agreement be about these entries."""

    def change(document: dict[str, Any]) -> None:
        document["entry"][13]["resource"]["provision"]["data"] = [{"meaning": "instance", "reference": _to(i)(document)} for i in indexes]

    return lambda m: m.involving().having(change)


def _given_by(index: int) -> Make:
    def change(document: dict[str, Any]) -> None:
        document["entry"][13]["resource"]["performer"] = [_to(index)(document)]

    return lambda m: m.involving().having(change)


NOT_AGREED, BOUNDS, REQUEST = Code.INVOLVEMENT_NOT_AGREED, Code.INVOLVEMENT_BOUNDS, Code.INVOLVEMENT_REQUEST

INVOLVED = [
    Case("a request for a service without agreement", built(lambda m: m.involving().having(drop("entry[13]"))), NOT_AGREED, at(FIRST)),
    Case(
        "an agreement to nothing",
        built(lambda m: m.involving().having(drop(f"{SECOND}.provision.data")).having(drop("entry[12]"))),
        Code.CONSENT_ALONE,
        at(FIRST),
    ),
    Case("a request twice", built(lambda m: m.involving().having(another(12))), Code.TOO_MANY, "Bundle.entry[14].resource"),
    Case("an agreement twice", built(lambda m: m.involving().having(another(13))), Code.TOO_MANY, "Bundle.entry[14].resource"),
    *(
        _part_two(f"an agreement that is {status}", NOT_AGREED, f"{SECOND}.status", status)
        for status in ("inactive", "rejected", "proposed")
    ),
    _part_two("an agreement that denies", NOT_AGREED, f"{SECOND}.provision.type", "deny"),
    _part_two_without("an agreement that permits nothing", NOT_AGREED, f"{SECOND}.provision.type"),
    _part_two_without("an agreement without day", NOT_AGREED, f"{SECOND}.dateTime"),
    _part_two("an agreement of some month", NOT_AGREED, f"{SECOND}.dateTime", "2026-01"),
    _part_two("an agreement after the notification", NOT_AGREED, f"{SECOND}.dateTime", "2026-01-15"),
    _part_two_without("an agreement of nobody", NOT_AGREED, f"{SECOND}.performer"),
    Case("an agreement of the clinician", built(_given_by(6)), NOT_AGREED, at(f"{SECOND}.performer")),
    Case("an agreement of the child", built(_given_by(2)), NOT_AGREED, at(f"{SECOND}.performer")),
    _part_two("an agreement that is over", NOT_AGREED, f"{SECOND}.provision.period", {"end": "2026-01-13"}),
    _part_two("an agreement yet to begin", NOT_AGREED, f"{SECOND}.provision.period", {"start": "2026-02-01"}),
    _part_two("an agreement to some end", NOT_AGREED, f"{SECOND}.provision.period", {"end": "2027"}),
    _part_two_without("an agreement about no request", BOUNDS, f"{SECOND}.provision.data"),
    Case("an agreement to the notification", built(_agreed_to(1)), BOUNDS, at(f"{SECOND}.provision.data")),
    Case("an agreement to the request and the notification", built(_agreed_to(12, 1)), BOUNDS, at(f"{SECOND}.provision.data")),
    Case("an agreement to the opinion", built(_agreed_to(8)), BOUNDS, at(f"{SECOND}.provision.data")),
    _part_two(
        "an agreement with exceptions", BOUNDS, f"{SECOND}.provision.provision", [{"type": "deny"}], where=f"{SECOND}.provision.provision"
    ),
    _part_two("an agreement to the use of data", BOUNDS, f"{SECOND}.scope.coding[0].code", "patient-privacy", where=f"{SECOND}.scope"),
    _part_two("an agreement of no scope that is known", BOUNDS, f"{SECOND}.scope", {"text": SECRET}),
    _part_two_without("an agreement without rule", Code.ELEMENT_MISSING, f"{SECOND}.policyRule"),
    _part_two_without("an agreement without scope", Code.ELEMENT_MISSING, f"{SECOND}.scope"),
    _part_two_without("an agreement for nobody", Code.SUBJECT, f"{SECOND}.patient"),
    _part_two(
        "an agreement on paper",
        Code.ATTACHMENT_ELSEWHERE,
        f"{SECOND}.sourceAttachment",
        {"contentType": "application/pdf", "data": "JVBERi0="},
        where=f"{SECOND}.source",
    ),
    *(_part_two(f"a request that is {status}", REQUEST, f"{FIRST}.status", status) for status in ("draft", "revoked", "completed")),
    _part_two("an order that was filled", REQUEST, f"{FIRST}.intent", "filler-order"),
    _part_two("a request not to do it", REQUEST, f"{FIRST}.doNotPerform", True),
    _part_two_without("a request for no service", REQUEST, f"{FIRST}.code"),
    _part_two("a request about another child", Code.SUBJECT, f"{FIRST}.subject", {"display": SECRET}),
    _part_two("a request of unknown intent", Code.CODE_NOT_IN_BINDING, f"{FIRST}.intent", "wish"),
    Case(
        "an agreement instead of telling the parent",
        built(lambda m: m.involving().without("parent-informed")),
        Code.PARENT_NOT_INFORMED,
        at(FOCUS),
    ),
]


def _scored(name: str, code: Code, path: str, value: Any, *, where: str | None = None) -> Case:
    return Case(
        name, built(lambda m: m.scored("communication", 40).having(put(f"{FIRST}.{path}", value))), code, at(f"{FIRST}.{where or path}")
    )


def _with_concept(concept: str, **score: Any) -> Make:
    return lambda m: m.observed({"coding": [{"system": SNOMED, "code": concept}]}, **score)


OBSERVED = [
    *(_scored(f"a score of {score}", Code.ASQ_SCORE, "valueQuantity.value", score, where="value") for score in (-1, 60.5, 61, 300, 1e22)),
    _scored("a score above something", Code.ASQ_SCORE, "valueQuantity.comparator", ">", where="value"),
    _scored("a score in words", Code.JSON_TYPE, "valueQuantity.value", "40"),
    Case(
        "a score that is none",
        built(lambda m: m.scored("communication", 40).having(drop(f"{FIRST}.valueQuantity"))),
        Code.ASQ_SCORE,
        at(f"{FIRST}.value"),
    ),
    _scored("a domain that is none", Code.ASQ_DOMAIN, "code.coding[0].code", SECRET, where="code"),
    _scored("a domain of the other questionnaire", Code.ASQ_DOMAIN, "code.coding[0].code", "social-emotional", where="code"),
    _scored(
        "two domains in one score",
        Code.ASQ_DOMAIN,
        "code.coding[1]",
        {"system": f"{BASE}/CodeSystem/asq-3-domain", "code": "gross-motor"},
        where="code",
    ),
    _scored(
        "a domain that its SNOMED concept is not",
        Code.ASQ_DOMAIN,
        "code.coding[1]",
        {"system": SNOMED, "code": "953621000000109"},
        where="code",
    ),
    _scored("a questionnaire for no month", Code.ASQ_MONTH, "extension[0].valuePositiveInt", 25, where="extension"),
    _scored("a questionnaire for a school child", Code.ASQ_MONTH, "extension[0].valuePositiveInt", 72, where="extension"),
    Case(
        "a score without questionnaire",
        built(lambda m: m.scored("communication", 40).having(drop(f"{FIRST}.extension"))),
        Code.ASQ_MONTH,
        at(f"{FIRST}.extension"),
    ),
    Case("a scale of the second edition", built(_with_concept("443222000", valueInteger=40)), Code.ASQ_SECOND_EDITION, at(f"{FIRST}.code")),
    Case("a SNOMED score beyond the scale", built(_with_concept("953621000000109", valueInteger=61)), Code.ASQ_SCORE, at(f"{FIRST}.value")),
    _scored("a score of another child", Code.SUBJECT, "subject", {"display": SECRET}),
    _scored("a score of the carer", Code.SUBJECT, "subject", {"identifier": {"value": SECRET}}),
    _scored("a score of unknown status", Code.CODE_NOT_IN_BINDING, "status", "done"),
]
