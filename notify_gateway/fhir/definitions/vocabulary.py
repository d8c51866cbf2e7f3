# SPDX-License-Identifier: MIT
"""The words for codes that the domain knows by name alone: what each is called and what a sender means by it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from notify_gateway.domain.feedback import Words
from notify_gateway.domain.model import MessageReason, OpinionKind, ParentActKind, ParentView, ReceiverReason
from notify_gateway.fhir import names

EVENTS: Final = MappingProxyType(
    {
        names.EVENT: Words(
            "Early years SEND notification",
            "A health body tells the responsible local authority of its opinion that a child under compulsory school age has, or probably "
            "has, special educational needs or a disability (Children and Families Act 2014, section 23).",
        )
    }
)

REASONS: Final[Mapping[MessageReason, Words]] = MappingProxyType(
    {
        MessageReason.NEW: Words("New", "The notification is sent for the first time."),
        MessageReason.UPDATE: Words(
            "Update", "The whole message replaces what was sent before under the same identifier; with a stopped focus it withdraws it."
        ),
        MessageReason.DELETE: Words("Delete", "What was sent before under the same identifier was sent in error and is withdrawn."),
    }
)

COMMUNICATIONS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        names.AUTHORITY_NOTIFIED: Words("Authority notified", "The focus: the responsible local authority is told (section 23(2)(b))."),
        ParentActKind.INFORMED.value: Words("Parent informed", "The parent was told of the opinion and of the duty (section 23(2)(a))."),
        ParentActKind.DISCUSSION_OFFERED.value: Words(
            "Discussion offered", "The parent was given an opportunity to discuss the opinion with an officer (section 23(3))."
        ),
        ParentActKind.VOLUNTARY_ORGANISATION_ADVISED.value: Words(
            "Voluntary organisation advised", "The parent was told of a voluntary organisation that is likely to help (section 23(4))."
        ),
        ParentActKind.VIEWS.value: Words("Parental views", "What the parent said of it; never a condition of notifying."),
    }
)

OPINIONS: Final[Mapping[OpinionKind, Words]] = MappingProxyType(
    {
        OpinionKind.SEN: Words(
            "Special educational need", "The opinion is that the child has, or probably has, special educational needs."
        ),
        OpinionKind.DISABILITY: Words("Disability", "The opinion is that the child has, or probably has, a disability."),
    }
)

VIEWS: Final[Mapping[ParentView, Words]] = MappingProxyType(
    {
        ParentView.AGREES: Words("Agrees", "The parent agrees with the notification."),
        ParentView.HAS_CONCERNS: Words("Has concerns", "The parent has concerns about the notification."),
        ParentView.OBJECTS: Words("Objects", "The parent objects; the duty stands, and the authority is told to make contact sensitively."),
        ParentView.NOT_REACHED: Words("Not reached", "The parent's view could not be had."),
    }
)
"""The views that a sender can code; what is in words, or not recorded, has no code."""

RECEIVER_REASONS: Final[Mapping[ReceiverReason, Words]] = MappingProxyType(
    {
        ReceiverReason.NO_FIXED_ADDRESS: Words("No fixed address", "The family has no fixed address."),
        ReceiverReason.TWO_HOMES: Words("Two homes", "The child lives in two homes; the named authority is that of the main one."),
        ReceiverReason.REFUGE: Words("Refuge", "The family lives in a refuge, whose address is not given."),
        ReceiverReason.TEMPORARY_ADDRESS: Words("Temporary address", "The address is temporary; the named authority remains responsible."),
        ReceiverReason.LONG_STAY: Words("Long stay", "The child stays for long in hospital or elsewhere; the home is in the named area."),
        ReceiverReason.ARMED_FORCES: Words("Armed forces", "The family has a British Forces address."),
        ReceiverReason.BOUNDARY: Words("Boundary", "The postcode lies on a boundary, and the home is on the named authority's side."),
        ReceiverReason.NEW_POSTCODE: Words("New postcode", "The postcode is newer than the table of postcodes."),
        ReceiverReason.MOVED: Words("Moved", "The family has moved, or is about to, into the named area."),
    }
)
