# SPDX-License-Identifier: MIT
"""Observations: the scores of ASQ-3, and whatever else was observed, on the card in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import Card
from notify_gateway.fhir import names
from notify_gateway.fhir.developmental import MONTHS
from notify_gateway.privacy.cards import card_plaintext
from tests.fhir.spoiling import put
from tests.fhir.test_attachments import read
from tests.support.messages import Message, a_message

FIRST = "entry[12].resource"


def card(message: Message) -> dict[str, Any]:
    return dict(read(message).card.reveal())


def test_a_whole_questionnaire_is_read() -> None:
    message = a_message()
    for score, domain in enumerate(names.ASQ_3_DOMAINS):
        message.scored(domain, 5 * score, month=27)
    assert card(message)["asq_3"] == [
        {"domain": "Communication", "month": 27, "score": 0, "on": "2026-01-08"},
        {"domain": "Gross motor", "month": 27, "score": 5, "on": "2026-01-08"},
        {"domain": "Fine motor", "month": 27, "score": 10, "on": "2026-01-08"},
        {"domain": "Problem solving", "month": 27, "score": 15, "on": "2026-01-08"},
        {"domain": "Personal-social", "month": 27, "score": 20, "on": "2026-01-08"},
    ]


@pytest.mark.parametrize("month", sorted(MONTHS))
def test_every_questionnaire_is_known(month: int) -> None:
    assert card(a_message().scored("communication", 60, month=month))["asq_3"][0]["month"] == month


def test_there_are_21_questionnaires_from_2_to_60_months() -> None:
    assert (len(MONTHS), min(MONTHS), max(MONTHS)) == (21, 2, 60)


@pytest.mark.parametrize(("score", "read_as"), [(0, 0), (60, 60), (37.5, "37.5"), (40.0, 40)])
def test_scores_from_0_to_60_are_taken(score: float, read_as: int | str) -> None:
    found = card(a_message().scored("fine-motor", score))
    assert found["asq_3"][0]["score"] == read_as
    assert card_plaintext(Card(found), PrivateBytes(b""))  # what is sealed holds no fractions but in words


def test_the_one_concept_that_is_certain_says_domain_and_month() -> None:
    code = {"coding": [{"system": names.SNOMED, "code": "953621000000109"}]}
    assert card(a_message().observed(code, valueInteger=55))["asq_3"] == [
        {"domain": "Fine motor", "month": 60, "score": 55, "on": "2026-01-08"}
    ]


def test_a_score_that_is_coded_twice_alike_is_one() -> None:
    message = a_message().scored("fine-motor", 55, month=60)
    message.having(put(f"{FIRST}.code.coding[1]", {"system": names.SNOMED, "code": "953621000000109"}))
    assert len(card(message)["asq_3"]) == 1


@pytest.mark.parametrize("status", ["preliminary", "registered", "cancelled", "entered-in-error", "unknown"])
def test_what_is_not_reported_is_not_passed_on(status: str) -> None:
    message = a_message().scored("fine-motor", 99).having(put(f"{FIRST}.status", status))
    assert "asq_3" not in card(message)


@pytest.mark.parametrize(
    ("facts", "value"),
    [
        ({"valueString": "Ten words"}, "Ten words"),
        ({"valueInteger": 0}, 0),
        ({"valueBoolean": False}, False),
        ({"valueQuantity": {"value": 12.5, "unit": "kg", "comparator": ">"}}, "> 12.5 kg"),
        ({"valueCodeableConcept": {"text": "Walks with help"}}, "Walks with help"),
    ],
)
def test_other_observations_are_passed_on_in_words(facts: dict[str, Any], value: object) -> None:
    text = "ASQ-3 24 month communication score"
    assert card(a_message().observed({"text": text}, **facts))["observations"] == [{"name": text, "value": value, "on": "2026-01-08"}]


def test_an_observation_without_value_keeps_its_notes() -> None:
    message = a_message().observed({"text": "Vision"}, note=[{"text": "Follows a torch."}])
    assert card(message)["observations"] == [{"name": "Vision", "on": "2026-01-08", "notes": [{"words": "Follows a torch."}]}]


def test_no_score_gets_into_a_view() -> None:
    plain, scored = read(a_message(0)), read(a_message(0).scored("communication", 40))
    assert plain.opinions == scored.opinions
