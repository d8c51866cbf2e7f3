# SPDX-License-Identifier: MIT
"""``notify-gateway ig``: bringing on who may read the log."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Call


def test_a_reader_is_registered_gets_a_token_and_loses_it(ready: Call) -> None:
    made = ready("ig", "register", "DPO-ICB", "--for", "Data Protection Officer, Example ICB", "--json")
    assert made.json == {"name": "dpo-icb", "for": "Data Protection Officer, Example ICB"}
    token = ready("ig", "token", "dpo-icb", "--json").json
    (reader,) = ready("ig", "list", "--json").json
    assert reader["tokens"][0]["token_id"] == token["token_id"]
    assert token["token"] not in ready("ig", "list").out
    assert ready("ig", "revoke", token["token_id"]).status == 0
    assert ready("ig", "list", "--json").json[0]["tokens"][0]["standing"].startswith("revoked")


@pytest.mark.parametrize("name", ["x", "Jane Doe", "dpo_icb", "a" * 17, "ig:dpo"])
def test_a_name_that_the_log_could_not_bear_is_refused(name: str, ready: Call) -> None:
    result = ready("ig", "register", name, "--for", "Somebody")
    assert result.status == 1
    assert "short name" in result.err


def test_an_empty_list_says_what_comes_next(ready: Call) -> None:
    assert "ig register" in ready("ig", "list").out
