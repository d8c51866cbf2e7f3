# SPDX-License-Identifier: MIT
"""Trying a message without sending it: the judgement is that of the front door, every fault is told, and nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.cli.conformance.case import Case, Message, Post, Try
from notify_gateway.cli.conformance.changes import Change, Day, Drop, Put, Without
from notify_gateway.domain.catalogue import Code

GROUP: Final = "dry run"
_FAULTS: Final[tuple[tuple[str, Code, tuple[Change, ...]], ...]] = (
    ("FHIR that is not", Code.VALUE_FORMAT, (Put("patient.birthDate", "2022-02-30"),)),
    ("a message that leaves something open", Code.BUSINESS_IDENTIFIER, (Drop("focus.identifier"),)),
    ("a parent who was not informed", Code.PARENT_NOT_INFORMED, (Without("informed"),)),
    ("a home in Wales", Code.LIVES_IN_WALES, (Put("patient.address[0].postalCode", "CF10 3ND"),)),
    ("the last of several faults", Code.DISCUSSION_NOT_OFFERED, (Put("opinion.recordedDate", Day(30)), Without("offered"))),
)


def cases() -> Iterator[Case]:
    """Give them."""
    yield Case(GROUP, "a good message", "FHIR R4 $validate", (Try(),))
    yield Case(GROUP, "tried, then sent: nothing was kept", "FHIR R4 $validate", (Try(), Post(202, message=Message.SAME)))
    for title, code, changes in _FAULTS:
        yield Case(GROUP, title, "FHIR R4 $validate", (Try(code, changes),))
