# SPDX-License-Identifier: MIT
"""Leaves over HTTP: all of them for information governance, to each organisation its own, and each look is in the log."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from audit.events import Event, read_leaf
from audit.export import verify_export
from audit.merkle import leaf_hash
from audit.verify import main as verify
from notify_gateway.api.endpoints import ENDPOINTS
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.access import LOG_SCOPE
from tests.support.answers import Acceptance, issue_codes
from tests.support.messages import a_message
from tests.support.service import PULL, RunningService
from tests.support.waiting import eventually


def get(service: RunningService, path: str, token: str) -> httpx2.Response:
    return service.get(path, token=token)


def recorded(service: RunningService, tag: str) -> list[Event]:
    leaf, pending = audit_tables.leaf.c, audit_tables.pending.c
    with reading(service.gateway.engine).begin() as connection:
        leaves = [*connection.scalars(select(pending.leaf)), *connection.scalars(select(leaf.leaf))]
    return [event for event in map(read_leaf, dict.fromkeys(leaves)) if event.tag == tag]


def accepted(service: RunningService) -> Acceptance:
    """Have a message accepted, and return when it is in the signed log."""
    said = Acceptance.of(service.post(a_message(), headers={"Prefer": "wait=5"}))
    service.receipt(said.task_id)
    return said


def test_entries_leave_as_bundles_once_it_is_recorded_who_reads_them(service: RunningService) -> None:
    accepted(service)
    before = recorded(service, "log_entries:viewed")
    answer = get(service, "/log/tile/entries/000.p/3", service.ig_token)
    assert answer.status_code == 200
    first = read_leaf(answer.content[2 : 2 + int.from_bytes(answer.content[:2], "big")])
    assert first.tag == "client:registered"
    assert "no-store" in answer.headers["cache-control"]
    (event,) = [event for event in recorded(service, "log_entries:viewed") if event not in before]
    assert (event.actor, dict(event.fields)) == ("ig:dpo", {"first": 0, "last": 2})
    nowhere = get(service, "/log/tile/entries/x999/999", service.ig_token)
    assert (nowhere.status_code, issue_codes(nowhere)) == (404, ["NG-8001"])


def test_the_whole_log_leaves_for_information_governance_and_verifies(service: RunningService, tmp_path: Path) -> None:
    said = accepted(service)
    answer = get(service, "/ig/export", service.ig_token)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    verdict = verify_export(answer.content.splitlines(), [service.runtime.public.log], seek=leaf_hash(said.leaf))
    assert verdict.found is not None
    assert verdict.in_full == verdict.checkpoint.size
    (tmp_path / "log.jsonl").write_bytes(answer.content)
    assert verify(["export", "--key", service.runtime.public.log.vkey, "--export", str(tmp_path / "log.jsonl")]) == 0
    begun = eventually(lambda: recorded(service, "export:attempted"), what="the export in the log")
    ended = eventually(lambda: recorded(service, "log:exported"), what="its end in the log")
    assert {event.fields["export"] for event in begun} >= {event.fields["export"] for event in ended}
    assert {event.actor for event in ended} >= {"ig:dpo"}


@pytest.mark.parametrize("whose", ["trust", "authority"])
def test_an_organisation_gets_its_own_entries_and_the_hashes_of_the_rest(service: RunningService, whose: str) -> None:
    accepted(service)
    token, code = (service.trust_token, "RXX") if whose == "trust" else (service.pull_token, PULL)
    answer = get(service, "/log/export", token)
    assert answer.status_code == 200
    seen: list[Event] = []
    verdict = verify_export(answer.content.splitlines(), [service.runtime.public.log], seen=lambda _, leaf: seen.append(read_leaf(leaf)))
    assert len(seen) == verdict.in_full < verdict.checkpoint.size
    assert "notification:accepted" in {event.tag for event in seen}
    for event in seen:
        assert code in (event.actor, event.subject, *event.fields.values()), event.tag
    others = {"RYY", "ig:dpo"} | ({"RXX"} if whose == "authority" else set())
    assert not others & {event.actor for event in seen if not event.tag.startswith("notification:")}
    (mine, *_) = [event for event in recorded(service, "log:exported") if event.actor == code]
    assert mine.fields["organisation" if whose == "trust" else "authority"] == code


def test_each_kind_of_token_opens_its_own_endpoints_and_no_other(one_service: RunningService) -> None:
    service = one_service
    tokens = {"notifications:send": service.trust_token, "deliveries:collect": service.pull_token, LOG_SCOPE: service.ig_token}
    for (method, path), endpoint in ENDPOINTS.items():
        if not endpoint.scope:
            continue
        address = path.replace("{path}", "000.p/1").replace("{delivery_id}", "0" * 8 + "-0000-0000-0000-" + "0" * 12)
        headers = {"X-Request-ID": "00000000-0000-4000-8000-000000000000", "X-Correlation-ID": "00000000-0000-4000-8000-000000000000"}
        headers |= {"Content-Type": endpoint.body.media} if endpoint.body else {}
        for scope, token in tokens.items():
            asked = headers | {"Authorization": f"Bearer {token}"}
            answer = service.clients[0].request(method, address, headers=asked, content=b"{}" if endpoint.body else None)
            if scope in endpoint.scopes:
                assert answer.status_code not in (401, 403), (method, path, scope)
            else:
                assert (answer.status_code, issue_codes(answer)) == (403, ["NG-1105"]), (method, path, scope)
        assert service.clients[0].request(method, address, headers=headers).status_code == 401, (method, path)
