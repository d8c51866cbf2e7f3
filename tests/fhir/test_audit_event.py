# SPDX-License-Identifier: MIT
"""Entries as AuditEvents: valid FHIR, each of its shape, and every one leads back to its leaf."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from uuid import UUID

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from audit.events import Event, Value
from audit.vocabulary import VOCABULARY
from notify_gateway.fhir.audit_event import GSS, ODS, PSEUDONYM_SYSTEM, SHAPES, About, Json, Place, audit_event, tags
from notify_gateway.fhir.names import NOTIFICATION_SYSTEM

AT = datetime(2026, 11, 20, 12, 0, 0, 5, tzinfo=UTC)
ID, NOTIFICATION = UUID(int=5), str(UUID(int=9))
PLACE = Place("notify-gateway.example/log", 41, bytes(range(32)), 100)
ABOUT = About(NOTIFICATION, "RXX", "p1.abc")
DISCLOSED = ("delivery:offered", "delivery:fetched", "delivery:received")


def made(tag: str, about: About | None = ABOUT, actor: str = "service") -> Json:
    row = VOCABULARY[tag]
    fields: dict[str, Value] = {name: f"{name}-1" for name in (*row.fields, *row.optional)}
    if "authority" in fields:
        fields["authority"] = "E06000004"
    return audit_event(ID, Event(tag, AT, actor, "subject-1", fields), PLACE, service="https://gateway.example", about=about)


def coded(coding: Json) -> tuple[str, str]:
    return coding["system"].rsplit("/", 1)[1], coding["code"]


def agents(resource: Json) -> dict[str, Json]:
    return {agent["type"]["coding"][0]["code"]: agent for agent in resource["agent"]}


@pytest.mark.parametrize("tag", SHAPES)
@pytest.mark.parametrize("about", [ABOUT, About(NOTIFICATION), None], ids=["known", "unlinked", "nothing"])
def test_each_is_valid_and_leads_back_to_its_leaf(tag: str, about: About | None) -> None:
    resource = made(tag, about)
    AuditEvent.model_validate(resource)
    assert resource["id"] == str(ID)
    assert resource["recorded"] == "2026-11-20T12:00:00.000005Z"
    details = {each["type"]: each for each in resource["entity"][-1]["detail"]}
    assert (details["tag"]["valueString"], details["leaf-index"]["valueString"], details["tree-size"]["valueString"]) == (
        tag,
        "41",
        "100",
    )
    assert b64decode(details["leaf-hash"]["valueBase64Binary"]) == PLACE.leaf_hash
    assert all("network" in agent for code, agent in agents(resource).items() if code != "159541003")


@pytest.mark.parametrize("tag", DISCLOSED)
def test_what_was_handed_to_an_authority_is_a_disclosure_at_source(tag: str) -> None:
    resource = made(tag)
    assert (coded(resource["type"]), resource["action"], resource["outcome"]) == (("DCM", "110106"), "R", "0")
    assert [coded(each) for each in resource["subtype"]] == [("iso-21089-lifecycle", "disclose")]
    parties = agents(resource)
    assert parties["110153"]["who"] == resource["source"]["observer"]
    assert parties["110153"]["network"]["address"] == "https://gateway.example"
    assert parties["110152"]["who"]["identifier"] == {"system": GSS, "value": "E06000004"}
    assert parties["159541003"]["who"]["identifier"] == {"system": ODS, "value": "RXX"}
    patient, data, _ = resource["entity"]
    assert patient["what"]["identifier"] == {"system": PSEUDONYM_SYSTEM, "value": "p1.abc"}
    assert coded(patient["role"]) == ("object-role", "1")
    assert data["what"]["identifier"]["value"] == "subject-1"


def test_without_a_pseudonym_the_patient_is_known_by_the_notification() -> None:
    patient = made("delivery:offered", About(NOTIFICATION))["entity"][0]
    assert patient["what"]["identifier"] == {"system": NOTIFICATION_SYSTEM, "value": NOTIFICATION}


@pytest.mark.parametrize(
    ("tag", "code", "action", "outcome"),
    [
        ("notification:accepted", "create", "C", "0"),
        ("notification:refused", "create", "C", "4"),
        ("notification:withdrawn", "delete", "D", "0"),
        ("envelope:opened", "read", "R", "0"),
        ("log:viewed", "read", "R", "0"),
        ("log:searched", "search-type", "E", "0"),
    ],
)
def test_what_was_called_for_is_a_restful_operation(tag: str, code: str, action: str, outcome: str) -> None:
    resource = made(tag)
    assert coded(resource["type"]) == ("audit-event-type", "rest")
    assert [coded(each) for each in resource["subtype"]] == [("restful-interaction", code)]
    assert (resource["action"], resource["outcome"]) == (action, outcome)


def test_data_flows_from_the_sender_in_and_to_the_reader_out() -> None:
    assert agents(made("notification:accepted", actor="RXX"))["110153"]["requestor"] is True
    assert agents(made("log:viewed", actor="ig:dpo"))["110152"]["who"]["identifier"]["value"] == "ig:dpo"


def test_codes_lead_to_the_events_that_have_them() -> None:
    assert set(tags((None, "110106"), (None, "disclose"))) == set(DISCLOSED)
    assert tags(("http://elsewhere", "110106"), None) == []
    assert set(tags(None, None)) == set(SHAPES) <= set(VOCABULARY)
