# SPDX-License-Identifier: MIT
"""A trust follows its notifications, an authority tells it what it did; and the definitions that both read, over real HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.task import Task

from audit.merkle import leaf_hash
from audit.note import Verifier
from audit.receipts import verify_receipt
from notify_gateway.domain.clock import london_day
from notify_gateway.fhir.names import BASE, REFERENCE_SYSTEM
from tests.journeys.test_front_door import refused
from tests.support.messages import FOCUS, Message, a_message
from tests.support.service import PULL, WEBHOOK, Acceptance, RunningService
from tests.support.waiting import eventually

FORM = "application/x-www-form-urlencoded"
SEARCH = "/fhir/R4/Task/_search"


def search(
    service: RunningService, fields: dict[str, str], *, token: str | None = None, path: str = SEARCH, **headers: str
) -> httpx2.Response:
    bearer = {"Authorization": f"Bearer {service.trust_token if token is None else token}"}
    return service.clients[0].post(path, data=fields, headers=bearer | headers)


def token_of(message: Message) -> str:
    identifier = message.resource(FOCUS)["identifier"][0]
    return f"{identifier['system']}|{identifier['value']}"


def found(response: httpx2.Response) -> list[str]:
    """The ids of the Tasks of a searchset, which is sound FHIR."""
    assert response.status_code == 200, response.text
    bundle = response.json()
    Bundle.model_validate(bundle)
    assert (bundle["type"], response.headers["content-type"]) == ("searchset", "application/fhir+json")
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())]


def link(response: httpx2.Response, relation: str) -> str | None:
    """The address, below the service, that a link of a searchset leads to."""
    for each in response.json()["link"]:
        if each["relation"] == relation:
            parts = urlsplit(each["url"])
            return f"{parts.path}?{parts.query}"
    return None


def step(service: RunningService, delivery_id: str, name: str, body: object, token: str | None = None) -> httpx2.Response:
    return service.authority("POST", f"deliveries/{delivery_id}/{name}", json=body, token=token)


def problem(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, str(response.json()["code"])


def outputs(task: dict[str, Any]) -> dict[str, Any]:
    return {each["type"]["coding"][0]["code"]: each for each in task["output"]}


def day_of(task: dict[str, Any]) -> date:
    return london_day(datetime.fromisoformat(task["authoredOn"]))


def test_the_trust_sees_acknowledgement_contact_and_outcome_with_their_days(service: RunningService) -> None:
    acceptance = Acceptance.of(service.post(a_message()))
    delivery_id = service.offered(acceptance.reference)
    on = day_of(service.task(acceptance.task_id)).isoformat()
    assert problem(step(service, delivery_id, "contacted", {"on": on})) == (409, "NG-7004")
    service.collect(delivery_id)
    assert step(service, delivery_id, "contacted", {"on": on}).json()["state"] == "contacted"
    assert service.task(acceptance.task_id)["status"] == "in-progress"
    told = {"outcome": "early-years-support", "on": on}
    first = step(service, delivery_id, "outcome", told)
    assert (first.status_code, first.json()["state"]) == (200, "outcome")
    assert step(service, delivery_id, "outcome", told).json() == first.json()
    assert service.authority("GET", f"deliveries/{delivery_id}/state").json() == first.json()
    task = service.task(acceptance.task_id)
    Task.model_validate(task)
    assert (task["status"], task["businessStatus"]["coding"][0]["code"]) == ("completed", "outcome")
    assert outputs(task)["contacted"]["valueDate"] == outputs(task)["outcome-on"]["valueDate"] == on
    assert outputs(task)["outcome"]["valueCodeableConcept"]["coding"][0] == {
        "system": f"{BASE}/CodeSystem/authority-outcome",
        "code": "early-years-support",
        "display": "Early years support",
    }
    receipts = service.when(200, lambda: service.authority("GET", f"deliveries/{delivery_id}/receipts"))
    assert set(receipts.json()) == {"received", "acknowledged", "contacted", "outcome"}


def test_what_is_sent_back_says_why_and_whose_the_child_may_be(service: RunningService) -> None:
    acceptance = Acceptance.of(service.post(a_message()))
    delivery_id = service.offered(acceptance.reference)
    service.collect(delivery_id)
    told = {"reason": "moved", "suggested_authority": WEBHOOK}
    assert problem(step(service, delivery_id, "send-back", told | {"suggested_authority": PULL})) == (422, "NG-7012")
    assert problem(step(service, delivery_id, "send-back", told, token=service.webhook_token)) == (422, "NG-7012")
    assert step(service, delivery_id, "send-back", told).json()["state"] == "sent-back"
    task = service.task(acceptance.task_id)
    assert (task["status"], task["statusReason"]["coding"][0]["code"]) == ("rejected", "moved")
    assert outputs(task)["suggested-authority"]["valueReference"]["identifier"]["value"] == WEBHOOK
    assert problem(service.authority("GET", f"deliveries/{delivery_id}")) == (409, "NG-7004")


def test_steps_that_are_not_coded_or_not_the_authoritys_are_refused_without_an_echo(service: RunningService) -> None:
    acceptance = Acceptance.of(service.post(a_message()))
    delivery_id = service.offered(acceptance.reference)
    service.collect(delivery_id)
    on = day_of(service.task(acceptance.task_id))
    cases: list[tuple[str, object, int, str]] = [
        ("contacted", {"on": (on - timedelta(days=1)).isoformat()}, 422, "NG-7009"),
        ("outcome", {"outcome": "Vorpalstone moved", "on": on.isoformat()}, 422, "NG-7010"),
        ("send-back", {"reason": "Vorpalstone"}, 422, "NG-7011"),
        ("send-back", {"reason": "moved", "suggested_authority": "Vorpalstone"}, 422, "NG-7012"),
        ("contacted", {"on": "Vorpalstone"}, 400, "NG-1011"),
        ("contacted", {"on": "20261120"}, 400, "NG-1011"),
        ("contacted", {"on": "2026-02-30"}, 400, "NG-1011"),
        ("outcome", {"outcome": ["portage"], "on": on.isoformat()}, 400, "NG-1011"),
        ("outcome", {"on": on.isoformat()}, 400, "NG-1011"),
        ("send-back", {"reason": "moved", "suggested_authority": 7}, 400, "NG-1011"),
        ("send-back", ["moved"], 400, "NG-1011"),
    ]
    for name, body, status, code in cases:
        response = step(service, delivery_id, name, body)
        assert problem(response) == (status, code), (name, body)
        assert "Vorpalstone" not in response.text
    for name, body in (("contacted", {"on": on.isoformat()}), ("outcome", {"outcome": "portage", "on": on.isoformat()})):
        assert problem(step(service, delivery_id, name, body, token=service.webhook_token)) == (404, "NG-7003")
    assert problem(service.authority("GET", f"deliveries/{delivery_id}/state", token=service.webhook_token)) == (404, "NG-7003")
    assert service.authority("GET", f"deliveries/{delivery_id}/state").json()["steps"] == []


def test_an_update_starts_the_task_anew_and_keeps_the_history(service: RunningService) -> None:
    message = a_message()
    acceptance = Acceptance.of(service.post(message))
    first = service.offered(acceptance.reference)
    service.collect(first)
    on = day_of(service.task(acceptance.task_id)).isoformat()
    step(service, first, "contacted", {"on": on})
    assert service.post(message.followed_by("update")).status_code == 202
    service.collect(service.offered(acceptance.reference))
    assert problem(step(service, first, "outcome", {"outcome": "portage", "on": on})) == (409, "NG-7013")
    task = service.task(acceptance.task_id)
    assert task["businessStatus"]["coding"][0]["code"] == "acknowledged"
    history = [{part["url"]: part for part in each["extension"]} for each in task["extension"]]
    assert [(each["event"]["valueCode"], each["what"]["valueCode"]) for each in history] == [
        *(("new", what) for what in ("accepted", "offered", "received", "acknowledged", "contacted")),
        *(("update", what) for what in ("accepted", "offered", "received", "acknowledged")),
    ]


def test_a_trust_finds_its_task_by_its_own_identifier_and_nobody_elses(service: RunningService) -> None:
    message = a_message()
    acceptance = Acceptance.of(service.post(message))
    other = Acceptance.of(
        service.post(a_message().from_sender("RYY").identified(message.business_identifier), token=service.other_trust_token)
    )
    asked = search(service, {"identifier": token_of(message)})
    assert (found(asked), asked.json()["total"]) == ([acceptance.task_id], 1)
    # The delivery goes on between the two answers, until it waits for the authority.
    eventually(
        lambda: search(service, {"identifier": token_of(message)}).json()["entry"][0]["resource"] == service.task(acceptance.task_id),
        what="the Task that is found to be the Task that is read",
    )
    assert message.business_identifier not in asked.text
    assert found(search(service, {"identifier": token_of(message)}, token=service.other_trust_token)) == [other.task_id]
    reference = {"identifier": f"{REFERENCE_SYSTEM}|{acceptance.reference}"}
    assert found(search(service, reference)) == [acceptance.task_id]
    assert found(search(service, reference, token=service.other_trust_token)) == []
    both = {"identifier": f"{token_of(message)},{REFERENCE_SYSTEM}|{acceptance.reference},{REFERENCE_SYSTEM}|SEN-00000000-0"}
    assert found(search(service, both)) == [acceptance.task_id]
    escaped = a_message().identified("a,b|c\\d")
    made = Acceptance.of(service.post(escaped))
    assert found(search(service, {"identifier": token_of(message).split("|")[0] + "|a\\,b\\|c\\\\d"})) == [made.task_id]


def test_an_identifier_in_an_address_is_refused_and_never_logged(service: RunningService) -> None:
    message = a_message().identified(f"Vorpalstone-{uuid4().hex}")
    Acceptance.of(service.post(message))
    for path in (f"/fhir/R4/Task?identifier={token_of(message)}", f"/fhir/R4/Task?identifier:exact={token_of(message)}"):
        refused(service.get(path), 400, "NG-1012")
    refused(search(service, {"_count": "1"}, path=f"{SEARCH}?identifier={token_of(message)}"), 400, "NG-1012")
    refused(search(service, {"_count": "1"}, path=f"{SEARCH}?_count=1"), 400, "NG-1013")
    assert message.business_identifier not in service.output()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"patient": "9990000018"}, "NG-1013"),
        ({"identifer": "a|b"}, "NG-1013"),
        ({"identifier": "no-system"}, "NG-1011"),
        ({"identifier": "|value"}, "NG-1011"),
        ({"identifier": ""}, "NG-1011"),
        ({"identifier": "a|b|c"}, "NG-1011"),
        ({"identifier": ",".join(["a|b"] * 51)}, "NG-1011"),
        ({"identifier": "a|b", "_count": "5"}, "NG-1011"),
        ({"_count": "0"}, "NG-1011"),
        ({"_count": "many"}, "NG-1011"),
        ({"_lastUpdated": "yesterday"}, "NG-1011"),
        ({"_lastUpdated": "ge2026-02-30"}, "NG-1011"),
        ({"_lastUpdated": "ge2026-11-20T10:00:00"}, "NG-1011"),
        ({"_lastUpdated": "ge0001-01-01T00:00:00+14:00"}, "NG-1011"),
        ({"_lastUpdated": "ne2026-11-20"}, "NG-1011"),
        ({"_page": "made-up"}, "NG-1011"),
    ],
)
def test_a_search_that_is_not_understood_is_refused(service: RunningService, fields: dict[str, str], code: str) -> None:
    refused(search(service, fields), 400, code)


def test_a_format_may_be_asked_for_as_fhir_clients_do_it_if_it_is_json(service: RunningService) -> None:
    message = a_message()
    task_id = Acceptance.of(service.post(message)).task_id
    for path, also in ((SEARCH, {"_format": "application/fhir+json"}), (f"{SEARCH}?_format=json", {})):
        assert found(search(service, {"identifier": token_of(message)} | also, path=path)) == [task_id]
    assert service.get(f"/fhir/R4/Task/{task_id}?_format=json").status_code == 200
    links = service.get("/fhir/R4/Task?_count=1&_lastUpdated=ge2026-01-01&_format=json").json()["link"]
    assert links[0]["url"].endswith("?_count=1&_lastUpdated=ge2026-01-01")
    refused(service.get("/fhir/R4/Task?_format=xml"), 406, "NG-1003")
    refused(search(service, {"identifier": token_of(message), "_format": "xml"}), 406, "NG-1003")


def test_a_search_body_is_a_form_and_a_search_needs_a_trusts_token(service: RunningService) -> None:
    bearer = {"Authorization": f"Bearer {service.trust_token}"}
    post = service.clients[0].post
    refused(post(SEARCH, content=b"{}", headers=bearer | {"Content-Type": "application/json"}), 415, "NG-1002")
    for body in (b"identifier", b"identifier=%ff", "identifier=é|b".encode(), b"&".join([b"a=b"] * 30)):
        refused(post(SEARCH, content=body, headers=bearer | {"Content-Type": FORM}), 400, "NG-1011")
    refused(post(SEARCH, content=b"a=" + b"b" * 40_000, headers=bearer | {"Content-Type": FORM}), 413, "NG-1001")
    refused(search(service, {"identifier": "a|b"}, token=service.pull_token), 403, "NG-1105")
    refused(service.get("/fhir/R4/Task", service.pull_token), 403, "NG-1105")


def test_all_that_changed_since_is_read_page_by_page(service: RunningService) -> None:
    sent = [Acceptance.of(service.post(a_message())).task_id for _ in range(5)]
    since = service.task(sent[0])["authoredOn"]
    pages = [service.get(f"/fhir/R4/Task?_lastUpdated=ge{since}&_count=2")]
    while (following := link(pages[-1], "next")) is not None:
        assert "Task?_page=" in following
        pages.append(service.get(following))
        assert len(pages) < 200, "the pages have no end"
    changed = [entry["resource"]["meta"]["lastUpdated"] for page in pages for entry in page.json().get("entry", ())]
    assert set(sent) <= {each for page in pages for each in found(page)}
    assert changed == sorted(changed)
    token = link(pages[0], "next") or ""
    refused(service.get(token, service.other_trust_token), 400, "NG-1011")
    late = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251 - the service's clock is the machine's
    assert found(search(service, {"_lastUpdated": f"ge{late}"})) == []
    assert found(service.get(f"/fhir/R4/Task?_lastUpdated=lt{since}&_lastUpdated=ge{since}")) == []


def test_the_receipt_of_a_task_is_the_senders_alone_and_proves_the_latest_message(service: RunningService) -> None:
    message = a_message()
    acceptance = Acceptance.of(service.post(message))
    later = Acceptance.of(service.post(message.followed_by("update")))
    leaf, receipt = service.receipt(acceptance.task_id)
    assert leaf == later.leaf
    log = Verifier.from_vkey(service.clients[0].get("/log/keys").json()["log"])
    verify_receipt(receipt, leaf_hash(leaf), log)
    for token, path, status, code in (
        (service.other_trust_token, acceptance.task_id, 404, "NG-6012"),
        (service.trust_token, str(uuid4()), 404, "NG-6012"),
        (service.trust_token, "receipt", 404, "NG-6012"),
        (service.pull_token, acceptance.task_id, 403, "NG-1105"),
    ):
        refused(service.get(f"/fhir/R4/Task/{path}/$receipt", token), status, code)


def test_definitions_are_read_and_found_by_everybody_and_may_be_kept_for_a_while(service: RunningService) -> None:
    get = service.clients[0].get
    statement = get("/fhir/R4/metadata")
    assert statement.json()["implementation"]["url"] == f"{service.base_url}/fhir/R4"
    url = f"{BASE}/CodeSystem/authority-outcome"
    read = get("/fhir/R4/CodeSystem/authority-outcome")
    assert (read.json()["url"], read.headers["content-type"]) == (url, "application/fhir+json")
    assert read.headers["cache-control"] == "public, max-age=300"
    again = get("/fhir/R4/CodeSystem/authority-outcome", headers={"If-None-Match": read.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", read.headers["etag"])
    for query, count in (
        ({"url": url}, 1),
        ({"url": f"{url}|1.0.0"}, 1),
        ({"url": f"{url}|2.0.0"}, 0),
        ({"name": "authority"}, 2),
        ({"_id": "authority-outcome", "version": "1.0.0"}, 1),
        ({"_count": "0"}, 0),
    ):
        bundle = get("/fhir/R4/CodeSystem", params=query)
        Bundle.model_validate(bundle.json())
        assert len(bundle.json().get("entry", ())) == count, query
    for kind in ("CodeSystem", "ValueSet", "StructureDefinition", "MessageDefinition", "OperationDefinition"):
        page, seen = get(f"/fhir/R4/{kind}?_count=4"), 0
        while True:
            seen += len(page.json()["entry"])
            following = link(page, "next")
            if following is None:
                break
            page = get(following)
        assert seen == page.json()["total"] > 0
        refused(get(f"/fhir/R4/{kind}/no-such-thing"), 404, "NG-1014")
    refused(get("/fhir/R4/CodeSystem?publisher=x"), 400, "NG-1013")
    assert get("/fhir/R4/CodeSystem?_format=json&_id=advice").json()["total"] == 1
    refused(get("/fhir/R4/CodeSystem?_format=xml"), 406, "NG-1003")
    refused(get("/fhir/R4/CodeSystem?_count=some"), 400, "NG-1011")
    refused(get("/fhir/R4/CodeSystem?url=a&url=b"), 400, "NG-1011")
    refused(get("/fhir/R4/metadata", headers={"Accept": "application/fhir+xml"}), 406, "NG-1003")
