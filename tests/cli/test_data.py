# SPDX-License-Identifier: MIT
"""Postcodes, code tables and settings as the command shows them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import select

from audit.events import read_leaf
from mappings.postcodes import demonstration_source
from notify_gateway.settings import Settings
from notify_gateway.store.engine import open_engine
from notify_gateway.store.tables import audit_tables
from tests.cli.conftest import COMMAND, Call
from tests.support.processes import base_environment

MADE_UP = "pcds,oslaua,doterm,ctry\nTS18 1LD,E06000004,,E92000001\nTS1 2QJ,E06000002,202001,E92000001\n"


def _switches() -> list[dict[str, object]]:
    engine = open_engine(Settings().main_url)
    with engine.begin() as connection:
        leaves = connection.scalars(select(audit_tables.pending.c.leaf)).all()
    engine.dispose()
    events = [read_leaf(leaf) for leaf in leaves]
    return [{"edition": event.subject, **event.fields} for event in events if event.tag == "postcodes:switched"]


def test_a_directory_is_loaded_and_asked(call: Call, folder: Path) -> None:
    (folder / "ONSPD_NOV_2026.csv").write_text(MADE_UP)
    loaded = call("postcodes", "load", "ONSPD_NOV_2026.csv", "--json").json
    assert (loaded["edition"], loaded["count"], loaded["terminated"], loaded["switched"]) == ("ONSPD_NOV_2026", 2, 1, True)
    assert call("postcodes", "info", "--json").json["edition"] == "ONSPD_NOV_2026"
    found = call("postcodes", "lookup", "ts181ld", "--json").json
    assert found["authority"] == {"gss": "E06000004", "name": "Stockton-on-Tees"}
    assert (found["postcode"], found["country"], found["edition"]) == ("TS18 1LD", "England", "ONSPD_NOV_2026")
    assert "no longer used" in call("postcodes", "lookup", "TS1 2QJ").words


def test_a_postcode_is_asked_for_when_it_is_not_given(folder: Path, ready: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.cli.conftest import call_outside

    asked = call_outside("postcodes", "lookup", "--json", folder=folder, stdin="TS18 1LD\n")
    assert asked.json["district"] == "E06000004"
    assert "Postcode" in asked.err


@pytest.mark.parametrize(("postcode", "words"), [("nonsense", "no postcode"), ("TS18 9ZZ", "not in the table")])
def test_what_cannot_be_found_is_told(postcode: str, words: str, ready: Call) -> None:
    result = ready("postcodes", "lookup", postcode)
    assert result.status == 1
    assert words in result.words


def test_outside_england_no_authority_answers(ready: Call) -> None:
    found = ready("postcodes", "lookup", "CF10 3ND", "--json").json
    assert (found["country"], found["authority"]) == ("Wales", None)


def test_the_switch_is_in_the_log_once_for_each_edition(ready: Call, folder: Path) -> None:
    (folder / "next.csv").write_text(MADE_UP)
    assert ready("postcodes", "load", "next.csv", "--json").json["recorded"] is True
    again = ready("postcodes", "load", "next.csv", "--json").json
    assert (again["switched"], again["recorded"]) == (False, False)
    assert [(switch["edition"], switch.get("previous")) for switch in _switches()] == [("demonstration", None), ("next", "demonstration")]


def test_nothing_is_switched_while_the_database_does_not_answer(ready: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "next.csv").write_text(MADE_UP)
    monkeypatch.setenv("NOTIFY_GATEWAY_DATABASE_URL", "postgresql+psycopg://nobody:hidden-words@127.0.0.1:1/none")
    result = ready("postcodes", "load", "next.csv")
    assert result.status == 1
    assert "database does not answer" in result.words
    assert "hidden-words" not in result.words
    assert ready("postcodes", "info", "--json").json["edition"] == "demonstration"


def test_a_file_that_is_no_directory_is_refused_in_words(call: Call, folder: Path) -> None:
    (folder / "list.csv").write_text("name,value\nx,1\n")
    result = call("postcodes", "load", "list.csv")
    assert result.status == 1
    assert "not a postcode directory" in result.words
    assert call("postcodes", "info").status == 1


def test_rows_that_were_left_out_are_named_by_line(call: Call, folder: Path) -> None:
    rows = [f"TS1{n % 10} {n % 9}A{chr(65 + n % 26)},E06000004,,E92000001\n" for n in range(300)]
    (folder / "list.csv").write_text("pcds,oslaua,doterm,ctry\n" + "".join(rows) + "!!!,E06000004,,E92000001\n")
    loaded = call("postcodes", "load", "list.csv")
    assert loaded.status == 0
    assert "1 rows were left out: line 302" in loaded.words


def test_progress_is_drawn_on_a_terminal_and_results_stay_pure(folder: Path) -> None:
    rows = "".join(
        f"{a}{b}{n} {m}{c}{d},E06000004,,E92000001\n"
        for a in "BLMT"
        for b in "ABDLS"
        for n in range(1, 99)
        for m in range(10)
        for c in "AB"
        for d in "DEFGHJLN"
    )
    (folder / "big.csv").write_text("pcds,oslaua,doterm,ctry\n" + rows)
    terminal, other = os.openpty()
    ended = subprocess.Popen(
        [*COMMAND, "postcodes", "load", "big.csv", "--json"],
        cwd=folder,
        env=base_environment() | {"TERM": "xterm-256color"},
        stdout=subprocess.PIPE,
        stderr=other,
        text=True,
    )
    os.close(other)
    drawn = b""
    while True:
        try:
            drawn += (chunk := os.read(terminal, 65536))
        except OSError:
            break
        if not chunk:
            break
    out, _ = ended.communicate(timeout=60)
    os.close(terminal)
    assert ended.returncode == 0
    assert b"reading" in drawn
    assert b"writing" in drawn
    assert out.startswith("{")
    assert out.rstrip().endswith("}")


def test_the_demonstration_table_holds_public_buildings_only(call: Call) -> None:
    loaded = call("postcodes", "demonstration", "--json").json
    assert loaded["count"] == len(demonstration_source().read_text().splitlines()) - 1


def test_code_tables_are_sound_and_explained(call: Call) -> None:
    assert call("mappings", "check", "--json").json["problems"] == []
    assert "sound" in call("mappings", "check").words
    explained = call("mappings", "explain", "SLCN", "--json").json
    assert explained["known"] is True
    assert "Communication and interaction" in call("mappings", "explain", "SLCN").words
    assert call("mappings", "explain", "12345").status == 1


def test_settings_are_shown_with_their_source_and_no_secret(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "url").write_text("redis://:hidden-words@127.0.0.1/0")
    (folder / ".env").write_text("NOTIFY_GATEWAY_LOG_LEVEL=warning\n")
    monkeypatch.setenv("NOTIFY_GATEWAY_BROKER_URL_FILE", str(folder / "url"))
    monkeypatch.setenv("NOTIFY_GATEWAY_BASE_URL", "https://gateway.example")
    shown = call("config", "show", "--json").json
    assert shown["NOTIFY_GATEWAY_BROKER_URL"] == {"value": "set, and not shown", "from": f"file {folder / 'url'}"}
    assert shown["NOTIFY_GATEWAY_BASE_URL"] == {"value": "https://gateway.example", "from": "environment"}
    assert shown["NOTIFY_GATEWAY_LOG_LEVEL"] == {"value": "warning", "from": ".env"}
    assert shown["NOTIFY_GATEWAY_LEASE"]["from"] == "default"
    assert set(shown) == {f"NOTIFY_GATEWAY_{name.upper()}" for name in Settings.model_fields}
    assert "hidden-words" not in call("config", "show").words


def test_all_settings_are_documented_as_a_table(call: Call) -> None:
    lines = call("config", "docs").out.splitlines()
    named = [re.match(r"\| `(\w+)` \|", line)[1] for line in lines[2:]]  # type: ignore[index]
    assert sorted(named) == sorted(f"NOTIFY_GATEWAY_{name.upper()}" for name in Settings.model_fields)
    assert all(line.count("|") == 4 for line in lines)


@pytest.mark.parametrize(
    ("name", "value"), [("COMMIT_GROUP", "many"), ("DEPLOYMENT", "staging"), ("LEASE", "soon"), ("COMMIT_GROUP", "100000")]
)
def test_a_wrong_setting_is_named_and_its_value_not_repeated(name: str, value: str, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"NOTIFY_GATEWAY_{name}", value)
    result = call("config", "show")
    assert result.status == 1
    assert f"NOTIFY_GATEWAY_{name} is not right" in result.err
    assert value not in result.err


def test_settings_that_do_not_go_together_are_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_DEPLOYMENT", "live")
    result = call("keys", "make")
    assert result.status == 1
    assert "https://" in result.err
    assert not Path("var").exists()


def test_a_secret_file_that_is_not_there_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_DATABASE_URL_FILE", "/nowhere/url")
    result = call("migrate")
    assert result.status == 1
    assert "/nowhere/url" in result.err
