# SPDX-License-Identifier: MIT
"""Which authority is responsible: the home decides (section 24), or the sender names it and gives the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.cli.conformance.case import Case, bad, good
from notify_gateway.cli.conformance.changes import Change, Drop, Put
from notify_gateway.cli.examples.children import Sender
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.model import ReceiverReason
from notify_gateway.fhir import names

GROUP: Final = "routing"
NO_RECEIVER: Final = Drop("header.destination[0].receiver")
NO_POSTCODE: Final = Drop("patient.address[0].postalCode")
_UNKNOWN = "ZZ99 9ZZ"
_REGIMES = (
    ("Wales", "CF10 3ND", Code.LIVES_IN_WALES, "Additional Learning Needs and Education Tribunal (Wales) Act 2018"),
    ("Scotland", "EH99 1SP", Code.LIVES_IN_SCOTLAND, "the Act extends to England and Wales"),
    ("Northern Ireland", "BT1 5GS", Code.LIVES_IN_NORTHERN_IRELAND, "the Act extends to England and Wales"),
)


def cases(sender: Sender, elsewhere: str, unserved: str) -> Iterator[Case]:
    """Give them; ``elsewhere`` and ``unserved`` are authorities that do not answer for the sender's home, the latter not on the service."""
    home = sender.home.postcode
    yield good(GROUP, "by the postcode alone", "section 24; L8", NO_RECEIVER)
    yield good(GROUP, "a postcode in small letters without space", "L8", _postcode(home.replace(" ", "").lower()), NO_RECEIVER)
    for reason in ReceiverReason:
        yield good(GROUP, f"no postcode, named because of {reason.value}", "L8: the sender names it", NO_POSTCODE, _because(reason))
    yield good(GROUP, "an unknown postcode, named with a reason", "L8", _postcode(_UNKNOWN), _because(ReceiverReason.NEW_POSTCODE))
    yield good(GROUP, "a home in Wales, and another in England", "L9: two homes", _postcode("CF10 3ND"), _because(ReceiverReason.TWO_HOMES))
    for country, postcode, code, act in _REGIMES:
        yield bad(GROUP, f"a home in {country}", f"{act}; L9", code, _postcode(postcode))
        yield bad(GROUP, f"a home in {country}, no authority named", f"{act}; L9", code, _postcode(postcode), NO_RECEIVER)
    yield bad(GROUP, "neither postcode nor authority", "L8", Code.POSTCODE_MISSING, NO_POSTCODE, NO_RECEIVER)
    yield bad(GROUP, "no postcode and no reason", "L8", Code.REASON_REQUIRED, NO_POSTCODE)
    yield bad(GROUP, "an unknown postcode and no reason", "L8", Code.REASON_REQUIRED, _postcode(_UNKNOWN))
    yield bad(GROUP, "an unknown postcode and no authority", "L8", Code.POSTCODE_NOT_ENGLISH_AUTHORITY, _postcode(_UNKNOWN), NO_RECEIVER)
    yield bad(GROUP, "another authority than the home's", "section 24", Code.RECEIVER_DISAGREES, _receiver(elsewhere))
    yield bad(GROUP, "an authority that does not exist", "section 24", Code.RECEIVER_UNKNOWN, _receiver("E06999999"))
    yield bad(GROUP, "a Welsh authority", "section 24", Code.RECEIVER_UNKNOWN, _receiver("W06000015"), _because(ReceiverReason.MOVED))
    yield bad(
        GROUP,
        "an authority that is not on the service",
        "nothing is kept for it",
        Code.AUTHORITY_NOT_SERVED,
        _receiver(unserved),
        _because(ReceiverReason.BOUNDARY),
    )


def _postcode(postcode: str) -> Change:
    return Put("patient.address[0].postalCode", postcode)


def _receiver(gss: str) -> Change:
    return Put("receiver.identifier[0].value", gss)


def _because(reason: ReceiverReason) -> Change:
    return Put("header.extension", [{"url": names.RECEIVER_REASON, "valueCode": reason.value}])
