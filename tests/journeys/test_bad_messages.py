# SPDX-License-Identifier: MIT
"""Every bad message of the table, posted to the running service: the right 4xx, in time, without its values, and nothing is kept."""

from __future__ import annotations

import json
from typing import Any

import psutil
import pytest

from notify_gateway.domain.catalogue import Code, entry
from tests.fhir.bad_messages import CASES, SECRET, Case, build
from tests.support.service import RunningService, issue_codes

# Words of codes and systems turn up in answers by right: only values of these elements are a person's.
PERSONAL = ("family", "given", "value", "line", "postalCode", "birthDate", "contentString", "text", "div")
SHORTEST = 4


def cpu_seconds(service: RunningService) -> float:
    """Processor time of all that serves, children included."""
    spent = 0.0
    for process in service.processes.values():
        if process.name.startswith(("gateway", "embedded")):
            family = psutil.Process(process.pid)
            spent += sum(sum(each.cpu_times()[:2]) for each in (family, *family.children(recursive=True)))
    return spent


def persons_values(value: Any, key: str = "") -> set[str]:
    if isinstance(value, dict):
        return {found for name, item in value.items() for found in persons_values(item, name)}
    if isinstance(value, list):
        return {found for item in value for found in persons_values(item, key)}
    return {value} if isinstance(value, str) and key in PERSONAL and len(value) >= SHORTEST else set()


def counts(service: RunningService) -> tuple[dict[str, int], int]:
    """Row counts of all tables but those of the log, and how many events the log has or will have."""
    rows = service.row_counts()
    return {name: count for name, count in rows.items() if not name.startswith("audit_")}, rows["audit_leaf"] + rows["audit_pending"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_message_gets_its_4xx_and_leaves_nothing_but_an_audit_entry(service: RunningService, case: Case) -> None:
    body = build(case)
    (kept, logged), spent = counts(service), cpu_seconds(service)

    response = service.post(body)

    assert response.status_code == entry(case.code).status, response.text
    assert 400 <= response.status_code < 500
    assert case.code in issue_codes(response)
    assert cpu_seconds(service) - spent < 1
    entries = 0 if case.code is Code.BODY_TOO_LARGE else 1  # such a body is never taken in, so there is nothing to be named in the log
    assert counts(service) == (kept, logged + entries)
    assert SECRET not in response.text
    try:
        values = persons_values(json.loads(body))
    except (ValueError, RecursionError):
        values = set()
    said = response.text + str(response.headers)
    assert not [value for value in values if value in said]
