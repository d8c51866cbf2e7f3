# SPDX-License-Identifier: MIT
"""Running without containers changes paths, ports and addresses, and nothing else of what the compose file says."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.support.compose import NativeStack
from tests.support.composefile import our_services, read_compose
from tests.support.services import PostgresServer, PrivateRedis


@pytest.fixture
def stack(tmp_path: Path, postgres_server: PostgresServer, private_redis: PrivateRedis) -> Iterator[NativeStack]:
    with NativeStack(tmp_path, postgres=postgres_server, redis=private_redis) as made:
        yield made


def test_every_replica_of_our_services_is_there(stack: NativeStack) -> None:
    expected = {f"{name}-{number}" for name in our_services(read_compose()) for number in range(1, 3 if name == "gateway" else 2)}
    assert set(stack.instances) == expected


def test_commands_and_health_checks_are_the_files_own_but_for_address_and_port(stack: NativeStack) -> None:
    for instance in stack.instances.values():
        service = stack.document["services"][instance.service]
        swapped = {"0.0.0.0": "127.0.0.1", "8080": str(instance.port), "8090": str(instance.port)}
        here = [part.replace("/run/secrets/", f"{stack.secrets}/") for part in service["command"][1:]]
        expected = [swapped.get(part, part) for part in here]
        if instance.service != "load-postcodes":
            assert instance.process.command[-len(expected) :] == expected
        check = [swapped.get(part, part) for part in service.get("healthcheck", {}).get("test", [])[2:]]
        assert instance.check[len(instance.check) - len(check) :] == check


def test_environments_hold_the_files_settings_and_no_secret(stack: NativeStack) -> None:
    for instance in stack.instances.values():
        described = stack.document["services"][instance.service]["environment"]
        given = {name: value for name, value in instance.process.env.items() if name.startswith("NOTIFY_GATEWAY_")}
        assert set(given) == {name for name in described if name.startswith("NOTIFY_GATEWAY_")}
        assert all(Path(value).is_file() for name, value in given.items() if name.endswith("_FILE"))
        assert stack.database_url not in given.values()
        assert not any(value.startswith(("/run/", "/var/lib/")) for value in given.values())


def test_secrets_are_files_with_this_machines_addresses(stack: NativeStack) -> None:
    gateway, _ = stack.of("gateway")
    assert stack.database_url != stack.shred_database_url
    for name, url in (("DATABASE_URL", stack.database_url), ("SHRED_DATABASE_URL", stack.shred_database_url)):
        given = make_url(Path(gateway.process.env[f"NOTIFY_GATEWAY_{name}_FILE"]).read_text().strip())
        assert (given.host, given.port, given.database) == ((owner := make_url(url)).host, owner.port, owner.database)


def test_each_part_has_a_login_of_its_own_and_migrations_alone_the_owners(stack: NativeStack) -> None:
    logins = {
        instance.service: make_url(Path(instance.process.env["NOTIFY_GATEWAY_DATABASE_URL_FILE"]).read_text().strip()).username or ""
        for instance in stack.instances.values()
        if "NOTIFY_GATEWAY_DATABASE_URL_FILE" in instance.process.env
    }
    assert logins.pop("migrate") == make_url(stack.database_url).username
    parts = {service: login.rpartition("_")[0] for service, login in logins.items()}
    assert parts == {
        **dict.fromkeys(("gateway", "scheduler", "load-postcodes"), "notify_service"),
        "worker": "notify_delivery",
        "opener": "notify_opener",
        "sequencer": "notify_sequencer",
    }


def test_replicas_listen_on_ports_of_their_own(stack: NativeStack) -> None:
    gateway, other = stack.of("gateway")
    assert gateway.port != other.port


def test_each_service_sees_its_own_keys_and_no_other(stack: NativeStack) -> None:
    held = {
        instance.service: {file.name for file in Path(instance.process.env["NOTIFY_GATEWAY_KEYS_DIR"]).iterdir()}
        for instance in stack.instances.values()
        if "NOTIFY_GATEWAY_KEYS_DIR" in instance.process.env
    }
    assert held["sequencer"] == {"log.key.json", "log.pub.json"}
    gateways = {"gateway.key.json", "gateway.keys.json", "gateway.pub.json"}
    assert held["gateway"] == gateways | {"log.keys.json", "log.pub.json", "pseudonyms.key.json"}
    assert held["worker"] == held["scheduler"] == {"gateway.key.json", "gateway.keys.json", "sftp.key"}
    assert held["opener"] == {"gateway.keys.json", "gateway.pub.json"}
    assert held["pretend-authority"] == {"gateway.pub.json"}
    assert held["migrate"] == held["load-postcodes"] == set()
    key = Path(stack.of("sequencer")[0].process.env["NOTIFY_GATEWAY_KEYS_DIR"]) / "log.key.json"
    assert stat.S_IMODE(key.stat().st_mode) == 0o400
    assert json.loads(key.read_text())["format"].startswith("notify-gateway/")


def test_volumes_are_shared_by_those_who_share_them(stack: NativeStack) -> None:
    loader, (gateway, other), sequencer = stack.of("load-postcodes")[0], stack.of("gateway"), stack.of("sequencer")[0]
    assert loader.process.env["NOTIFY_GATEWAY_POSTCODES_DIR"] == gateway.process.env["NOTIFY_GATEWAY_POSTCODES_DIR"]
    assert gateway.process.env["NOTIFY_GATEWAY_OPENER_SOCKET"] == other.process.env["NOTIFY_GATEWAY_OPENER_SOCKET"]
    assert len(gateway.process.env["NOTIFY_GATEWAY_OPENER_SOCKET"]) < 100
    assert gateway.process.env["NOTIFY_GATEWAY_DATA_DIR"] != other.process.env["NOTIFY_GATEWAY_DATA_DIR"]
    assert gateway.process.env["TMPDIR"] != other.process.env["TMPDIR"]
    assert sequencer.process.env["NOTIFY_GATEWAY_DATA_DIR"] == str(sequencer.process.cwd)
    assert stack.written_outside_volumes() == []
    (gateway.process.cwd / "stray").touch()
    assert stack.written_outside_volumes() == [str(gateway.process.cwd / "stray")]
