# SPDX-License-Identifier: MIT
"""Gathers all that a service keeps, says and sends, as evidence to be searched."""

from __future__ import annotations

import json
import socket
import threading
from base64 import b64decode
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psutil
from sqlalchemy import Engine, MetaData, select, text

from notify_gateway.store.engine import reading
from notify_gateway.store.operating import Matching
from notify_gateway.use_cases import operate, operators
from tests.leaks.canaries import Evidence
from tests.support.service import RunningService
from tests.support.services import PrivatePostgres, PrivateRedis

TABLE_OF_POSTCODES = "postcodes"
"""Folder of the compiled table of all postcodes: it holds that of any child by right."""


def of_databases(*engines: Engine) -> Iterator[Evidence]:
    """Every column of every row of every table."""
    for engine in engines:
        held = MetaData()
        with reading(engine).begin() as connection:
            held.reflect(connection)
            for name, table in held.tables.items():
                rows = connection.execute(select(table)).all()
                yield Evidence(f"table {name}", b"\n".join(_bytes(value) for row in rows for value in row if value is not None))
            if engine.dialect.name == "postgresql":
                said = connection.execute(text("select query, application_name from pg_stat_activity")).all()
                yield Evidence("pg_stat_activity", repr(said).encode())


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def of_folder(folder: Path) -> Iterator[Evidence]:
    """Every file below the folder: logs, temporary files, databases with their journals, guard, heartbeats; and the files' names."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        yield Evidence("names of files", str(relative).encode())
        if path.is_file() and TABLE_OF_POSTCODES not in relative.parts:
            yield Evidence(f"file {relative}", path.read_bytes())


def of_cluster(cluster: PrivatePostgres) -> Iterator[Evidence]:
    """The server's log, its write-ahead log and the files of all databases that tests made, as they lie on the disk."""
    yield Evidence("log of postgres", cluster.process.log.read_bytes())
    for path in sorted((cluster.data / "pg_wal").glob("0*")):
        yield Evidence("write-ahead log", path.read_bytes())
    for folder in (cluster.data / "base").iterdir():
        if folder.name.isdigit() and int(folder.name) >= 16384:
            yield Evidence("files of postgres", b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()))


def of_redis(server: PrivateRedis) -> Iterator[Evidence]:
    """All keys and their values, the slow log, the list of clients and the server's log."""
    with server.client() as client:
        for key in client.scan_iter(count=1000):
            yield Evidence("keys of redis", key)
            yield Evidence("values of redis", _value(client, key))
        yield Evidence("slow log of redis", repr(client.slowlog_get(1000)).encode())
        yield Evidence("clients of redis", repr(client.client_list()).encode())
    yield Evidence("log of redis", server.process.log.read_bytes())


def _value(client: Any, key: bytes) -> bytes:
    match client.type(key):
        case b"string":
            parts = [client.get(key)]
        case b"list":
            parts = client.lrange(key, 0, -1)
        case b"set":
            parts = client.smembers(key)
        case b"zset":
            parts = client.zrange(key, 0, -1)
        case b"hash":
            parts = [part for pair in client.hgetall(key).items() for part in pair]
        case _:
            parts = [client.dump(key)]
    return b"\n".join(parts)


class Monitor:
    """Records every command that the Redis carries out while the ``with`` block runs."""

    def __init__(self, server: PrivateRedis) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        self._recorded = bytearray()
        self._thread = threading.Thread(target=self._record, name="monitor", daemon=True)

    def __enter__(self) -> Monitor:
        self._socket.sendall(b"MONITOR\r\n")
        assert self._socket.recv(5) == b"+OK\r\n"
        self._socket.settimeout(None)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def _record(self) -> None:
        while chunk := self._socket.recv(1 << 16):
            self._recorded += chunk

    @property
    def recorded(self) -> bytes:
        """What was recorded until now; a quotation mark in it is not escaped any more."""
        return bytes(self._recorded).replace(b'\\"', b'"').replace(b"\\\\", b"\\")


def of_processes(pids: Iterable[int]) -> Iterator[Evidence]:
    """Arguments and environment of the processes and all that they started."""
    for pid in pids:
        family = psutil.Process(pid)
        for each in (family, *family.children(recursive=True)):
            for what in ("cmdline", "environ", "comm"):
                yield Evidence(f"{what} of a process", Path(f"/proc/{each.pid}/{what}").read_bytes())


def of_answers(answers: Iterable[httpx2.Response]) -> Iterator[Evidence]:
    """Bodies and headers."""
    for answer in answers:
        yield Evidence("headers of an answer", repr(answer.headers.raw).encode())
        yield Evidence("body of an answer", answer.content)


def of_public_pages(service: RunningService) -> Iterator[Evidence]:
    """What anybody, the trust and the authority can read without a key."""
    for path in ("/metrics", "/_status", "/_ping", "/log/checkpoint", "/log/keys", "/", "/schemas/view.json"):
        for gateway in range(len(service.clients)):
            yield from of_answers([service.get(path, gateway=gateway)])


def of_operations_pages(service: RunningService) -> Iterator[Evidence]:
    """What an operator sees: every page, the machine's checks, and the page of each delivery that is open."""
    gateway = service.runtime.gateway
    token = operators.issue_token(gateway, name="alex", lasts=timedelta(hours=1), may_act=True, actor="test").text
    with httpx2.Client(base_url=service.base_url, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}, timeout=30) as client:
        assert client.post("/ops/sign-in", data={"token": token}).status_code == 303
        items = operate.list_deliveries(gateway, matching=Matching(), limit=5)
        pages = ("", "/queues", "/failed", "/failed/retry", "/deliveries", "/deliveries/downtime", "/keys", "/checks", "/checks.json")
        for page in (*pages, *(f"/failed/item?id={item.id}" for item in items)):
            answer = client.get(f"/ops{page}")
            assert answer.status_code == 200, (page, answer.text)
            yield from of_answers([answer])


def of_deliveries(service: RunningService) -> Iterator[Evidence]:
    """What goes to the authorities, unopened, with the headers that it travels under."""
    for document in (*service.collected.values(), *service.receiver.applied.values()):
        yield Evidence("a delivery, unopened", document)
        yield from _envelopes(document)
    yield Evidence("headers of a webhook", json.dumps(service.receiver.headers).encode())


def _envelopes(document: bytes) -> Iterator[Evidence]:
    for kind, envelope in json.loads(document)["envelopes"].items():
        for part, content in envelope.items():
            yield Evidence(f"{part} of a sealed {kind}", b64decode(content))
