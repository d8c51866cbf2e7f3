# SPDX-License-Identifier: MIT
"""A submission for tests of the law and of routing, without FHIR: all that a case does not name is lawful."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from notify_gateway.domain.identity import BirthDate, NhsNumber, Postcode
from notify_gateway.domain.model import (
    BusinessIdentifier,
    Card,
    Certainty,
    Child,
    Coding,
    GssCode,
    MessageReason,
    OdsCode,
    Opinion,
    OpinionKind,
    OpinionStatus,
    ParentAct,
    ParentActKind,
    ParentView,
    Submission,
    Traces,
    VoluntaryOrganisation,
)

SENT_AT = datetime(2026, 1, 14, 10, 15, tzinfo=UTC)
FORMED = date(2026, 1, 9)
TOLD = date(2026, 1, 10)


def an_opinion(formed_on: date = FORMED, at: str = "opinion") -> Opinion:
    kinds = frozenset({OpinionKind.SEN})
    return Opinion(Certainty.PROBABLY_HAS, kinds, (Coding("dfe", "SLCN"),), formed_on, OpinionStatus.HELD, at)


def informed(on: date, at: str = "informed") -> ParentAct:
    return ParentAct(ParentActKind.INFORMED, on, at)


def offered(on: date, at: str = "offered") -> ParentAct:
    return ParentAct(ParentActKind.DISCUSSION_OFFERED, on, at)


def a_child(
    born: date = date(2022, 11, 3), postcode: str | None = "TS18 1LD", *, number: str | None = "9990548609", restricted: bool = False
) -> Child:
    return Child(
        nhs_number=NhsNumber(number) if number else None,
        nhs_number_absent_because=None if number else "not-yet-traced",
        birth_date=BirthDate(born),
        postcode=Postcode(postcode) if postcode else None,
        address_restricted=restricted,
        at="patient",
    )


def a_submission(
    *,
    child: Child | None = None,
    opinions: Sequence[Opinion] = (),
    acts: Sequence[ParentAct] | None = None,
    sent_at: datetime = SENT_AT,
    **others: Any,
) -> Submission:
    facts: dict[str, Any] = {
        "message_id": "ea1e9f16-b1fe-5d52-a9f9-eab21a168d27",
        "reason": MessageReason.NEW,
        "business_identifier": BusinessIdentifier("https://rxx.nhs.uk/Id/send-notification", "1"),
        "version_at": sent_at,
        "sent_at": sent_at,
        "sender": OdsCode("RXX"),
        "receiver": GssCode("E06000004"),
        "receiver_reason": None,
        "child": child or a_child(),
        "opinions": tuple(opinions) or (an_opinion(),),
        "parent_acts": tuple(acts) if acts is not None else (informed(TOLD), offered(TOLD)),
        "parent_view": ParentView.NOT_RECORDED,
        "parent_agreed_to_share": False,
        "voluntary_organisation": VoluntaryOrganisation.ADVISED,
        "card": Card({}),
        "traces": Traces(frozenset()),
        "places": {"header": "header", "focus": "focus", "sent": "sent", "receiver": "receiver", "postcode": "postcode"},
    }
    return Submission(**(facts | others))
