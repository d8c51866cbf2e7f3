# SPDX-License-Identifier: MIT
"""The compose file is one that Compose takes (its official schema), and keeps our own rules for what runs in production."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from notify_gateway.settings import PREFIX, Settings
from tests.support.composefile import ComposeError, our_services, read_compose
from tests.support.waiting import ROOT

SCHEMA = json.loads((Path(__file__).parent / "compose-spec" / "compose-spec.json").read_text(encoding="utf-8"))
COMPOSE = read_compose()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = {name: service for name, service in SERVICES.items() if service["restart"] != "no"}
ON_REQUEST = {name for name, service in SERVICES.items() if "profiles" in service}
OURS = our_services(COMPOSE)

every_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", OURS)


@pytest.mark.parametrize(
    "file", ["docker-compose.yml", *(f"deploy/compose.{name}.yml" for name in ("alerts", "log-key-rotation", "mesh", "mutual-tls"))]
)
def test_the_file_fits_the_official_schema(file: str) -> None:
    document = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    problems = [f"{'.'.join(map(str, error.path))}: {error.message}" for error in Draft7Validator(SCHEMA).iter_errors(document)]
    assert problems == []


def test_the_schema_would_catch_a_wrong_file() -> None:
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    document["services"]["gateway"]["healthcheck"]["retries"] = {"never": True}
    document["services"]["gateway"]["no_such_key"] = 1
    assert len(list(Draft7Validator(SCHEMA).iter_errors(document))) >= 2


def test_all_parts_of_the_service_are_there() -> None:
    ours = {"gateway", "opener", "worker", "scheduler", "sequencer", "pretend-authority", "migrate", "load-postcodes", "managed-key"}
    assert set(OURS) == ours
    assert set(SERVICES) == ours | {"proxy", "postgres", "shred", "redis"}


def test_two_gateways_stand_behind_the_proxy() -> None:
    assert SERVICES["gateway"]["deploy"]["replicas"] == 2
    assert "gateway" in SERVICES["proxy"]["depends_on"]
    assert "ports" not in SERVICES["gateway"]


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_has_a_health_check_and_is_restarted(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period", "start_interval"} <= set(check)
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(LASTING) - ON_REQUEST))
def test_a_job_is_waited_for_by_those_who_need_it(name: str) -> None:
    waiting = [other for other in SERVICES.values() if name in other.get("depends_on", {})]
    assert waiting
    assert all(other["depends_on"][name] == {"condition": "service_completed_successfully"} for other in waiting)


@every_service
def test_a_service_waits_until_what_it_needs_is_healthy_or_done(name: str) -> None:
    for other, need in SERVICES[name].get("depends_on", {}).items():
        assert need["condition"] == ("service_healthy" if other in LASTING else "service_completed_successfully")


@every_service
def test_no_service_runs_as_root_or_can_become_more(name: str) -> None:
    service = SERVICES[name]
    user, group = (int(part) for part in service["user"].split(":"))
    assert user > 0
    assert group > 0
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "no-new-privileges:true" in service["security_opt"]


@every_service
def test_no_service_can_write_to_its_own_file_system(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert any(entry.startswith("/tmp:") for entry in service["tmpfs"])
    assert service["ulimits"]["core"] == 0, "a core dump would hold what is in memory"


@every_service
def test_ports_are_open_on_the_loopback_address_only(name: str) -> None:
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in SERVICES[name].get("ports", []))


def test_only_the_proxy_is_reachable_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if service.get("ports")] == ["proxy"]


def test_databases_broker_and_gateway_stand_on_internal_networks_only() -> None:
    internal = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    for name in ("gateway", "opener", "scheduler", "sequencer", "migrate", "load-postcodes", "postgres", "shred", "redis"):
        assert set(SERVICES[name]["networks"]) <= internal, name


def test_only_those_who_need_the_shred_keys_reach_their_store() -> None:
    reaching = {name for name, service in SERVICES.items() if "shred" in service.get("networks", ())}
    assert reaching == {"shred", "gateway", "opener", "worker", "scheduler", "migrate"}


@every_service
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9/-]+:\d+\.\d+(\.\d+)?(-[a-z0-9]+)*", SERVICES[name]["image"])


def test_the_images_that_ours_is_built_on_are_pinned() -> None:
    bases = re.findall(r"(?m)^FROM (.*)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+( AS build)?", base) for base in bases)


@every_service
def test_no_secret_stands_in_an_environment(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    secret = re.compile(r"(PASSWORD|SECRET|TOKEN|KEY|DATABASE_URL|BROKER_URL)$")
    assert [key for key in environment if secret.search(key)] == []
    assert not any(re.search(r"://[^/]*:[^/]*@", str(value)) for value in environment.values())


@every_service
def test_every_secret_comes_from_a_file_that_make_secrets_writes_or_the_reader_is_told_of(name: str) -> None:
    used = {secret if isinstance(secret, str) else secret["source"] for secret in SERVICES[name].get("secrets", [])}
    assert used <= set(COMPOSE["secrets"])
    assert all(COMPOSE["secrets"][secret]["file"].startswith("./deploy/secrets/") for secret in used)
    files = [str(value) for key, value in SERVICES[name].get("environment", {}).items() if key.endswith("_FILE")]
    there = {f"/run/secrets/{each}" if isinstance(each, str) else each["target"] for each in SERVICES[name].get("secrets", [])}
    assert {file for file in files if file.startswith("/run/secrets/")} <= there


def test_no_declared_secret_volume_or_network_is_unused() -> None:
    services = SERVICES.values()
    secrets = {secret if isinstance(secret, str) else secret["source"] for service in services for secret in service.get("secrets", [])}
    volumes = {volume.split(":")[0] for service in services for volume in service.get("volumes", []) if not volume.startswith(".")}
    networks = {network for service in services for network in service.get("networks", ())}
    assert (secrets, volumes, networks) == (set(COMPOSE["secrets"]), set(COMPOSE["volumes"]), set(COMPOSE["networks"]))


@each_of_ours
def test_every_setting_in_the_environment_is_one_that_the_service_knows(name: str) -> None:
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    given = {key.removesuffix("_FILE") for key in OURS[name]["environment"] if key.startswith(PREFIX)}
    assert given <= known


@each_of_ours
def test_our_services_run_our_command(name: str) -> None:
    assert OURS[name]["command"][0] == "notify-gateway"
    if name in LASTING:
        assert OURS[name]["healthcheck"]["test"][:4] == ["CMD", "notify-gateway", "health", name]


def test_the_log_key_and_its_guard_are_the_sequencers_alone() -> None:
    holders = {name for name, service in SERVICES.items() if "log_key" in json.dumps(service.get("secrets", []))}
    guards = {name for name, service in SERVICES.items() if any(volume.startswith("log-guard:") for volume in service.get("volumes", []))}
    assert holders == guards == {"sequencer"}


def test_the_opener_has_a_user_of_its_own_and_none_of_the_services_private_keys() -> None:
    opener = SERVICES["opener"]
    own = {"opener", "managed-key"}
    assert {name for name, service in OURS.items() if service["user"] == opener["user"]} == own
    assert {name for name, service in SERVICES.items() if "/secrets/opener:" in json.dumps(service)} == own
    assert not any(private in json.dumps(opener["secrets"]) for private in ("gateway_key", "log_key", "pseudonym_roots"))


def test_managed_keys_are_made_apart_from_everything_and_the_opener_only_reads_them() -> None:
    maker = SERVICES["managed-key"]
    assert list(ON_REQUEST) == ["managed-key"]
    assert maker["network_mode"] == "none"
    assert "secrets" not in maker
    assert maker["volumes"] == ["./deploy/secrets/opener:/run/opener-keys"]
    assert "./deploy/secrets/opener:/run/opener-keys:ro" in SERVICES["opener"]["volumes"]


def test_only_the_gateway_can_tell_whose_pseudonym_is_whose_or_where_a_child_lives() -> None:
    rooted = {name for name, service in SERVICES.items() if "pseudonym_roots" in json.dumps(service.get("secrets", []))}
    placed = {name for name, service in SERVICES.items() if any(volume.startswith("postcodes:") for volume in service.get("volumes", []))}
    assert rooted == {"gateway"}
    assert placed == {"gateway", "load-postcodes"}


def test_every_file_that_is_mounted_from_the_checkout_exists() -> None:
    mounted = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", []) if volume.startswith("./")]
    missing = [path for path in mounted if not path.startswith("./deploy/secrets/") and not (ROOT / path).exists()]
    assert mounted
    assert missing == []


def test_variables_and_doubled_keys_are_read_as_compose_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text('a: "${ONE:-first} ${TWO-second} $$HOME"\nb: &b {c: 1}\nd: {<<: *b, c: 2}\n')
    assert read_compose(file, variables={"ONE": "", "TWO": ""})["a"] == "first  $HOME"
    assert read_compose(file)["d"] == {"c": 2}
    file.write_text("a: 1\na: 2\n")
    with pytest.raises(ComposeError, match="given twice: a"):
        read_compose(file)
    file.write_text('a: "${NAME}"\n')
    with pytest.raises(ComposeError, match="NAME has neither"):
        read_compose(file)
