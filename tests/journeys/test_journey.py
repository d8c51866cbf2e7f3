# SPDX-License-Identifier: MIT
"""A notification travels from trust to authority: each step over real HTTP, on both kinds of service."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import jsonschema
import pytest

from audit.merkle import leaf_hash
from audit.note import Verifier
from audit.receipts import verify_promise, verify_receipt
from notify_gateway.privacy.opening import CannotOpen, open_delivery
from notify_gateway.privacy.recipients import RecipientPrivateKey, RecipientPurpose, Suite
from tests.support.messages import EXAMPLE, Message, a_message
from tests.support.service import PULL, WEBHOOK, Acceptance, RunningService, a_message_for, issue_codes
from tests.support.services import ROOT, base_environment, eventually

# The published allow-list, written out: a field that is added to the view must be added here by somebody who has thought about it.
VIEW_FIELDS = {
    "format",
    "version",
    "reference",
    "child",
    "authority",
    "sender",
    "sender_service",
    "needs",
    "opinion_formed_on",
    "parent_informed_on",
    "discussion_offered_on",
    "sent_on",
    "term_cohort",
    "parent_view",
    "voluntary_organisation",
    "do_not_contact_before",
    "flags",
}
NEED_FIELDS = {"sen_type", "area", "certainty", "kinds", "strength", "table_version"}


def keys_of(service: RunningService) -> dict[str, Verifier]:
    published = service.clients[0].get("/log/keys").json()
    return {name: Verifier.from_vkey(published[name]) for name in ("log", "promises")}


def accepted(service: RunningService, message: Message | bytes) -> Acceptance:
    return Acceptance.of(service.post(message))


def state(service: RunningService, acceptance: Acceptance) -> str:
    return str(service.task(acceptance.task_id)["businessStatus"]["coding"][0]["code"])


def test_an_accepted_notification_is_answered_with_its_place_the_callers_ids_and_a_promise_that_verifies(service: RunningService) -> None:
    request_id, correlation_id = str(uuid4()), str(uuid4())
    before = datetime.now(UTC)  # noqa: TID251 - the sender's own clock
    response = service.post(a_message(), request_id=request_id, headers={"X-Correlation-ID": correlation_id})

    acceptance = Acceptance.of(response)
    assert response.headers["location"] == f"{service.base_url}/fhir/R4/Task/{acceptance.task_id}"
    assert response.headers["x-request-id"] == request_id
    assert response.headers["x-correlation-id"] == correlation_id
    assert response.headers["content-type"] == "application/fhir+json"
    assert response.headers["cache-control"] == "no-store"
    promise = verify_promise(acceptance.promise, leaf_hash(acceptance.leaf), keys_of(service)["promises"])
    assert abs(promise.accepted_at - before) < timedelta(seconds=10)
    assert (promise.due_at - promise.accepted_at).total_seconds() == 60
    leaf = json.loads(acceptance.leaf)
    assert leaf["subject"] == acceptance.task_id
    assert leaf["actor"] == "RXX"
    assert leaf["fields"]["authority"] == acceptance.authority == PULL


def test_the_promise_proves_nothing_about_another_leaf(service: RunningService) -> None:
    one, other = accepted(service, a_message()), accepted(service, a_message())
    with pytest.raises(Exception, match="another entry"):
        verify_promise(one.promise, leaf_hash(other.leaf), keys_of(service)["promises"])


def test_the_view_that_waits_at_the_authority_holds_the_published_fields_and_no_other(service: RunningService) -> None:
    reference = accepted(service, a_message()).reference
    delivery_id = service.offered(reference)
    listed = next(item for item in service.waiting() if item["delivery_id"] == delivery_id)
    schema = service.clients[0].get("/schemas/view.json").json()

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(listed["view"], schema, format_checker=jsonschema.FormatChecker())
    assert set(listed["view"]) == set(schema["properties"]) == VIEW_FIELDS
    assert all(set(need) == NEED_FIELDS for need in listed["view"]["needs"])
    assert schema["additionalProperties"] is False
    assert listed["view"]["reference"] == reference
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**listed["view"], "name": "x"}, schema)
    assert json.loads(service.collect(delivery_id))["view"] == listed["view"]


def test_each_live_key_of_the_authority_opens_the_delivery_and_the_original_is_what_was_posted(service: RunningService) -> None:
    message = a_message()
    body = json.dumps(message.data, ensure_ascii=True, indent=3).encode() + b"\n\n"
    reference = accepted(service, body).reference
    document = json.loads(service.collect(service.offered(reference)))

    assert [key.suite for key in service.keys[PULL]] == [Suite.MLKEM768_X25519, Suite.X25519]
    for key in service.keys[PULL]:
        opened = open_delivery(document, key, service.runtime.public.gateway)
        assert opened.original is not None
        assert opened.original.reveal() == body
        assert opened.card.reveal()["child"]["nhs_number"] == message.number
        assert opened.reference == reference


def test_another_authoritys_key_and_a_key_registered_later_open_nothing(service: RunningService) -> None:
    document = json.loads(service.collect(service.offered(accepted(service, a_message()).reference)))
    strangers = [*service.keys[WEBHOOK], RecipientPrivateKey.generate(PULL, RecipientPurpose.WORKING)]
    for key in strangers:
        with pytest.raises(CannotOpen):
            open_delivery(document, key, service.runtime.public.gateway)


def test_the_example_of_the_documentation_goes_all_the_way_and_the_trust_sees_it_acknowledged(service: RunningService) -> None:
    body = EXAMPLE.read_bytes()
    acceptance = accepted(service, body)
    assert state(service, acceptance) in ("queued", "offered")
    delivery_id = service.offered(acceptance.reference)
    document = json.loads(service.collect(delivery_id))
    opened = open_delivery(document, service.keys[PULL][0], service.runtime.public.gateway)
    assert opened.original is not None
    assert opened.original.reveal() == body

    task = service.task(acceptance.task_id)
    assert task["resourceType"] == "Task"
    assert task["id"] == acceptance.task_id
    assert state(service, acceptance) == "acknowledged"
    reached = {output["type"]["coding"][0]["code"]: output["valueDateTime"] for output in task["output"]}
    assert list(reached) == ["offered", "received", "acknowledged"]
    assert reached["offered"] <= reached["received"] <= reached["acknowledged"]


def test_a_webhook_delivers_once_signed_and_the_trust_sees_it_received(service: RunningService) -> None:
    message = a_message_for(a_message(), WEBHOOK)
    acceptance = accepted(service, message)

    def mine() -> list[bytes]:
        return [body for body in list(service.receiver.applied.values()) if json.loads(body)["reference"] == acceptance.reference]

    document = json.loads(eventually(mine, within=20)[0])
    assert acceptance.authority == WEBHOOK
    assert service.receiver.posts[document["delivery_id"]] == 1
    assert service.receiver.refused.total() == 0
    opened = open_delivery(document, service.keys[WEBHOOK][0], service.runtime.public.gateway)
    assert opened.original is not None
    assert opened.original.reveal() == message.bytes()
    eventually(lambda: state(service, acceptance) == "received", within=10, what="the Task received")


def test_receipts_verify_offline_with_the_public_key_alone(service: RunningService, tmp_path: Path) -> None:
    acceptance = accepted(service, a_message())
    leaf, receipt = service.receipt(acceptance.task_id)
    key = service.clients[0].get("/log/keys").json()["log"]
    assert leaf == acceptance.leaf
    assert verify_receipt(receipt, leaf_hash(leaf), Verifier.from_vkey(key)).checkpoint.origin == service.settings.log_origin

    for name, content in (("leaf", leaf), ("receipt", receipt.encode()), ("changed", leaf.replace(b"RXX", b"RYY"))):
        (tmp_path / name).write_bytes(content)
    said = verify_offline(tmp_path, key, "leaf")
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.startswith("Proven.")
    said = verify_offline(tmp_path, key, "changed")
    assert said.returncode == 1
    assert said.stdout.startswith("NOT PROVEN")


def verify_offline(folder: Path, key: str, leaf: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "audit.verify", "receipt", "--key", key, "--receipt", "receipt", "--leaf", leaf]
    return subprocess.run(
        command, cwd=folder, env=base_environment() | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


def test_whoever_asks_to_wait_gets_the_receipt_with_the_acceptance(service: RunningService) -> None:
    acceptance = Acceptance.of(service.post(a_message(), headers={"Prefer": "respond-async, wait=2"}))
    assert acceptance.receipt is not None
    verify_receipt(acceptance.receipt, leaf_hash(acceptance.leaf), keys_of(service)["log"])
    assert accepted(service, a_message()).receipt is None


def test_the_authoritys_own_steps_are_proved_to_it_too(service: RunningService) -> None:
    delivery_id = service.offered(accepted(service, a_message()).reference)
    service.collect(delivery_id)
    response = service.when(200, lambda: service.authority("GET", f"deliveries/{delivery_id}/receipts"))
    assert set(response.json()) == {"received", "acknowledged"}
    for step, proof in response.json().items():
        leaf = b64decode(proof["leaf"])
        verify_receipt(proof["receipt"], leaf_hash(leaf), keys_of(service)["log"])
        assert json.loads(leaf)["event"] == f"delivery:{step}"
        assert json.loads(leaf)["subject"] == delivery_id


def test_fetching_is_not_receiving(service: RunningService) -> None:
    acceptance = accepted(service, a_message())
    delivery_id = service.offered(acceptance.reference)
    first = service.authority("GET", f"deliveries/{delivery_id}")
    assert first.status_code == 200
    assert service.authority("GET", f"deliveries/{delivery_id}").content == first.content
    assert state(service, acceptance) == "offered"
    assert delivery_id in {item["delivery_id"] for item in service.waiting()}
    service.collect(delivery_id)
    assert delivery_id not in {item["delivery_id"] for item in service.waiting()}


def test_nothing_is_acknowledged_before_it_is_received_and_received_only_with_the_right_digest(service: RunningService) -> None:
    acceptance = accepted(service, a_message())
    delivery_id = service.offered(acceptance.reference)
    early = service.authority("POST", f"deliveries/{delivery_id}/acknowledge")
    assert (early.status_code, issue_codes(early)) == (409, ["NG-7004"])
    document = service.authority("GET", f"deliveries/{delivery_id}").content
    wrong = service.confirm(delivery_id, hashlib.sha256(document + b" ").hexdigest())
    assert (wrong.status_code, issue_codes(wrong)) == (409, ["NG-7005"])
    assert state(service, acceptance) == "offered"
    senseless: tuple[object, ...] = ({}, {"digest": "x"}, {"digest": 7}, [])
    for nonsense in senseless:
        assert service.authority("POST", f"deliveries/{delivery_id}/received", json=nonsense).status_code == 400
    service.collect(delivery_id)


def test_confirming_and_acknowledging_a_second_time_returns_the_first_result(service: RunningService) -> None:
    delivery_id = service.offered(accepted(service, a_message()).reference)
    document = service.collect(delivery_id)
    digest = hashlib.sha256(document).hexdigest()
    first = service.authority("POST", f"deliveries/{delivery_id}/acknowledge").json()
    assert first["state"] == "acknowledged"
    assert service.authority("POST", f"deliveries/{delivery_id}/acknowledge").json() == first
    assert service.confirm(delivery_id, digest).json() == first
    assert service.authority("GET", f"deliveries/{delivery_id}").content == document


def test_a_child_notified_twice_bears_one_pseudonym_at_the_authority_and_another_elsewhere(service: RunningService) -> None:
    first, again = a_message(4711), a_message(4711)
    elsewhere = a_message_for(a_message(4711), WEBHOOK)
    children = []
    for message in (first, again):
        reference = accepted(service, message).reference
        children.append(json.loads(service.collect(service.offered(reference)))["view"]["child"])
    reference = accepted(service, elsewhere).reference
    bodies = eventually(lambda: [b for b in list(service.receiver.applied.values()) if reference.encode() in b], within=20)
    assert children[0] == children[1] != json.loads(bodies[0])["view"]["child"]
