# SPDX-License-Identifier: MIT
"""The backup and the restore drill, by the very commands that docs/operators.md shows."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import closing
from pathlib import Path

import pytest

from notify_gateway.runtime import open_sequencer
from notify_gateway.settings import Settings
from tests.cli.conftest import Call
from tests.support.waiting import ROOT


def commands(heading: str) -> list[list[str]]:
    """Return the commands below a heading of the page, each in its words."""
    section = re.search(rf"(?ms)^## {heading}\n(.*?)^## ", (ROOT / "docs/operators.md").read_text("utf-8"))
    assert section is not None
    return [shlex.split(line)[1:] for line in re.findall(r"(?m)^ *(notify-gateway .*)$", section[1])]


def sequence() -> None:
    with closing(open_sequencer(Settings())) as sequencer:
        while sequencer.run_once():
            pass


def test_the_drill_goes_as_the_page_says(ready: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready("trusts", "register", "RXX", "--name", "A", "--type", "other")
    ready("authorities", "register", "E06000004", "--custody", "managed", "--channel", "pull")
    sequence()
    for command in commands("Backup"):
        done = ready(*command)
        assert done.status == 0, done.err
        assert "whole" in done.words or "Not in it: key files" in done.words
    ready("trusts", "register", "RYY", "--name", "B", "--type", "other")
    sequence()
    for file in [*folder.glob("var/main.sqlite3*"), *folder.glob("var/shred.sqlite3*")]:
        file.unlink()
    *first, plan, opening = commands("Restore drill")
    for command in first:
        done = ready(*command)
        assert done.status == 0, done.err
    told = ready(*plan, "--json").json
    # After the copy the backup's own two events were signed, and the second trust.
    assert (told["continues"], told["gap"]) == (False, [4, 7])
    done = ready(*opening)
    assert done.status == 0, done.err
    assert sorted(file.name for file in (folder / "send-again").iterdir()) == ["send-again-RXX.json", "set-aside-E06000004.json"]
    for file in (folder / "send-again").iterdir():
        assert json.loads(file.read_text())["still_held"] == []
    assert ready("serve").status == 1, "under the old name nothing starts"
    monkeypatch.setenv("NOTIFY_GATEWAY_LOG_ORIGIN", told["next_origin"])
    sequence()
    assert "continues" in ready("restore", "plan").words


def test_a_backup_says_what_hinders_it_and_leaves_nothing_behind(ready: Call, folder: Path) -> None:
    (folder / "full").mkdir()
    (folder / "full" / "file").touch()
    made = ready("backup", "--to", "full", "--shred-to", "other")
    assert (made.status, made.out) == (1, "")
    assert "no backup is ever overwritten" in made.words
    assert "There is no guard file here" in ready("backup", "--to", "main", "--shred-to", "shred").words
    document = ready("backup", "--to", "main2", "--shred-to", "shred2", "--json").json
    assert [each["name"] for each in document["main"]["files"]] == ["main.sqlite3"]
    assert document["main"]["log"]["size"] == 0
    assert document["to_destroy"] == []
    taken = ready("restore", "load", "main", "--shred", "shred")
    assert "is there already" in taken.words
    assert ready("restore", "load", "shred").status == 1
    # Half a backup is none: the shred keys cannot be copied, and the copy of the main database is gone again.
    (folder / "var/shred.sqlite3").unlink()
    (folder / "var/shred.sqlite3").mkdir()
    assert ready("backup", "--to", "main3", "--shred-to", "shred3").status == 1
    assert not (folder / "main3").exists()
