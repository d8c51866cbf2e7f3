# SPDX-License-Identifier: MIT
"""The commands of keeping: erase, hold, rotate, close a year, restore."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from audit.note import Verifier
from notify_gateway.privacy.keys import VerifyingKey, load
from notify_gateway.runtime import LOG_PUBLIC, open_sequencer
from notify_gateway.settings import Settings
from tests.cli.conftest import Call


def sequence() -> None:
    with closing(open_sequencer(Settings())) as sequencer:
        while sequencer.run_once():
            pass


def test_a_restored_database_is_explained_and_opened_anew(ready: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = Settings().data_dir
    ready("trusts", "register", "RXX", "--name", "A", "--type", "other")
    sequence()
    assert "continues" in ready("restore", "plan").words
    for file in folder.glob("main.sqlite3*"):
        shutil.copyfile(file, tmp_path / file.name)
    ready("trusts", "register", "RYY", "--name", "B", "--type", "other")
    sequence()
    for file in folder.glob("main.sqlite3*"):
        file.unlink()
    for file in tmp_path.glob("main.sqlite3*"):
        shutil.copyfile(file, folder / file.name)
    plan = ready("restore", "plan", "--json").json
    assert (plan["continues"], plan["gap"]) == (False, [2, 3])
    assert [each["trust"] for each in plan["send_again"]] == ["RXX"]
    assert "are lost" in ready("restore", "plan").words
    done = ready("restore", "open", "--reason", "disk-failure", "--lists", str(tmp_path / "lists"), "--json").json
    assert done["origin"] == plan["next_origin"]
    assert json.loads((tmp_path / "lists" / "send-again-RXX.json").read_text())["trust"] == "RXX"
    blocked = ready("serve")
    assert blocked.status == 1
    assert f"NOTIFY_GATEWAY_LOG_ORIGIN={done['origin']}" in blocked.words
    monkeypatch.setenv("NOTIFY_GATEWAY_LOG_ORIGIN", done["origin"])
    sequence()
    refused = ready("restore", "open", "--reason", "again", "--lists", str(tmp_path / "lists"))
    assert refused.status == 1
    assert "nothing to open anew" in refused.words
    close = ("audit", "close-year", "--origin", "log.example/next")
    plan = ready(*close, "--json").json
    assert (plan["done"], plan["closes"], plan["next_origin"], plan["hindrance"]) == (False, done["origin"], "log.example/next", None)
    assert "Nothing was changed." in ready(*close).words
    closed = ready(*close, "--yes", "--json").json
    assert (closed["done"], closed["closed"]) == (True, done["origin"])
    monkeypatch.setenv("NOTIFY_GATEWAY_LOG_ORIGIN", "log.example/next")
    sequence()


def test_entries_of_closed_logs_are_deleted_by_command_in_two_steps(ready: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ready("trusts", "register", "RXX", "--name", "A", "--type", "other")
    sequence()
    old = Settings().log_origin
    ready("audit", "close-year", "--origin", "log.example/2027", "--yes")
    monkeypatch.setenv("NOTIFY_GATEWAY_LOG_ORIGIN", "log.example/2027")
    assert [each["log"] for each in ready("audit", "logs", "--json").json["closed"]] == [old]
    assert "kept for ever" in ready("audit", "logs").words
    assert "NG-8009" in ready("audit", "delete-entries", old, "--case", "RM-1", "--yes").words
    monkeypatch.setenv("NOTIFY_GATEWAY_LOG_KEPT", "PT0.000001S")
    plan = ready("audit", "delete-entries", old, "--case", "RM-1", "--json").json
    assert (plan["done"], plan["holds"]) == (False, [])
    assert "Nothing was changed." in ready("audit", "delete-entries", old, "--case", "RM-1").words
    assert ready("audit", "export", "--log", old, "--out", str(tmp_path / "whole.jsonl"), "--json").json["entries"] == plan["size"]
    done = ready("audit", "delete-entries", old, "--case", "RM-1", "--yes", "--json").json
    assert (done["done"], done["entries_deleted"]) == (True, plan["size"])
    assert "deleted on" in ready("audit", "logs").words
    assert ready("audit", "export", "--log", old, "--out", str(tmp_path / "hashes.jsonl"), "--json").json["entries"] == plan["size"]
    key = Verifier(old, load(Settings().keys / LOG_PUBLIC, VerifyingKey).raw).vkey
    for name, said in (("whole", "are readable here"), ("hashes", "were deleted on")):
        verified = ready("audit", "verify", "export", "--key", key, "--export", str(tmp_path / f"{name}.jsonl"))
        assert verified.status == 0
        assert said in verified.words


def test_keys_are_rotated_and_retired_by_command(ready: Call) -> None:
    before = ready("keys", "show", "--json").json["log"]["kid"]
    after = ready("keys", "rotate", "log", "--json").json["log"]["kid"]
    assert after != before
    assert ready("keys", "retire", "log", "--json").json == {"retired": before}
    assert "NG-8202" in ready("keys", "retire", "log").words


def test_what_there_is_not_cannot_be_erased_or_held(ready: Call) -> None:
    assert ready("erase", "SEN-00000000-0", "--reason", "court-order", "--case", "C-1", "--yes").status == 1
    assert ready("hold", "set", "SEN-00000000-0", "--reason", "inquiry", "--case", "C-1").status == 1
    assert ready("hold", "release", "SEN-00000000-0", "--case", "C-1").status == 1
    assert ready("hold", "list", "--json").json == []
    assert "Nothing that was erased is there again." in ready("restore", "replay-erasures").words
