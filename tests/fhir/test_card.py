# SPDX-License-Identifier: MIT
"""The officer's card and the traces for the tripwire."""

from __future__ import annotations

import json

from notify_gateway.domain.model import Submission
from notify_gateway.fhir.message import read_message
from tests.fhir.spoiling import CARER, CONDITION, FOCUS, PATIENT, put
from tests.support.messages import Message, a_message


def read(message: Message) -> Submission:
    submission = read_message(message.document())
    assert isinstance(submission, Submission)
    return submission


def test_the_card_is_plain_json_that_lets_an_officer_reach_the_family() -> None:
    message = (
        a_message(0)
        .having(put(f"{CONDITION}.note", [{"text": "Says ten words."}]))
        .having(put(f"{FOCUS}.payload", [{"contentString": "Please ring."}]))
    )
    card = read(message).card.reveal()
    assert json.loads(json.dumps(card)) == card
    assert card["child"]["names"] == [{"name": "Arlo ASHGROVE", "use": "official"}]
    assert card["child"]["nhs_number"] == message.number
    assert card["child"]["gp"] == ["A99999"]
    assert card["carers"][0]["relationship"] == ["mother"]
    assert card["carers"][0]["telecoms"][0]["value"] == "07700900123"
    assert card["parental_words"][0]["words"].startswith("Agrees")
    assert [item["words"] for item in card["summary"]] == ["Says ten words.", "Please ring."]
    assert card["notifier"]["names"] == [{"name": "Dr Sam DOE"}]
    assert card["notifier"]["role"] == ["Consultant"]
    assert card["sender"] == {"ods": "RXX", "name": "Example Community NHS Trust"}
    assert card["opinions"][0]["need"] == "Speech, language and communication needs"


def test_language_interpreter_and_setting_are_on_the_card() -> None:
    identifier = {"system": "https://fhir.hl7.org.uk/Id/urn-school-number", "value": "100001"}
    resource = {"resourceType": "Organization", "name": "Larkspur Nursery", "identifier": [identifier]}
    nursery = {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": resource}
    needs_one = {"url": "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired", "valueBoolean": True}
    card = read(a_message().having(put("entry[12]", nursery)).having(put(f"{PATIENT}.extension[1]", needs_one))).card.reveal()
    assert card["settings"] == [{"name": "Larkspur Nursery", "urn": "100001"}]
    assert card["child"]["interpreter_required"] is True
    assert card["child"]["languages"] == [{"language": "English", "preferred": True}]


def test_the_traces_hold_every_canary() -> None:
    message = a_message().having(put(f"{CARER}.telecom[1]", {"system": "email", "value": "robin@example.org"}))
    traces = read(message).traces.reveal()
    assert not set(message.canaries) - traces
    assert "robin@example.org" in traces


def test_traces_have_three_characters_or_more_and_split_names_into_words() -> None:
    traces = read(a_message().for_child(given="Mary-Jo Ann", family="O'Dunmallow", postcode="ts181ld")).traces.reveal()
    assert {"Mary", "Ann", "Dunmallow", "TS18 1LD", "TS181LD", "ts181ld"} <= traces
    assert not [trace for trace in traces if len(trace) < 3]
    assert "Jo" not in traces


def test_a_contact_of_the_patient_is_a_carer_as_well() -> None:
    contact = {
        "relationship": [{"text": "grandmother"}],
        "name": {"given": ["Odalys"], "family": "FERNABY"},
        "telecom": [{"system": "phone", "value": "07700900456"}],
        "address": {"line": ["3 Larkspur Lane"], "postalCode": "TS1 2QJ"},
    }
    submission = read(a_message().having(put(f"{PATIENT}.contact", [contact])))
    carer = submission.card.reveal()["carers"][1]
    assert carer["names"] == [{"name": "Odalys FERNABY"}]
    assert carer["address"]["postalCode"] == "TS1 2QJ"
    assert {"Odalys", "FERNABY", "07700900456", "3 Larkspur Lane", "TS12QJ"} <= submission.traces.reveal()
    hidden = read(a_message().restricted().having(put(f"{PATIENT}.contact", [contact]))).card.reveal()["carers"][1]
    assert "address" not in hidden


def test_the_card_does_not_print() -> None:
    submission = read(a_message())
    assert repr(submission.card) == "<Card withheld>"
    assert repr(submission.traces) == "<Traces withheld>"
