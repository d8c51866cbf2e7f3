# SPDX-License-Identifier: MIT
"""``notify-gateway operations`` and ``operators``: the pages as commands, and who may come to the pages."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.cli.conftest import Call


def test_a_fresh_service_is_described_and_nothing_that_is_not_known_is_called_well(ready: Call) -> None:
    home = ready("operations", "home", "--json").json
    levels = {line["name"]: line["level"] for line in home["lines"]}
    assert (levels["Door"], levels["Queue"], levels["Invariants"]) == ("ok", "ok", "unknown")
    assert home["last_heard"] == []
    assert "Nothing is waiting." in ready("operations", "home").words
    queues = ready("operations", "queues", "--json").json
    assert [each["waiting"] for each in queues["queues"][:-1]] == [0] * 5
    assert "No worker holds anything now." in ready("operations", "queues").words
    assert ready("operations", "failed", "--json").json == []
    assert "Nothing fails and nothing is parked." in ready("operations", "failed").words
    assert ready("operations", "deliveries", "--json").json == []
    assert ready("operations", "downtime", "list", "--json").json == []
    assert ready("operations", "disputes", "list", "--json").json == []
    assert "Nothing goes to and fro." in ready("operations", "disputes", "list").words
    assert ready("operations", "uncollected", "--json").json == {"mailboxes": [], "late": []}
    assert "Nothing lies in MESH uncollected." in ready("operations", "uncollected").words
    assert ready("operations", "checks", "--json").json["failed"] == ready("doctor", "--json").json["failed"]


def test_keys_are_shown_and_none_of_them_is_private(ready: Call) -> None:
    keys = ready("operations", "keys", "--json").json
    assert {each["purpose"] for each in keys["keys"]} == {"signs sealed headers, webhooks and promises", "signs the audit log"}
    assert all(len(each["fingerprint"].split()) == 8 for each in keys["keys"])
    assert "private" not in ready("operations", "keys").out


def test_a_retry_without_yes_only_shows_what_would_be_done(ready: Call) -> None:
    result = ready("operations", "retry", "--code", "timeout", "--reason", "receiver-mended", "--delivery", uuid4(), "--json")
    assert result.json == {"dry_run": True, "retried": 0, "held": 0, "left": {"unknown": 1}}
    assert "Add --yes to do it." in ready("operations", "retry", "--reason", "receiver-mended").words


def test_what_is_no_delivery_is_told_in_words(ready: Call) -> None:
    for arguments in (("park", "--reason", "under-inquiry"), ("give-up", "--reason", "damaged"), ("delivery",)):
        assert "That is no delivery id" in ready("operations", *arguments, "SEN-00000000-0").err
        assert "NG-7003" in ready("operations", *arguments, uuid4()).err


def test_an_operator_gets_a_token_for_a_shift_and_loses_it(ready: Call) -> None:
    made = ready("operators", "token", "alex", "--lasts", "30m", "--look-only", "--json").json
    assert (made["operator"], made["may_act"]) == ("alex", False)
    assert made["token"].startswith("ng_operator_")
    own = ready("operators", "token", "--json").json
    assert own["may_act"] is True
    assert made["token"] not in ready("operators", "list").out
    assert ready("operators", "revoke", made["token_id"]).status == 0
    held = {each["name"]: each["tokens"][0]["standing"] for each in ready("operators", "list", "--json").json}
    assert held["alex"].startswith("revoked")
    assert held[own["operator"]].startswith("valid")


@pytest.mark.parametrize("arguments", [("Jane Doe",), ("alex", "--lasts", "soon"), ("alex", "--lasts", "8d"), ("alex", "--lasts", "0h")])
def test_a_name_or_a_time_that_cannot_be_is_refused(arguments: tuple[str, ...], call: Call) -> None:
    result = call("operators", "token", *arguments)
    assert (result.status, "That is no" in result.err) == (1, True)
