# SPDX-License-Identifier: MIT
"""A database restored to an earlier point: refused, explained, closed and opened anew under the next name; receipts of before hold."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from audit.events import read_leaf
from audit.export import verify_export
from audit.guard import Guard, GuardRefused
from audit.merkle import leaf_hash
from audit.note import Verifier
from audit.receipts import verify_receipt
from audit.succession import SuccessionRefused
from audit.verify import main as verify
from notify_gateway.api.operations import _checks as health
from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.restore import require_origin
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Unavailable
from notify_gateway.domain.retention import ErasureReason
from notify_gateway.runtime import Runtime, open_sequencer
from notify_gateway.settings import Settings
from notify_gateway.store.tables import audit_tables, messages
from notify_gateway.use_cases import erase, evidence, exporting, proofs, restore
from notify_gateway.use_cases.accept import Accepted
from notify_gateway.use_cases.commit import Committer
from tests.support.messages import a_message
from tests.support.service import plain_url
from tests.support.templates import Templates
from tests.support.waiting import need_program
from tests.use_cases.conftest import House, furnished

Copies = Callable[[str], str]


@dataclass
class Drill:
    """A house whose main database can be put back to how it was."""

    house: House
    copy: Copies
    stack: ExitStack

    @property
    def settings(self) -> Settings:
        return self.house.gateway.settings

    def run(self) -> None:
        sequencer = open_sequencer(self.settings, self.house.clock)
        with closing(sequencer):
            while sequencer.run_once():
                pass

    def accept(self) -> Accepted:
        accepted = self.house.accept(a_message())
        self.house.clock.move(timedelta(seconds=5))
        self.run()
        return accepted

    def dump(self) -> str:
        self.house.gateway.engine.dispose()
        return self.copy(self.settings.main_url)

    def reopen(self, **changed: str) -> None:
        """Start the service anew with changed settings."""
        self.house.committer.stop()
        self.house.runtime.close()
        runtime = Runtime.open(Settings.model_validate(self.settings.model_dump() | changed), self.house.clock)
        self.stack.callback(runtime.close)
        committer = Committer(runtime.gateway)
        committer.start()
        self.stack.callback(committer.stop)
        self.house = replace(self.house, runtime=runtime, committer=committer)

    def refuse(self) -> None:
        sequencer = open_sequencer(self.settings, self.house.clock)
        with pytest.raises(GuardRefused):
            sequencer.run_forever(threading.Event())

    def key(self) -> Verifier:
        return self.house.runtime.public.log


@pytest.fixture(params=["sqlite", "postgresql"])
def drill(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates) -> Iterator[Drill]:
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    with ExitStack() as stack:

        def copy(url: str) -> str:
            if server is not None:
                fresh = stack.enter_context(server.database())
                dumped = subprocess.run([need_program("pg_dump"), plain_url(url)], capture_output=True, check=True)
                subprocess.run(
                    [need_program("psql"), "--quiet", "--set=ON_ERROR_STOP=1", plain_url(fresh)],
                    input=dumped.stdout,
                    capture_output=True,
                    check=True,
                )
                return fresh
            target = tmp_path / "restored.sqlite3"
            for suffix in ("", "-wal"):
                if (source := Path(f"{make_url(url).database}{suffix}")).exists():
                    shutil.copyfile(source, f"{target}{suffix}")
            return f"sqlite:///{target}"

        for house in furnished(tmp_path, templates, server):
            with ExitStack() as opened:
                yield Drill(house, copy, opened)


def opened_next(drill: Drill) -> restore.Reopened:
    origin = restore.next_origin(drill.settings, restored=True)
    done = restore.open_next(drill.house.gateway, origin=origin, reason="disk-failure", actor="operator:ann", restored=True)
    drill.reopen(log_origin=origin)
    return done


def test_the_whole_drill(drill: Drill, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = drill.accept()
    kept_receipt = proofs.proof_of(drill.house.gateway, kept.event_id).receipt
    backup, held = drill.dump(), Guard(drill.settings.guard_file).last_signed()
    assert held is not None
    lost = drill.accept()
    lost_receipt = proofs.proof_of(drill.house.gateway, lost.event_id).receipt
    signed, old_key = Guard(drill.settings.guard_file).last_signed(), drill.key()
    assert signed is not None
    erase.erase(
        drill.house.gateway, reference=kept.reference, reason=ErasureReason.COURT_ORDER, case_reference="C-1", actor="a", cancel_open=True
    )

    # The backup is restored: nothing is signed, health says why, nothing is accepted.
    drill.reopen(database_url=backup)
    drill.refuse()
    with pytest.raises(Unavailable) as stopped:
        proofs.require_log_in_time(drill.house.gateway)
    assert stopped.value.issues[0].code == Code.LOG_STOPPED
    assert health(drill.house.gateway)["log"] == {
        "status": "fail",
        "observed": "nothing is signed: the log is shorter than when it was last signed",
    }
    found = restore.standing(drill.house.gateway)
    assert found.gap == (held.size, signed.size)
    (window,) = restore.send_again(drill.house.gateway, found)
    assert window.trust == "RXX"
    assert window.since < kept.accepted_at < lost.accepted_at < window.until

    # The next log is opened, and the service goes on.
    done = opened_next(drill)
    assert done.erased_again == 1, "the age that the backup brought back"
    proofs.require_log_in_time(drill.house.gateway)
    drill.run()
    fresh = drill.accept()
    receipt = proofs.proof_of(drill.house.gateway, fresh.event_id).receipt
    assert verify_receipt(receipt, leaf_hash(fresh.leaf), drill.key()).checkpoint.origin == done.origin

    # Receipts of before hold, of what was lost too; those of what is held can still be fetched.
    for entry, proof in ((kept, kept_receipt), (lost, lost_receipt)):
        assert verify_receipt(proof, leaf_hash(entry.leaf), old_key).checkpoint.origin == signed.origin
    again = proofs.proof_of(drill.house.gateway, kept.event_id).receipt
    assert verify_receipt(again, leaf_hash(kept.leaf), old_key).checkpoint.size == held.size
    with drill.house.gateway.engine.begin() as connection:
        assert connection.scalars(select(messages.c.accepted_event)).all() == [kept.event_id, fresh.event_id]
    tags = [each.event.tag for each in evidence.story(drill.house.gateway, reference=kept.reference, actor="a")]
    assert "notification:accepted" in tags

    # The export says by itself what happened.
    lines = list(exporting.lines(drill.house.gateway, actor="a"))
    seen = []
    verify_export(lines, [drill.key()], seen=lambda _, leaf: seen.append(read_leaf(leaf)))
    assert seen[0].tag == "log:opened"
    assert seen[0].actor == "operator:ann"
    assert dict(seen[0].fields) == {
        "previous": signed.origin,
        "previous_root": signed.root.hex(),
        "previous_size": signed.size,
        "gap_from": held.size,
        "gap_to": signed.size,
        "reason": "disk-failure",
    }
    (tmp_path / "log.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    capsys.readouterr()
    assert verify(["export", "--key", drill.key().vkey, "--export", str(tmp_path / "log.jsonl"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert f"entries {held.size} to {signed.size - 1} of it are lost" in json.dumps(said)


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_a_log_under_its_old_name_is_neither_served_nor_signed(drill: Drill) -> None:
    drill.accept()
    backup = drill.dump()
    drill.accept()
    drill.reopen(database_url=backup)
    old = drill.settings.log_origin
    opened_next(drill)
    require_origin(drill.settings, drill.house.gateway.engine)
    drill.reopen(log_origin=old)
    with pytest.raises(CommandFailed) as blocked:
        require_origin(drill.settings, drill.house.gateway.engine)
    assert "NOTIFY_GATEWAY_LOG_ORIGIN" in blocked.value.told.fix
    with pytest.raises(Unavailable):
        proofs.require_log_in_time(drill.house.gateway)
    drill.refuse()


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_a_log_that_continues_is_not_opened_anew_and_one_that_does_not_is_no_year_to_close(drill: Drill) -> None:
    drill.accept()
    backup = drill.dump()
    with pytest.raises(SuccessionRefused, match="nothing to open anew"):
        opened_next(drill)
    drill.accept()
    drill.reopen(database_url=backup)
    with pytest.raises(SuccessionRefused, match="restore open"):
        restore.open_next(drill.house.gateway, origin="log.example/2027", reason="year-closed", actor="a", restored=False)


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_an_opening_that_a_crash_broke_off_is_carried_on(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    drill.accept()
    backup = drill.dump()
    drill.accept()
    drill.reopen(database_url=backup)
    signed = Guard(drill.settings.guard_file).last_signed()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Guard, "remember", crash)
        with pytest.raises(KeyboardInterrupt):
            opened_next(drill)
    assert Guard(drill.settings.guard_file).last_signed() == signed
    done = opened_next(drill)
    assert Guard(drill.settings.guard_file).last_signed() != signed
    assert drill.settings.guard_file.with_name(f"{drill.settings.guard_file.name}.closed-0").exists()
    drill.accept()
    with drill.house.gateway.engine.begin() as connection:
        openings = connection.scalars(select(audit_tables.leaf.c.idx).where(audit_tables.leaf.c.tag == "log:opened")).all()
    assert openings == [0]
    assert drill.key().name == done.origin


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_a_year_is_closed_and_the_next_commits_to_it(drill: Drill) -> None:
    drill.reopen(log_origin="log.example/2026")
    first = drill.accept()
    old_key, signed = drill.key(), Guard(drill.settings.guard_file).last_signed()
    assert signed is not None
    origin = restore.next_origin(drill.settings, restored=False)
    assert origin == "log.example/2027"
    restore.open_next(drill.house.gateway, origin=origin, reason="year-closed", actor="operator:ann", restored=False)
    drill.reopen(log_origin=origin)
    drill.accept()
    with drill.house.gateway.engine.begin() as connection:
        opening = read_leaf(connection.execute(select(audit_tables.leaf.c.leaf).where(audit_tables.leaf.c.idx == 0)).scalar_one())
    assert dict(opening.fields) == {
        "previous": "log.example/2026",
        "previous_root": signed.root.hex(),
        "previous_size": signed.size,
        "reason": "year-closed",
    }
    receipt = proofs.proof_of(drill.house.gateway, first.event_id).receipt
    assert verify_receipt(receipt, leaf_hash(first.leaf), old_key).checkpoint == signed
