# SPDX-License-Identifier: MIT
"""The whole way by SFTP with running processes: from the trust's POST to the authority's own machine, and its receipt back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from notify_gateway.privacy.keys import save
from notify_gateway.runtime import GATEWAY_PUBLIC
from notify_gateway.use_cases import onboard
from tests.cli.conftest import call_outside
from tests.support.messages import Message
from tests.support.service import WEBHOOK, Acceptance, RunningService, a_message_for
from tests.support.services import eventually
from tests.support.sftp_server import SftpServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    with SftpServer(tmp_path / "sshd") as running:
        yield running


@pytest.mark.long
def test_a_notification_is_put_down_opened_and_known_to_be_received(server: SftpServer, tmp_path: Path) -> None:
    settings = {"NOTIFY_GATEWAY_SFTP_KEY_FILE": str(server.client_key), "NOTIFY_GATEWAY_SFTP_LOOK_EVERY": "PT1S"}
    service = RunningService(tmp_path / "service", environment=settings)
    onboard.register_authority(
        service.runtime.gateway, gss=WEBHOOK, custody="authority-held", channel="sftp", route=server.route, actor="test"
    )
    with service:
        accepted = Acceptance.of(service.post(a_message_for(Message(), WEBHOOK)))
        eventually(lambda: any(server.drop.glob("*/manifest.json")), within=40, what="a batch on the server")
        desk = tmp_path / "desk"
        desk.mkdir()
        save(desk / "working.key", service.keys[WEBHOOK][0])
        (desk / GATEWAY_PUBLIC).write_bytes((Path(service.settings.keys) / GATEWAY_PUBLIC).read_bytes())
        opened = call_outside(
            *("authority", "open", server.drop, "--key", "working.key", "--gateway-key", GATEWAY_PUBLIC, "--csv", "week.csv"),
            *("--acknowledge", "--json"),
            folder=desk,
        )
        assert opened.status == 0, opened.err
        assert [each["reference"] for each in opened.json["opened"]] == [accepted.reference]
        eventually(lambda: service.states() == {"received": 1}, within=40, what="received")
        eventually(lambda: not any((server.drop / "acks").iterdir()), within=20, what="the receipt taken away")
        assert str(server.drop) not in service.output()
