# SPDX-License-Identifier: MIT
"""Letters, part 2 and scores on their way from the trust to the authority's own machine."""

from __future__ import annotations

import json

from notify_gateway.fhir.attachments import unpack
from notify_gateway.privacy.opening import Opened, card_text, open_delivery
from tests.journeys.test_bad_messages import cpu_seconds
from tests.support.messages import PDF, PNG, Message, a_message
from tests.support.service import PULL, Acceptance, RunningService, issue_codes

MIB = 1024 * 1024


def arrived(service: RunningService, message: Message) -> Opened:
    """Post the message and open it where it arrives."""
    reference = Acceptance.of(service.post(message)).reference
    document = json.loads(service.collect(service.offered(reference)))
    return open_delivery(document, service.keys[PULL][0], service.runtime.public.gateway)


def test_five_megabytes_of_attachments_arrive_as_they_were_sent_for_less_than_a_second_of_cpu(service: RunningService) -> None:
    content = PDF + b"0123456789abcdef" * (2 * MIB // 16)
    message = a_message().attached(content).attached(PNG + b"\x00" * (MIB + MIB // 2), "image/png", title="Growth chart")
    assert 4 * MIB < len(message.bytes()) < 5 * MIB
    began = cpu_seconds(service)
    response = service.post(message)
    spent = cpu_seconds(service) - began
    reference = Acceptance.of(response).reference
    assert spent < 1
    document = service.collect(service.offered(reference))
    opened = open_delivery(json.loads(document), service.keys[PULL][0], service.runtime.public.gateway)
    assert opened.original is not None
    assert opened.original.reveal() == message.bytes()
    assert unpack(opened.original.reveal())[0].content == content
    assert "Growth chart (Letter, PNG picture, 1536 KB, 8 January 2026)" in card_text(opened)
    assert "NOT SCANNED" in card_text(opened)


def test_part_two_and_scores_arrive_on_the_card_and_nowhere_else(service: RunningService) -> None:
    opened = arrived(service, a_message().involving("Portage").scored("communication", 25, month=27))
    sheet = card_text(opened)
    assert "Service:                Portage" in sheet
    assert "Communication:          25 of 60 (27-month questionnaire, 8 January 2026)" in sheet
    told = json.dumps(dict(opened.view))
    assert "Portage" not in told
    assert "ommunication" not in told.replace("communication-and-interaction", "")


def test_a_notification_whose_part_two_is_refused_goes_without_it_under_the_same_ids(service: RunningService) -> None:
    message = a_message().involving()
    consent = message.data["entry"].pop()
    response = service.post(message)
    assert response.status_code == 422
    assert issue_codes(response) == ["NG-3050"]
    assert "send the notification alone, at once" in response.text
    assert consent["resource"]["resourceType"] == "Consent"
    message.data["entry"].pop()
    assert service.post(message).status_code == 202
