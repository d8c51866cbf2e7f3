# SPDX-License-Identifier: MIT
"""The MessageDefinition of ``early-years-send-notification``: which resources make up a message, and how many of each.

As in BaRS, ``focus`` names every resource of the message and not its focus alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from notify_gateway.fhir import names
from notify_gateway.fhir.attachments import MOST
from notify_gateway.fhir.definitions.canonical import Json, canonical, id_of

CARDINALITIES: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "MessageHeader": (1, "1"),
        # The focus, and what was done towards the parent; one Communication may stand for several acts.
        "Communication": (2, "*"),
        "Patient": (1, "1"),
        "Condition": (1, "*"),
        "RelatedPerson": (1, "*"),
        "PractitionerRole": (1, "*"),
        "Organization": (1, "*"),
        "DocumentReference": (0, str(MOST)),
        "ServiceRequest": (0, "1"),
        "Consent": (0, "1"),
    }
)
"""What the message definition asks of a ``new`` message; any number of the other types that may travel."""

_DESCRIPTION: Final = (
    "A health body tells the responsible local authority of its opinion on a child (Children and Families Act 2014, section 23). "
    "POST it to $process-message. There is no response message: the answer is an OperationOutcome, and the Task tells what became of it."
)


def made() -> Iterator[Json]:
    """Yield the definition in each version that is taken."""
    kinds = [*CARDINALITIES, *sorted(names.ENTRY_TYPES - CARDINALITIES.keys())]
    for version in sorted(names.DEFINITION_VERSIONS):
        yield canonical("MessageDefinition", id_of(names.DEFINITION), "Early years SEND notification", _DESCRIPTION, version=version) | {
            "eventCoding": {"system": names.MESSAGE_EVENT, "code": names.EVENT},
            "category": "notification",
            "focus": [_focus(kind) for kind in kinds],
            "responseRequired": "never",
        }


def _focus(kind: str) -> Json:
    least, most = CARDINALITIES.get(kind, (0, "*"))
    return {"code": kind, "min": least, "max": most}
