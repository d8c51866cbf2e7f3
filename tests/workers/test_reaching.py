# SPDX-License-Identifier: MIT
"""Trying whether an authority can be reached: each hindrance has its code, and nothing whatever is sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from notify_gateway.egress.guard import Egress
from tests.support.mesh import THEIRS, WORKFLOW, shared_mesh
from tests.support.sftp_server import SftpServer, make_key
from tests.workers.sftp_bench import access
from workers.channels.reaching import COMES_TO_US, OK, Reach, reacher
from workers.channels.sftp import SftpAccess


def reach_with(*, allow_private: bool) -> Reach:
    egress = Egress(allow_private=allow_private)
    return reacher(egress=egress, sftp=SftpAccess(key_file=None, egress=egress, timeout=timedelta(seconds=5)), mesh=None)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(10)
        yield made


def test_a_webhook_that_listens_is_reached_and_gets_not_a_byte(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    assert reach_with(allow_private=True)("webhook", {"url": f"http://127.0.0.1:{port}/hook"}) == OK
    connection, _ = listening.accept()
    with connection:
        assert connection.recv(1024) == b""


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:1/hook", "refused"),
        ("http://nowhere.invalid/hook", "unresolved"),
        ("gopher://127.0.0.1/", "egress-url"),
        ("", "egress-url"),
    ],
)
def test_a_webhook_that_cannot_be_reached_has_its_code(url: str, code: str) -> None:
    assert reach_with(allow_private=True)("webhook", {"url": url}) == code


def test_what_answers_without_tls_is_not_reached_by_https(listening: socket.socket) -> None:
    def answer() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(1024)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    threading.Thread(target=answer, daemon=True).start()
    assert reach_with(allow_private=True)("webhook", {"url": f"https://127.0.0.1:{listening.getsockname()[1]}/"}) == "tls"


def test_the_guard_of_addresses_holds_here_too(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    assert reach_with(allow_private=False)("webhook", {"url": f"http://127.0.0.1:{port}/hook"}).startswith("egress-")
    assert reach_with(allow_private=False)("webhook", {"url": "https://127.0.0.1/hook"}).startswith("egress-")


def test_whoever_comes_to_us_need_not_be_reached_and_what_is_not_set_is_told() -> None:
    reach = reach_with(allow_private=True)
    assert reach("pull", {}) == reach("inbox", {}) == COMES_TO_US
    assert reach("mesh", {"mailbox": "X26OT001", "workflow": "SEND"}) == "mesh-not-configured"
    assert reach("sftp", {}) not in (OK, COMES_TO_US)


def test_servers_of_sftp_and_mesh_are_reached_and_get_nothing(tmp_path: Path) -> None:
    mesh = shared_mesh()
    mesh.reset()
    with SftpServer(tmp_path / "sshd") as server:
        sftp = access(server.client_key)
        reach = reacher(egress=sftp.egress, sftp=sftp, mesh=mesh.access())
        assert reach("sftp", server.route) == OK
        assert reach("sftp", {**server.route, "host_key": make_key(tmp_path / "other")}) == "sftp-host-key"
        assert list(server.drop.iterdir()) == []
    assert reach("mesh", {"mailbox": THEIRS, "workflow": WORKFLOW}) == OK
    assert mesh.arrived() == []
