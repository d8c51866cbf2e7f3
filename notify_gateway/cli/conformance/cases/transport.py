# SPDX-License-Identifier: MIT
"""What is judged before the message: headers, media types, credentials, size, and whether it is JSON at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.cli.conformance.case import Case, Post, Who, bad
from notify_gateway.cli.conformance.changes import Put, Spoil, replacing
from notify_gateway.domain.catalogue import Code

TRANSPORT: Final = "transport"
ACCESS: Final = "access"
JSON: Final = "json"

_HEADERS: Final = (
    ("no X-Request-ID", {"X-Request-ID": None}, Code.REQUEST_ID_MISSING, 400),
    ("an X-Request-ID that is no UUID", {"X-Request-ID": "42"}, Code.REQUEST_ID_INVALID, 400),
    ("no X-Correlation-ID", {"X-Correlation-ID": None}, Code.CORRELATION_ID_MISSING, 400),
    ("an X-Correlation-ID that is no UUID", {"X-Correlation-ID": "x"}, Code.CORRELATION_ID_INVALID, 400),
    ("no Content-Type", {"Content-Type": None}, Code.CONTENT_TYPE, 415),
    ("plain JSON", {"Content-Type": "application/json"}, Code.CONTENT_TYPE, 415),
    ("FHIR as XML", {"Content-Type": "application/fhir+xml"}, Code.CONTENT_TYPE, 415),
    ("FHIR JSON in another character set", {"Content-Type": "application/fhir+json; charset=latin-1"}, Code.CONTENT_TYPE, 415),
    ("an answer wanted as XML", {"Accept": "application/fhir+xml"}, Code.NOT_ACCEPTABLE, 406),
    ("a compressed body", {"Content-Encoding": "gzip"}, Code.CONTENT_ENCODING, 415),
)
_BODIES: Final[tuple[tuple[str, Code, Spoil], ...]] = (
    ("an empty body", Code.BODY_EMPTY, lambda _: b""),
    ("XML", Code.NOT_JSON, lambda _: b"<Bundle/>"),
    ("half a message", Code.NOT_JSON, lambda body: body[: len(body) // 2]),
    ("something behind the message", Code.NOT_JSON, lambda body: body + b"{}"),
    ("a byte order mark", Code.NOT_UTF8, lambda body: b"\xef\xbb\xbf" + body),
    ("UTF-16", Code.NOT_UTF8, lambda body: body.decode().encode("utf-16")),
    ("a list", Code.NOT_A_BUNDLE, lambda _: b"[]"),
    ("null", Code.NOT_A_BUNDLE, lambda _: b"null"),
    ("a Patient alone", Code.NOT_A_BUNDLE, lambda _: b'{"resourceType":"Patient"}'),
    ("brackets ten thousand deep", Code.TOO_DEEP, lambda _: b"[" * 10_000),
    ("more than 256 KB without attachments", Code.MESSAGE_TOO_LARGE, lambda body: body + b" " * 300_000),
    ("a key twice", Code.DUPLICATE_KEY, replacing('"type":"message"', '"type":"message","type":"message"')),
    ("NaN", Code.NUMBER_NOT_ALLOWED, replacing('"preferred":true', '"preferred":NaN')),
    ("a number beyond all bounds", Code.NUMBER_NOT_ALLOWED, replacing('"preferred":true', '"preferred":1e999')),
    ("half a surrogate", Code.CHARACTER_NOT_ALLOWED, replacing('"mother"', '"\\ud800"')),
)


def cases() -> Iterator[Case]:
    """Give them."""
    for title, headers, code, status in _HEADERS:
        yield Case(TRANSPORT, title, "BaRS headers; RFC 9110", (Post(status, code, headers=headers),))
    for title, code, spoil in _BODIES:
        yield bad(JSON, title, "RFC 8259, and what one reader takes so and another so", code, spoil=spoil)
    yield bad(JSON, "NUL in a name", "no control characters", Code.CHARACTER_NOT_ALLOWED, Put("patient.name[0].family", "A\x00B"))
    yield bad(JSON, "an empty string", "FHIR R4 2.6.2", Code.EMPTY_VALUE, Put("patient.name[0].family", ""))
    yield bad(JSON, "an empty object", "FHIR R4 2.6.2", Code.EMPTY_VALUE, Put("informed.subject", {}))
    yield bad(JSON, "an empty list", "FHIR R4 2.6.2", Code.EMPTY_VALUE, Put("patient.name", []))
    yield bad(JSON, "null for a value", "FHIR R4 2.6.2", Code.EMPTY_VALUE, Put("patient.birthDate", None))
    yield Case(ACCESS, "no token", "RFC 6750", (Post(401, Code.TOKEN_MISSING, who=Who.NOBODY),))
    yield Case(ACCESS, "a token that nobody issued", "RFC 6750", (Post(401, Code.TOKEN_UNKNOWN, who=Who.STRANGER),))
    basic = {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}
    yield Case(ACCESS, "a password instead of a token", "RFC 6750", (Post(401, Code.TOKEN_MISSING, headers=basic),))
    changes = (Put("sender.identifier[0].value", "ZZ999"),)
    yield Case(ACCESS, "in the name of another organisation", "the token says who sends", (Post(403, Code.SENDER_MISMATCH, changes),))
