# SPDX-License-Identifier: MIT
"""AuditEvents over HTTP, as an officer's tool asks for them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from fhir.resources.R4B.bundle import Bundle

from tests.support.answers import Acceptance, issue_codes
from tests.support.messages import a_message
from tests.support.service import RunningService

BASE = "/fhir/R4/AuditEvent"


@pytest.fixture
def delivered(service: RunningService) -> Acceptance:
    """A notification that the authority has collected, all of it in the signed log."""
    said = Acceptance.of(service.post(a_message()))
    delivery = service.offered(said.reference)
    service.collect(delivery)
    service.when(200, lambda: service.authority("GET", f"deliveries/{delivery}/receipts"))
    return said


def get(service: RunningService, query: str) -> httpx2.Response:
    return service.get(f"{BASE}{query}", token=service.ig_token)


def post(service: RunningService, **fields: str) -> httpx2.Response:
    return service.clients[0].post(f"{BASE}/_search", data=fields, headers={"Authorization": f"Bearer {service.ig_token}"})


def resources(answer: httpx2.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    Bundle.model_validate(answer.json())
    return [entry["resource"] for entry in answer.json().get("entry", ())]


def event_of(resource: dict[str, Any]) -> str:
    return str(resource["entity"][-1]["detail"][0]["valueString"])


def test_an_officer_follows_one_child_from_the_trust_to_the_authority(service: RunningService, delivered: Acceptance) -> None:
    told = resources(get(service, f"?entity={delivered.reference}"))
    assert [event_of(each) for each in told] == [
        "notification:accepted",
        "delivery:offered",
        "delivery:fetched",
        "delivery:received",
        "delivery:acknowledged",
    ]
    disclosed = resources(get(service, f"?entity={delivered.task_id}&subtype=disclose"))
    assert [each["id"] for each in disclosed] == [each["id"] for each in told[1:4]]
    patient = told[1]["entity"][0]["what"]["identifier"]["value"]
    assert [each["id"] for each in resources(post(service, entity=patient))] == [each["id"] for each in told]
    one = get(service, f"/{told[0]['id']}")
    assert one.json()["id"] == told[0]["id"]


def test_next_links_lead_through_and_never_bear_a_pseudonym(service: RunningService, delivered: Acceptance) -> None:
    told = resources(get(service, f"?entity={delivered.reference}"))
    patient = told[1]["entity"][0]["what"]["identifier"]["value"]
    answer, found = post(service, entity=patient, _count="2"), []
    while True:
        found += [each["id"] for each in resources(answer)]
        links = {link["relation"]: link["url"] for link in answer.json()["link"]}
        assert patient not in str(links)
        if "next" not in links:
            break
        answer = get(service, f"?{urlsplit(links['next']).query}")
    assert found == [each["id"] for each in told]


def test_what_cannot_be_asked_for_is_refused(one_service: RunningService) -> None:
    service = one_service
    for query, code in (
        ("?entity=p1.0123456789abcdefghjkmnpqrstvwxyz0", "NG-1012"),
        ("?entity=9434765919", "NG-1012"),
        ("?patient=1", "NG-1013"),
        ("?date=yesterday", "NG-1011"),
        ("?_page=-1", "NG-1011"),
        ("?agent=%22%25", "NG-1011"),
        ("?type=rest&type=110106", "NG-1011"),
        ("?type=|", "NG-1011"),
        ("?entity=" + ",".join(["00000000-0000-4000-8000-000000000000"] * 51), "NG-1011"),
    ):
        answer = get(service, query)
        assert (answer.status_code, issue_codes(answer)) == (400, [code]), query
    for fields in ({"entity": "9434765919"}, {"entity": "a,b"}, {"entity": "http://elsewhere|p1.x"}):
        assert issue_codes(post(service, **fields)) == ["NG-1011"], fields
    unknown = get(service, "/00000000-0000-4000-8000-000000000000")
    assert (unknown.status_code, issue_codes(unknown)) == (404, ["NG-8003"])
    assert get(service, "/_search").status_code == 405
    assert issue_codes(service.get(BASE, token=service.trust_token)) == ["NG-1105"]


def test_the_capability_statement_lists_it(one_service: RunningService) -> None:
    (rest,) = one_service.clients[0].get("/fhir/R4/metadata").json()["rest"]
    (told,) = [each for each in rest["resource"] if each["type"] == "AuditEvent"]
    assert {each["name"] for each in told["searchParam"]} == {"date", "entity", "agent", "type", "subtype"}
