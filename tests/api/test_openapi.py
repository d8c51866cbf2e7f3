# SPDX-License-Identifier: MIT
"""The description of the interface: every route has its row, every row a route, and what they say hangs together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from jsonschema import Draft202012Validator

from mappings.postcodes import compile_table, demonstration_source
from notify_gateway.api.endpoints import ENDPOINTS
from notify_gateway.app import create_app
from notify_gateway.runtime import Runtime, make_keys
from notify_gateway.settings import Deployment, Settings
from notify_gateway.store.migrate import upgrade_all


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("service"))
    make_keys(settings)
    upgrade_all(settings.main_url, settings.shred_url)
    compile_table(demonstration_source(), settings.postcodes, edition="demonstration")
    runtime = Runtime.open(settings)
    yield create_app(runtime)
    runtime.close()


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return made


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{method.upper()} {path}": told for path, methods in document["paths"].items() for method, told in methods.items()}


def parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from parts(item)


def test_every_route_has_a_row_and_every_row_a_route(document: dict[str, Any]) -> None:
    assert set(operations(document)) == {f"{method} {path}" for method, path in ENDPOINTS}


def test_no_route_is_hidden(app: FastAPI, document: dict[str, Any]) -> None:
    routes = {
        f"{method} {re.sub(':path', '', route.path or '')}" for route in iter_route_contexts(app.routes) for method in route.methods or ()
    }
    assert routes == set(operations(document))


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for part in parts(document):
        if "$ref" in part:
            found: Any = document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]


def test_schemas_are_schemas_and_examples_obey_them(document: dict[str, Any]) -> None:
    shown = 0
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for part in parts(document["paths"]):
        if "schema" in part and ("example" in part or "examples" in part):
            whole = {"components": document["components"], **part["schema"]}
            for example in [part["example"]] if "example" in part else [each["value"] for each in part["examples"].values()]:
                Draft202012Validator(whole).validate(example)
                shown += 1
    assert shown > 100


def test_every_operation_says_what_it_is_for_and_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    told = operations(document)
    for name, operation in told.items():
        assert operation["summary"], name
        assert len(operation["summary"]) < 140, name
        assert operation["description"].endswith("."), name
        assert operation["tags"], name
    assert len({operation["operationId"] for operation in told.values()}) == len(told)
    assert {tag for operation in told.values() for tag in operation["tags"]} <= {tag["name"] for tag in document["tags"]}


def test_every_operation_declares_what_may_always_happen(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        assert {"429", "500", "503"} <= set(operation["responses"]), name
        assert any(status < "400" for status in operation["responses"]), name
        if operation["security"]:
            assert {"401", "403"} <= set(operation["responses"]), name
        if "requestBody" in operation:
            assert {"400", "408", "413", "415"} <= set(operation["responses"]), name
            assert operation["requestBody"]["content"], name
        for status, response in operation["responses"].items():
            assert response["description"], (name, status)
            assert {"X-Request-ID", "X-Correlation-ID"} <= set(response["headers"]), (name, status)
            assert ("Retry-After" in response["headers"]) == (status in ("425", "429", "503")), (name, status)
            assert ("WWW-Authenticate" in response["headers"]) == (status == "401"), (name, status)
            if status >= "400":
                assert response["content"], (name, status)


def test_whoever_signs_in_finds_how(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    scopes = schemes["oauth2"]["flows"]["clientCredentials"]["scopes"]
    used = {scope for told in operations(document).values() for each in told["security"] for scope in each.get("oauth2", ())}
    assert used == set(scopes)
    assert schemes["oauth2"]["flows"]["clientCredentials"]["tokenUrl"] in document["paths"]
    assert schemes["bearer"]["scheme"] == "bearer"


def test_a_parameter_is_told_once(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        told = [(each.get("in"), each.get("name", each.get("$ref"))) for each in operation.get("parameters", ())]
        assert len(set(told)) == len(told), name


def test_a_status_may_be_of_every_kind_of_deployment(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["Status"]["properties"]["deployment"]["enum"] == [each.value for each in Deployment]


def test_nothing_is_named_that_the_framework_would_answer_by_itself(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in json.dumps(document)
