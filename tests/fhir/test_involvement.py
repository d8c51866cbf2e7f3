# SPDX-License-Identifier: MIT
"""Part 2: a service is asked to become involved, by agreement; and the notification, which needs none."""

from __future__ import annotations

from typing import Any

import pytest

from notify_gateway.domain.catalogue import entry
from notify_gateway.domain.model import LegalBasis
from notify_gateway.domain.section23 import judge
from tests.fhir.bad_enclosed import INVOLVED
from tests.fhir.spoiling import put
from tests.fhir.test_attachments import read
from tests.support.messages import Message, a_message

REQUEST, CONSENT = "entry[12].resource", "entry[13].resource"


def part_two(message: Message) -> Any:
    return read(message).card.reveal().get("involvement")


def test_part_two_is_on_the_card() -> None:
    message = (
        a_message(0).involving("Portage").having(put(f"{REQUEST}.priority", "urgent")).having(put(f"{REQUEST}.note", [{"text": "Soon."}]))
    )
    message.having(put(f"{REQUEST}.reasonCode", [{"text": "Starts nursery"}]))
    assert part_two(message) == {
        "service": "Portage",
        "reasons": ["Starts nursery"],
        "priority": "urgent",
        "requested_on": "2026-01-12",
        "summary": [{"words": "Soon."}],
        "agreed_by": [{"name": "Robin ASHGROVE"}],
        "agreed_on": "2026-01-12",
    }


def test_a_notification_needs_no_part_two() -> None:
    assert part_two(a_message()) is None


@pytest.mark.parametrize("intent", ["proposal", "plan", "order"])
def test_a_request_may_be_put_in_three_ways(intent: str) -> None:
    assert part_two(a_message().involving().having(put(f"{REQUEST}.intent", intent)))


@pytest.mark.parametrize("period", [{"start": "2026-01-12"}, {"end": "2026-01-14"}, {"start": "2025-01-01", "end": "2027-01-01"}])
def test_an_agreement_holds_on_the_day_of_the_notification(period: dict[str, str]) -> None:
    assert part_two(a_message().involving(agreed_on="2026-01-14").having(put(f"{CONSENT}.provision.period", period)))


def test_agreement_to_a_service_is_no_agreement_to_the_notification() -> None:
    submission, plain = read(a_message(1).involving()), read(a_message(1))
    assert submission.parent_agreed_to_share is plain.parent_agreed_to_share is False
    assert submission.parent_view is plain.parent_view
    judged = [judge(each, sender_basis=LegalBasis.SECTION_23, received_on=each.sent_at.date()) for each in (submission, plain)]
    assert judged[0] == judged[1]


def test_every_refusal_of_part_two_says_that_the_notification_may_go_without_it() -> None:
    codes = {case.code for case in INVOLVED if case.code.startswith("NG-30") and "NG-3049" <= case.code <= "NG-3051"}
    assert len(codes) == 3
    assert all("notification" in entry(code).fix for code in codes)
