# SPDX-License-Identifier: MIT
"""The search itself: it finds every canary in every disguise wherever one is planted, and nothing in noise."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import random
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert, text

from notify_gateway.store.engine import open_engine
from notify_gateway.store.migrate import upgrade_all
from notify_gateway.store.tables import clients
from tests.leaks import evidence
from tests.leaks.canaries import BORN, CANARIES, Evidence, a_canary, search
from tests.support.service import WEBHOOK
from tests.support.services import PostgresServer, PrivateRedis, base_environment
from workers.app import make_celery
from workers.message import QUEUE

NOISE = random.Random(7).randbytes(5000)
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "itself": bytes,
    "lower case": bytes.lower,
    "upper case": bytes.upper,
    "without spaces": lambda raw: raw.replace(b" ", b""),
    "base64": base64.b64encode,
    "base64, second alignment": lambda raw: base64.b64encode(b"x" + raw + b"yz"),
    "base64, third alignment": lambda raw: base64.b64encode(b"xy" + raw + b"z"),
    "base64 for URLs": lambda raw: base64.urlsafe_b64encode(b"\xff\xfe" + raw + b"\xff\xfe"),
    "hex": binascii.hexlify,
    "hex in upper case": lambda raw: binascii.hexlify(raw).upper(),
    "URL": lambda raw: quote(raw, safe="").encode(),
    "UTF-16": lambda raw: raw.decode().encode("utf-16-le"),
    "gzip": lambda raw: gzip.compress(b"some words before " + raw),
    "zlib": lambda raw: zlib.compress(b"some words before " + raw),
    "gzip in base64": lambda raw: base64.b64encode(gzip.compress(b"some words before " + raw)),
    "base64 in base64": lambda raw: base64.b64encode(b'{"body": "' + base64.b64encode(b"x" * 9 + raw + b"y" * 9) + b'"}'),
    "md5": lambda raw: hashlib.md5(raw).digest(),
    "sha1 in hex": lambda raw: hashlib.sha1(raw).hexdigest().encode(),
    "sha256 in hex": lambda raw: hashlib.sha256(raw).hexdigest().encode(),
    "sha256 in base64": lambda raw: base64.b64encode(hashlib.sha256(raw).digest()),
    "sha256 of lower case": lambda raw: hashlib.sha256(raw.lower()).digest(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_canary_is_found_in_this_form(form: str) -> None:
    for canary, spellings in CANARIES.items():
        planted = Evidence("here", NOISE + b" " + FORMS[form](spellings[0].encode()) + b" " + NOISE)
        assert canary in {hit.canary for hit in search([planted])}, canary


def test_noise_and_ordinary_words_are_no_canaries() -> None:
    words = json.dumps({"route": "/fhir/R4/$process-message", "at": "2026-01-14T10:15:00Z", "ms": 17.032022}).encode()
    assert search([Evidence("noise", random.Random(11).randbytes(2_000_000)), Evidence("words", words)]) == []


def test_the_message_itself_holds_every_canary() -> None:
    held = {hit.canary for body in (a_canary().bytes(), a_canary(WEBHOOK).bytes()) for hit in search([Evidence("message", body)])}
    assert held == set(CANARIES)


# Each place that a leak could be, with a leak in it. A planter yields all evidence that is gathered of its place.

Gathered = Iterator[Evidence]


def in_a_log_line(tmp_path: Path) -> Gathered:
    (tmp_path / "gateway.log").write_text('{"event": "request", "error": "cannot read Vorpalstone"}\n')
    yield from evidence.of_folder(tmp_path)


def in_a_packed_temporary_file(tmp_path: Path) -> Gathered:
    (tmp_path / "upload.gz").write_bytes(gzip.compress(a_canary().bytes()))
    yield from evidence.of_folder(tmp_path)


def in_the_name_of_a_file(tmp_path: Path) -> Gathered:
    (tmp_path / "L-BRILLIG-60718.json").touch()
    yield from evidence.of_folder(tmp_path)


def in_a_column_of_sqlite(tmp_path: Path) -> Gathered:
    upgrade_all(f"sqlite:///{tmp_path / 'main.sqlite3'}", f"sqlite:///{tmp_path / 'shred.sqlite3'}")
    engine = open_engine(f"sqlite:///{tmp_path / 'main.sqlite3'}")
    _plant_column(engine)
    yield from evidence.of_databases(engine)
    engine.dispose()


def in_a_deleted_row_of_the_sqlite_journal(tmp_path: Path) -> Gathered:
    engine = open_engine(f"sqlite:///{tmp_path / 'main.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(text("create table t (x text)"))
        connection.execute(text("insert into t values ('77 Bandersnatch Terrace')"))
    with engine.begin() as connection:
        connection.execute(text("delete from t"))
    yield from evidence.of_folder(tmp_path)
    engine.dispose()


def _plant_column(engine: Engine) -> None:
    row = {"id": uuid4(), "kind": "trust", "code": "RXX", "name": "Jubjubina", "organisation_type": "nhs-trust"}
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # A client without its event does not commit otherwise.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(insert(clients), [{**row, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}])


FOLDERS = (in_a_log_line, in_a_packed_temporary_file, in_the_name_of_a_file, in_a_column_of_sqlite, in_a_deleted_row_of_the_sqlite_journal)


@pytest.mark.parametrize("planter", FOLDERS, ids=lambda planter: planter.__name__)
def test_a_leak_on_disk_is_found(planter: Callable[[Path], Gathered], tmp_path: Path) -> None:
    assert search(planter(tmp_path))


def test_a_leak_in_a_column_of_postgres_is_found(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as main, postgres_server.database() as shred:
        upgrade_all(main, shred)
        engine = open_engine(main)
        assert search(evidence.of_databases(engine)) == []
        _plant_column(engine)
        found = search(evidence.of_databases(engine))
        engine.dispose()
    assert {hit.place for hit in found} == {"table clients"}


def test_a_leak_in_a_redis_key_value_or_passing_command_is_found(private_redis: PrivateRedis) -> None:
    with evidence.Monitor(private_redis) as monitor, private_redis.client() as client:
        client.set("seen:Vorpalstone", 1)
        client.hset("cache", "child", NUMBER_IN_JSON)
        assert {hit.place for hit in search(evidence.of_redis(private_redis))} >= {"keys of redis", "values of redis"}
        client.flushall()
        assert search(evidence.of_redis(private_redis)) == []
        client.publish("channel", "jubjubina@tulgeywood.example")
        client.ping()
    assert {"family name", "e-mail"} <= {hit.canary for hit in search([Evidence("monitor", monitor.recorded)])}


NUMBER_IN_JSON = json.dumps({"nhs": CANARIES["NHS number"][0], "born": str(BORN)})


@pytest.mark.parametrize("part", ["argument", "header"])
def test_a_leak_in_a_task_is_found(private_redis: PrivateRedis, part: str) -> None:
    app = make_celery(private_redis.url)
    with evidence.Monitor(private_redis) as monitor:
        told: dict[str, object] = {"args": [["Vorpalstone"]]} if part == "argument" else {"args": [[]], "argsrepr": "('Vorpalstone',)"}
        app.send_task("workers.deliver", queue=QUEUE, ignore_result=True, **told)
        waiting = list(evidence.of_redis(private_redis))
    app.close()
    assert "family name" in {hit.canary for hit in search(waiting)}
    assert "family name" in {hit.canary for hit in search([Evidence("monitor", monitor.recorded)])}


@pytest.mark.parametrize("where", ["argument", "environment"])
def test_a_leak_in_a_process_is_found(where: str) -> None:
    wait = [sys.executable, "-c", "print('up', flush=True); input()"]
    command = [*wait, "--family=Vorpalstone"] if where == "argument" else wait
    env = base_environment() | ({"CHILD": "Vorpalstone"} if where == "environment" else {})
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        found = search(evidence.of_processes([process.pid]))
        process.communicate(b"\n")
    assert {hit.canary for hit in found} == {"family name"}
