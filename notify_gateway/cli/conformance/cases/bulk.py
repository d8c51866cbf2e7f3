# SPDX-License-Identifier: MIT
"""A back-book: many messages in one call, each judged as if it had come alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.cli.conformance.case import Bulk, Case, Get, Message, Post, Receipt, Who
from notify_gateway.cli.conformance.changes import Put, Without
from notify_gateway.domain.catalogue import Code

GROUP: Final = "bulk"
_GOOD: Final = Post(202)
_AGAIN: Final = Post(409, Code.DUPLICATE, message=Message.SAME)
_UNLAWFUL: Final = Post(422, Code.PARENT_NOT_INFORMED, (Without("informed"),))
_ANOTHERS: Final = Post(403, Code.SENDER_MISMATCH, (Put("sender.identifier[0].value", "ZZ999"),))
_HALF: Final = Post(400, Code.NOT_JSON, spoil=lambda body: body[: len(body) // 2])
_CALLS: Final = (
    ("no X-Request-ID", {"X-Request-ID": None}, Code.REQUEST_ID_MISSING, 400),
    ("one message as FHIR JSON", {"Content-Type": "application/fhir+json"}, Code.CONTENT_TYPE, 415),
    ("lines that are compressed", {"Content-Encoding": "gzip"}, Code.CONTENT_ENCODING, 415),
    ("an answer wanted as XML", {"Accept": "application/fhir+xml"}, Code.NOT_ACCEPTABLE, 406),
)


def cases() -> Iterator[Case]:
    """Give them."""
    yield Case(GROUP, "no line spoils another", "each as by $process-message", (Bulk((_GOOD, _UNLAWFUL, _HALF, _ANOTHERS, _GOOD)),))
    yield Case(GROUP, "a line twice", "409 duplicate is a success", (Bulk((_GOOD, _AGAIN)),))
    yield Case(GROUP, "the call again", "after an interruption nothing is sent twice", (Bulk((_GOOD,)), Bulk((_AGAIN,))))
    yield Case(
        GROUP, "a withdrawal below its notification", "in the order of the lines", (Bulk((_GOOD, Post(202, message=Message.DELETE))),)
    )
    blanks = (b"", _GOOD, b"  ", b"\r", Post(202, spoil=lambda body: body + b"\r"), b"")
    yield Case(GROUP, "blank lines, and line ends of two characters", "ndjson-spec: they may be passed over", (Bulk(blanks),))
    yield Case(GROUP, "no line at all", "a summary of nothing", (Bulk(()),))
    yield Case(GROUP, "the other media type", "ndjson-spec", (Bulk((_GOOD,), headers={"Content-Type": "application/x-ndjson"}),))
    yield Case(
        GROUP, "the Task and the proof of a line", "promised as by $process-message", (Bulk((_GOOD,)), Get("{task}", 200), Receipt())
    )
    for title, headers, code, status in _CALLS:
        yield Case(GROUP, title, "the call is refused before its lines", (Bulk((_GOOD,), status, code, headers),))
    yield Case(GROUP, "lines without a token", "RFC 6750", (Bulk((_GOOD,), 401, Code.TOKEN_MISSING, who=Who.NOBODY),))
