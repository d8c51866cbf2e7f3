# SPDX-License-Identifier: MIT
"""A FHIR client from elsewhere (fhirpy), which knows nothing of this project, reads what the service can do, posts and tracks."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, OperationOutcome, ResourceNotFound

from notify_gateway.cli.examples.draft import Draft
from notify_gateway.domain.clock import SystemClock
from notify_gateway.fhir import names
from tests.support.service import RunningService
from tests.support.services import eventually

Connect = Callable[[], SyncFHIRClient]


@pytest.fixture
def connect(one_service: RunningService) -> Connect:
    """Makes a client with fresh ids: fhirpy sends the same headers with each request."""

    def make(token: str | None = None) -> SyncFHIRClient:
        headers = {"Content-Type": "application/fhir+json", "X-Request-ID": str(uuid4()), "X-Correlation-ID": str(uuid4())}
        bearer = f"Bearer {token or one_service.trust_token}"
        return SyncFHIRClient(f"{one_service.base_url}/fhir/R4", authorization=bearer, extra_headers=headers)

    return make


def test_it_reads_what_the_service_can_do(connect: Connect) -> None:
    statement = connect().execute("metadata", method="get")
    assert statement.resourceType == "CapabilityStatement"
    assert statement.fhirVersion == "4.0.1"
    (rest,) = statement.rest
    task = next(resource for resource in rest.resource if resource.type == "Task")
    assert {"read", "search-type"} <= {interaction.code for interaction in task.interaction}
    assert "process-message" in {operation.name for operation in rest.operation}


def test_it_reads_the_definition_of_the_message(connect: Connect) -> None:
    found = connect().resources("MessageDefinition").search(url=names.DEFINITION).fetch()
    assert [definition.url for definition in found] == [names.DEFINITION]
    assert connect().get("MessageDefinition", found[0].id)["eventCoding"]["code"] == names.EVENT


def test_it_posts_a_notification_and_tracks_its_task(connect: Connect, one_service: RunningService) -> None:
    now = SystemClock().now()
    draft = Draft(now)
    outcome = connect().execute("$process-message", data=draft.document)
    assert outcome.resourceType == "OperationOutcome"
    reference = next(part.valueString for part in outcome.extension[0].extension if part.url == "reference")

    changed = connect().resources("Task").search(_lastUpdated=f"ge{now.isoformat(timespec='seconds').replace('+00:00', 'Z')}").fetch()
    (task,) = [each for each in changed if any(identifier.value == reference for identifier in each.identifier)]
    assert datetime.fromisoformat(task.authoredOn) >= now.replace(microsecond=0)

    one_service.collect(one_service.offered(reference))
    eventually(lambda: connect().get("Task", task.id)["status"] == "accepted", what="the Task accepted")


def test_it_is_told_in_fhir_what_is_wrong(connect: Connect) -> None:
    with pytest.raises(OperationOutcome) as refused:
        connect().execute("$process-message", data=Draft(SystemClock().now()).without("informed").document)
    issue = refused.value.resource["issue"][0]
    assert issue["code"] == "business-rule"
    assert "NG-4001" in json.dumps(issue)
    with pytest.raises(ResourceNotFound):
        connect().get("Task", str(uuid4()))
    with pytest.raises(AuthorizationError):
        connect("nobody's token").get("Task", str(uuid4()))  # type: ignore[call-arg]
