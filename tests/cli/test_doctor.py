# SPDX-License-Identifier: MIT
"""Doctor names each broken thing and how to mend it: it is broken here, and the fix is seen."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from notify_gateway.cli import doctor as examination
from notify_gateway.cli import doctor_paper
from notify_gateway.cli.doctor import examine
from notify_gateway.cli.doctor_paper import check_paper
from notify_gateway.cli.findings import Check, State
from notify_gateway.domain.clock import SystemClock
from notify_gateway.runtime import open_sequencer
from notify_gateway.settings import Settings
from tests.cli.conftest import Call
from tests.support.service import plain_url
from tests.support.services import PrivateRedis


class ClockThatIsOff:
    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return SystemClock().now() + self._by


def found(name: str, checks: list[Check] | None = None) -> Check:
    return next(check for check in (checks or examine()) if check.name == name)


def test_a_fresh_service_is_well_but_for_what_is_still_to_do(ready: Call) -> None:
    result = ready("doctor", "--json")
    assert result.status == 0
    checks = {check["name"]: check for check in result.json["checks"]}
    assert result.json["failed"] == 0
    assert {name for name, check in checks.items() if check["state"] == "warn"} == {"broker", "authorities"}
    for name in ("settings", "disk", "memory", "postcodes", "code tables", "main database", "shred migrations", "clock", "log"):
        assert checks[name]["state"] == "ok", checks[name]
    assert all(bool(check["fix"]) == (check["state"] != "ok") for check in checks.values())


def test_the_words_show_each_check_and_its_fix(call: Call) -> None:
    result = call("doctor")
    assert result.status == 1
    assert "Fix: Run notify-gateway keys make" in result.words
    assert "Fix: Run notify-gateway migrate." in result.words
    assert "postcodes load FILE" in result.words


def test_what_is_wrong_with_the_settings_is_told_and_nothing_else_is_looked_at(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_LEASE", "soon")
    result = call("doctor", "--json")
    assert result.status == 1
    (check,) = result.json["checks"]
    assert "NOTIFY_GATEWAY_LEASE" in check["value"]
    assert "config docs" in check["fix"]


def test_a_data_folder_that_others_may_enter(ready: Call) -> None:
    Path("var").chmod(0o755)
    check = found("data folder")
    assert (check.state, check.fix) == (State.WARN, "Run: chmod 0700 var")


@pytest.mark.parametrize("name", ["gateway.key.json", "gateway.pub.json", "pseudonyms.key.json", "log.pub.json"])
def test_a_key_file_that_is_gone(name: str, ready: Call) -> None:
    (Path("var/keys") / name).unlink()
    check = found(name)
    assert check.state is State.FAIL
    assert "backup" in check.fix


def test_only_the_sequencer_needs_the_logs_private_key(ready: Call) -> None:
    Path("var/keys/log.key.json").unlink()
    assert ready("doctor").status == 0


def test_a_private_key_that_others_may_read(ready: Call) -> None:
    Path("var/keys/gateway.key.json").chmod(0o444)
    check = found("gateway.key.json")
    assert check.state is State.FAIL
    assert "chmod 0400" in check.fix
    serving = ready("serve", "--port", "1")
    assert serving.status == 1
    assert "chmod 0400" in serving.words.replace("Chmod", "chmod")


def test_a_key_file_that_is_damaged(ready: Call) -> None:
    path = Path("var/keys/pseudonyms.key.json")
    path.chmod(0o600)
    path.write_text(path.read_text()[:-20])
    assert found("pseudonyms.key.json").state is State.FAIL


def test_a_public_key_that_belongs_to_another_private_key(ready: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_KEYS_DIR", str(folder / "other"))
    ready("keys", "make")
    monkeypatch.delenv("NOTIFY_GATEWAY_KEYS_DIR")
    Path("var/keys/gateway.pub.json").unlink()
    (folder / "other/gateway.pub.json").rename("var/keys/gateway.pub.json")
    check = found("gateway.pub.json")
    assert check.state is State.FAIL
    assert "another private key" in check.value


def test_a_postcode_table_that_is_damaged(ready: Call) -> None:
    (table,) = Path("var/postcodes").glob("*.table")
    content = bytearray(table.read_bytes())
    content[-1] ^= 1
    table.write_bytes(content)
    check = found("postcodes")
    assert check.state is State.FAIL
    assert "postcodes load FILE" in check.fix


def test_a_postcode_table_that_is_old(ready: Call) -> None:
    (table,) = Path("var/postcodes").glob("*.table")
    long_ago = datetime.now(UTC) - timedelta(days=400)  # noqa: TID251 - the file's own time
    os.utime(table, (long_ago.timestamp(), long_ago.timestamp()))
    check = found("postcodes")
    assert check.state is State.WARN
    assert "400 days" in check.value


def test_the_demonstration_table_in_a_live_deployment(ready: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_DEPLOYMENT", "live")
    monkeypatch.setenv("NOTIFY_GATEWAY_BASE_URL", "https://gateway.example")
    assert found("postcodes").state is State.FAIL
    assert found("settings").state is State.WARN


def test_a_database_that_does_not_answer_is_named_without_its_password(ready: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_SHRED_DATABASE_URL", "postgresql+psycopg://me:hidden-words@127.0.0.1:1/none")
    result = ready("doctor")
    assert result.status == 1
    assert "NOTIFY_GATEWAY_SHRED_DATABASE_URL" in result.words
    assert "hidden-words" not in result.words


def test_a_database_that_was_never_migrated(call: Call, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_DATABASE_URL", postgres_url)
    check = found("main migrations")
    assert (check.state, check.fix) == (State.FAIL, "Run notify-gateway migrate.")
    assert call("migrate").status == 0
    assert found("main migrations").state is State.OK
    assert found("clock").state is State.OK
    with closing(psycopg.connect(plain_url(postgres_url), autocommit=True)) as connection:
        connection.execute("UPDATE alembic_version_main SET version_num = '9999'")
    assert found("main migrations").state is State.WARN, "one goes back by a release, and the tables stay"
    assert found("clock").state is State.OK


def test_a_clock_that_is_off_the_database_servers(call: Call, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_DATABASE_URL", postgres_url)
    call("migrate")
    check = found("clock", examine(ClockThatIsOff(timedelta(minutes=5))))
    assert check.state is State.FAIL
    assert "NTP" in check.fix
    assert found("clock", examine(ClockThatIsOff(timedelta(seconds=5)))).state is State.WARN


def test_a_clock_behind_the_logs_last_signature(ready: Call) -> None:
    ready("trusts", "register", "RXX", "--name", "A", "--type", "other")
    open_sequencer(Settings()).run_once()
    check = found("clock", examine(ClockThatIsOff(-timedelta(hours=1))))
    assert check.state is State.FAIL
    assert "behind the log's last signature" in check.value


def test_a_log_that_does_not_keep_up(ready: Call) -> None:
    ready("trusts", "register", "RXX", "--name", "A", "--type", "other")
    check = found("log", examine(ClockThatIsOff(timedelta(minutes=2))))
    assert check.state is State.FAIL
    assert "notify-gateway sequence" in check.fix
    open_sequencer(Settings()).run_once()
    assert found("log", examine(ClockThatIsOff(timedelta(minutes=2)))).state is State.OK


def test_a_broker_that_does_not_answer_and_one_that_does(ready: Call, private_redis: PrivateRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_BROKER_URL", private_redis.url)
    assert found("broker").state is State.OK
    monkeypatch.setenv("NOTIFY_GATEWAY_BROKER_URL", "redis://127.0.0.1:1/0")
    check = found("broker")
    assert check.state is State.FAIL
    assert "Nothing is lost" in check.fix


def test_an_authority_without_keys(ready: Call) -> None:
    ready("authorities", "register", "E06000004", "--custody", "authority-held", "--channel", "pull")
    check = found("authority E06000004")
    assert check.state is State.FAIL
    assert "no working key, no recovery key" in check.value
    assert "authority key make" in check.fix


def test_managed_custody_without_an_opener(ready: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready("authorities", "register", "E06000004", "--custody", "managed", "--channel", "pull")
    assert "NOTIFY_GATEWAY_OPENER_SOCKET" in found("opener").fix
    address = Path("opener.sock")
    monkeypatch.setenv("NOTIFY_GATEWAY_OPENER_SOCKET", str(address))
    assert "Start notify-gateway opener" in found("opener").fix
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        assert found("opener").state is State.OK


def test_a_disk_that_is_nearly_full(ready: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "LITTLE_DISK", 2**62)
    assert found("disk").state is State.WARN
    monkeypatch.setattr(examination, "LEAST_DISK", 2**61)
    assert found("disk").state is State.FAIL


def test_code_tables_that_were_damaged(ready: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    problems: Any = [object()]
    monkeypatch.setattr(examination, "table_problems", lambda: problems)
    check = found("code tables")
    assert check.state is State.FAIL
    assert "mappings check" in check.fix


def test_paper_without_its_libraries_or_its_font_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_paper().state is State.OK
    monkeypatch.setattr(doctor_paper, "FOLDERS", ())
    assert check_paper().value.startswith("Liberation Sans is missing")
    monkeypatch.setattr(doctor_paper, "find_library", lambda name: None if "pango" in name else name)
    check = check_paper()
    assert (check.state, "pango-1.0, pangoft2-1.0 is missing" in check.value, "libpango-1.0-0" in check.fix) == (State.WARN, True, True)
