# SPDX-License-Identifier: MIT
"""Time stamps as people use them: a whole service stamped by a real authority, verified by the command, and one whose authority fails."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import update

from notify_gateway.settings import Settings
from notify_gateway.store.tables import audit_tables, timestamps
from tests.cli.conftest import Call
from tests.support.messages import a_message
from tests.support.service import RunningService
from tests.support.services import eventually
from tests.support.time_authority import TimeAuthority


def test_a_whole_service_is_stamped_and_warns_when_the_authority_fails(folder: Path, call: Call) -> None:
    with TimeAuthority(folder / "authority") as authority:
        environment = {"NOTIFY_GATEWAY_TIMESTAMP_URL": authority.url, "NOTIFY_GATEWAY_TIMESTAMP_EVERY": "PT0.2S"}
        with RunningService(folder / "house", environment=environment) as service:
            stamped = eventually(lambda: (got := service.get("/log/timestamp")).status_code == 200 and got, within=20, what="a stamp")
            assert stamped.headers["Content-Type"] == "application/timestamp-reply"
            where = stamped.headers["Content-Location"]
            assert service.get(where).content == stamped.content
            size = where.partition("=")[2]
            checkpoint = service.get(f"/log/checkpoint?size={size}")
            assert checkpoint.text.split("\n")[1] == size
            assert service.get("/_status").json()["checks"]["timestamps"]["status"] == "pass"
            for wrong in ("999999", "-1", "x", ""):
                assert code_of(service.get(f"/log/timestamp?size={wrong}")) == "NG-8004"
                assert code_of(service.get(f"/log/checkpoint?size={wrong}")) == "NG-8005"

            authority.mood = "garbage"
            count = len(authority.asked)
            assert service.post(a_message()).status_code == 202
            eventually(lambda: len(authority.asked) > count, within=20, what="asked in vain")
            with service.runtime.gateway.engine.begin() as connection:
                earlier = timedelta(minutes=10) // timedelta(microseconds=1)
                for column in (timestamps.c.requested_at, audit_tables.checkpoint.c.signed_at):
                    connection.execute(update(column.table).values({column.name: column - earlier}))
            status = service.get("/_status")
            assert status.status_code == 200
            assert status.json()["checks"]["timestamps"]["status"] == "warn"
            assert "a further one is due since 20" in status.json()["checks"]["timestamps"]["observed"]
            assert service.post(a_message()).status_code == 202

        (folder / "checkpoint").write_text(checkpoint.text)
        (folder / "stamp.tsr").write_bytes(stamped.content)
        files = {"--checkpoint": folder / "checkpoint", "--token": folder / "stamp.tsr", "--ca": authority.root}

        def verify(**change: Path) -> tuple[int, str]:
            given = files | {f"--{name}": path for name, path in change.items()}
            found = call("audit", "timestamp", "verify", *(word for option in given.items() for word in option))
            return found.status, found.words

        status_code, words = verify()
        assert status_code == 0, words
        assert f"Proven: the checkpoint of {size} entries of {service.settings.log_origin} existed on" in words
        (folder / "other").write_text(checkpoint.text.replace(f"\n{size}\n", f"\n{size}1\n"))
        (folder / "binary").write_bytes(b"\xff")
        for change, told in (
            ({"checkpoint": folder / "other"}, "over other bytes"),
            ({"checkpoint": folder / "binary"}, "not a text of UTF-8"),
            ({"checkpoint": authority.root}, "is no checkpoint"),
            ({"token": folder / "checkpoint"}, "is no time-stamp reply"),
            ({"ca": authority.folder / "tsa.key"}, "There is no certificate"),
        ):
            status_code, words = verify(**change)
            assert status_code == 1
            assert told in words, words


def test_an_empty_address_means_no_authority() -> None:
    assert Settings(_env_file=None, timestamp_url="").timestamp_url is None  # type: ignore[call-arg]


@pytest.mark.parametrize("url", ["ftp://tsa.example/", "tsa.example", "https://", "https://user:secret@tsa.example/", "https://[::1/"])
def test_an_address_that_cannot_be_asked_is_told_of_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="timestamp_url"):
        Settings(_env_file=None, timestamp_url=url)  # type: ignore[call-arg]


def code_of(answer: httpx2.Response) -> str:
    assert answer.status_code == 404
    found: str = answer.json()["code"]
    return found
