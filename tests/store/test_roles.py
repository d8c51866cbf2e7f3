# SPDX-License-Identifier: MIT
"""Database roles: the whole journey runs under them, and none of them may change what is in the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from notify_gateway.cli.main import main
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Remote
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose
from notify_gateway.runtime import Runtime, open_sequencer
from notify_gateway.settings import Settings
from notify_gateway.store import roles
from notify_gateway.store.engine import open_engine
from notify_gateway.store.roles import Role
from notify_gateway.store.tables import metadata
from notify_gateway.use_cases import collect, deliver, follow_mesh, onboard, proofs, reveal
from notify_gateway.use_cases.commit import Committer
from notify_gateway.use_cases.invariants import runs
from notify_gateway.use_cases.reconcile import reconcile
from tests.support.messages import a_message
from tests.support.services import PostgresServer
from tests.support.templates import Templates
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House, furnished

LOG = ("audit_pending", "audit_leaf", "audit_node", "audit_head", "audit_checkpoint", "audit_timestamp")
PARTS = tuple(role.removeprefix("notify_") for role in Role)


@dataclass
class Parts:
    """A house whose databases know the roles, and settings under which each part logs in."""

    house: House
    settings: dict[str, Settings] = field(default_factory=dict)

    def engine(self, part: str) -> Engine:
        return open_engine(self.settings[part].main_url, pool_size=1)


@pytest.fixture(scope="module")
def parts(postgres_server: PostgresServer, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    tmp_path = tmp_path_factory.mktemp("roles")
    with ExitStack() as stack:
        monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        logins = stack.enter_context(postgres_server.logins(PARTS))
        for house in furnished(tmp_path, templates, postgres_server):
            owner = house.gateway.settings
            made = Parts(house)
            files = []
            for part, login in logins.items():
                urls = {
                    name: make_url(url).set(username=login, password="tried out").render_as_string(hide_password=False)
                    for name, url in (("database_url", owner.main_url), ("shred_database_url", owner.shred_url))
                }
                made.settings[part] = Settings.model_validate(owner.model_dump() | urls)
                for name, url in urls.items():
                    (tmp_path / f"{part}_{name}").write_text(url)
                    files += ["--login", str(tmp_path / f"{part}_{name}")]
            monkeypatch.setenv("NOTIFY_GATEWAY_DATA_DIR", str(tmp_path))
            monkeypatch.setenv("NOTIFY_GATEWAY_DATABASE_URL", owner.main_url)
            monkeypatch.setenv("NOTIFY_GATEWAY_SHRED_DATABASE_URL", owner.shred_url)
            assert run("migrate", "--roles", *files) == 0
            yield made


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.mark.parametrize("part", PARTS)
def test_no_part_may_change_what_is_in_the_log(parts: Parts, part: str) -> None:
    its_work = {("sequencer", "audit_pending", "DELETE"), ("sequencer", "audit_head", "UPDATE")}
    engine = parts.engine(part)
    for table in LOG:
        column = metadata.tables[table].c[0].name
        for change in ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"):
            if (part, table, change.split()[0]) in its_work:
                continue
            with pytest.raises(ProgrammingError) as error, engine.begin() as connection:
                connection.execute(text(change.format(table, column)))
            assert isinstance(error.value.orig, InsufficientPrivilege), (part, table, change)
    engine.dispose()


@pytest.mark.parametrize(
    ("part", "statement"),
    [
        ("service", "INSERT INTO audit_leaf SELECT * FROM audit_leaf"),
        ("service", "INSERT INTO audit_checkpoint SELECT * FROM audit_checkpoint"),
        ("service", "INSERT INTO audit_timestamp SELECT * FROM audit_timestamp"),
        ("service", "CREATE TABLE of_mine (a int)"),
        ("delivery", "INSERT INTO messages SELECT * FROM messages"),
        ("delivery", "SELECT * FROM ages"),
        ("delivery", "SELECT * FROM client_keys"),
        ("delivery", "UPDATE mesh_messages SET due_at = due_at"),
        ("opener", "UPDATE deliveries SET state = state"),
        ("sequencer", "SELECT * FROM messages"),
        ("sequencer", "SELECT * FROM envelopes"),
        ("sequencer", "SELECT * FROM notifications"),
    ],
)
def test_a_part_may_do_nothing_but_its_own_work(parts: Parts, part: str, statement: str) -> None:
    engine = parts.engine(part)
    with pytest.raises(ProgrammingError) as error, engine.begin() as connection:
        connection.execute(text(statement))
    assert isinstance(error.value.orig, InsufficientPrivilege)
    engine.dispose()


def test_the_sequencer_keeps_time_stamps(parts: Parts) -> None:
    engine = parts.engine("sequencer")
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO audit_timestamp (epoch, size, requested_at, reply) VALUES (9, 1, 0, '')"))
        assert connection.scalar(text("SELECT size FROM audit_timestamp WHERE epoch = 9")) == 1
        connection.rollback()
    engine.dispose()


@pytest.mark.parametrize("part", ["delivery", "opener"])
def test_only_the_service_makes_and_deletes_shred_keys(parts: Parts, part: str) -> None:
    engine = open_engine(parts.settings[part].shred_url, pool_size=1)
    with engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM shred_keys"))
    with pytest.raises(ProgrammingError), engine.begin() as connection:
        connection.execute(text("DELETE FROM shred_keys"))
    engine.dispose()


def test_the_whole_journey_runs_under_the_roles(parts: Parts) -> None:
    house = parts.house
    key = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING)
    runtime = Runtime.open(parts.settings["service"], house.clock)
    gateway = runtime.gateway
    onboard.register_authority(gateway, gss=STOCKTON, custody="managed", channel="pull", actor="test")
    onboard.register_key(gateway, key=key.public(), actor="test")
    committer = Committer(gateway)
    committer.start()
    accepted = replace(house, runtime=runtime, committer=committer).accept(a_message())

    worker = Runtime.open(parts.settings["delivery"], house.clock)
    for outcome, code in (*[(AttemptOutcome.RETRY, "refused")] * gateway.settings.circuit_after, (AttemptOutcome.OFFERED, "")):
        (hint,) = deliver.find_due(gateway)  # the last one is a probe, for the circuit is open by then
        (outgoing,) = deliver.begin_attempts(worker.gateway, [UUID(each) for each in hint.ids], owner="a-worker")
        deliver.renew_leases(worker.gateway, [outgoing.delivery_id], owner="a-worker")
        deliver.finish_attempts(worker.gateway, [AttemptResult(outgoing.delivery_id, outgoing.attempt, outcome, code)], owner="a-worker")
        house.clock.move(gateway.settings.circuit_most)

    delivery = outgoing.delivery_id
    document = collect.fetch(gateway, authority=STOCKTON, delivery_id=delivery)
    assert json.loads(document)["envelopes"]
    granted = reveal.grant(gateway, authority=STOCKTON, delivery_id=delivery, kind="card", reason="contact-family", case_reference="EY-1")
    opener = parts.settings["opener"]
    vault = reveal.Vault(house.clock, open_engine(opener.main_url), open_engine(opener.shred_url), gateway.signing_key.public())
    assert reveal.open_granted(vault, {STOCKTON: key}, granted.id).reveal()

    sequencer = open_sequencer(parts.settings["sequencer"], house.clock)
    while sequencer.run_once():
        pass
    sequencer.close()
    assert proofs.proof_of(gateway, accepted.event_id).receipt
    looked = runs.run_when_due(gateway)
    assert looked is not None
    assert looked.broken == ()
    made = reconcile(gateway, organisation=house.trust, day=house.clock.now().date())
    assert b"".join(made.as_csv())
    committer.stop()
    for opened in (runtime, worker):
        opened.close()
    vault.engine.dispose()
    vault.shred_engine.dispose()


def test_the_worker_keeps_what_mesh_carries_and_the_scheduler_follows_it(parts: Parts) -> None:
    house = parts.house
    runtime, worker = (Runtime.open(parts.settings[part], house.clock) for part in ("service", "delivery"))
    gateway = runtime.gateway
    route = {"mailbox": "X26ABC2", "workflow": "TEST_WORKFLOW"}
    onboard.register_authority(gateway, gss=MIDDLESBROUGH, custody="authority-held", channel="mesh", route=route, actor="test")
    committer = Committer(gateway)
    committer.start()
    message = a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH)
    replace(house, runtime=runtime, committer=committer).accept(message)
    (hint,) = (hint for hint in deliver.find_due(gateway) if hint.channel == "mesh")
    (outgoing,) = deliver.begin_attempts(worker.gateway, [UUID(each) for each in hint.ids], owner="a-worker")
    held = Remote("20260101000000000_ABCDEF", route["mailbox"], route["workflow"], bytes(32))
    result = AttemptResult(outgoing.delivery_id, outgoing.attempt, AttemptOutcome.OFFERED, "offered", remote=held)
    deliver.finish_attempts(worker.gateway, [result], owner="a-worker")
    house.clock.move(gateway.settings.mesh_track_every)
    (carried,) = follow_mesh.take_due(gateway)
    assert (carried.delivery_id, carried.message_id) == (outgoing.delivery_id, held.message_id)
    assert follow_mesh.given_back(gateway, carried, code="mesh-gone")
    house.clock.move(gateway.settings.retry_most)
    (again,) = deliver.begin_attempts(worker.gateway, [outgoing.delivery_id], owner="a-worker")
    assert again.given_back == 1
    committer.stop()
    for opened in (runtime, worker):
        opened.close()


def test_every_migration_says_anew_what_the_roles_may_do_once_they_are_there(parts: Parts) -> None:
    owner = parts.house.gateway.engine
    with owner.begin() as connection:
        connection.execute(text(f"GRANT UPDATE ON audit_leaf TO {Role.SERVICE}"))
    for again in (("migrate",), ("migrate", "--roles")):
        assert run(*again) == 0
    with owner.begin() as connection:
        assert not connection.scalar(text(f"SELECT has_table_privilege('{Role.SERVICE}', 'audit_leaf', 'UPDATE')"))
        assert roles.in_use(connection, "main")


@pytest.mark.parametrize("url", ["not a url", "postgresql+psycopg://notify_service_1:a@127.0.0.1:1/elsewhere"])
def test_a_login_that_leads_elsewhere_is_refused(parts: Parts, tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "login").write_text(url)
    assert run("migrate", "--roles", "--login", str(tmp_path / "login")) == 1
    assert "A login cannot be made" in capsys.readouterr().err


@pytest.mark.parametrize("who", ["somebody:a", "notify_service_1"])
def test_a_login_without_role_or_password_is_refused(parts: Parts, tmp_path: Path, who: str, capsys: pytest.CaptureFixture[str]) -> None:
    url = parts.house.gateway.settings.main_url
    (tmp_path / "login").write_text(url.replace(f"{make_url(url).username}@", f"{who}@"))
    assert run("migrate", "--roles", "--login", str(tmp_path / "login")) == 1
    assert "A login cannot be made" in capsys.readouterr().err


def test_sqlite_has_no_roles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_DATA_DIR", str(tmp_path))
    for name in ("DATABASE_URL", "SHRED_DATABASE_URL"):
        monkeypatch.delenv(f"NOTIFY_GATEWAY_{name}", raising=False)
    assert run("migrate", "--roles") == 1
    assert "no roles" in capsys.readouterr().err
