# SPDX-License-Identifier: MIT
"""The drill: a backup of the running service, both databases lost, put back into fresh ones; nothing is lost or doubled at the receiver."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from audit.events import read_leaf
from audit.findings import Opening
from audit.guard import Guard
from audit.merkle import leaf_hash
from audit.receipts import verify_receipt
from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.restore import require_erasures
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import Duplicate
from notify_gateway.domain.retention import ErasureReason
from notify_gateway.privacy.opening import open_delivery
from notify_gateway.runtime import Runtime, open_sequencer
from notify_gateway.settings import Settings
from notify_gateway.store.copies import CopyFailed
from notify_gateway.store.tables import audit_tables, messages
from notify_gateway.use_cases import backup, collect, deliver, erase, proofs, restore
from notify_gateway.use_cases.accept import Accepted
from notify_gateway.use_cases.backup_manifest import BackupDamaged
from notify_gateway.use_cases.commit import Committer
from tests.support.invariants import assert_invariants
from tests.support.messages import Message, a_message
from tests.support.templates import Templates
from tests.support.waiting import eventually, need_program
from tests.use_cases.conftest import STOCKTON, House, furnished

Fresh = Callable[[], Mapping[str, str]]


def quiet(_name: str, _done: int, _whole: int | None) -> None:
    """Nobody looks."""


@dataclass
class Drill:
    """A service, a trust that keeps what it sent, and an authority's system that applies each delivery once."""

    house: House
    fresh: Fresh
    stack: ExitStack
    sent: dict[UUID, tuple[Message, Accepted]] = field(default_factory=dict)
    inbox: dict[UUID, bytes] = field(default_factory=dict)
    handed: Counter[UUID] = field(default_factory=Counter)
    since: dict[UUID, datetime] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return self.house.gateway.settings

    def send(self, message: Message, *, request_id: UUID | None = None) -> Accepted:
        request_id = request_id or uuid4()
        accepted = self.house.accept(message, request_id=request_id)
        self.sent[request_id] = (message, accepted)
        self.house.clock.move(timedelta(seconds=5))
        self.sequence()
        return accepted

    def send_many(self, count: int) -> list[Accepted]:
        return [self.send(a_message()) for _ in range(count)]

    def sequence(self) -> None:
        with closing(open_sequencer(self.settings, self.house.clock)) as sequencer:
            while sequencer.run_once():
                pass

    def deliver(self) -> None:
        """Hand over and confirm whatever waits; a delivery that the inbox has already changes nothing there."""
        gateway = self.house.gateway
        self.house.clock.move(gateway.settings.rehint_after * 2)
        for hint in deliver.find_due(gateway):
            items = deliver.begin_attempts(gateway, [UUID(each) for each in hint.ids], owner="drill")
            results = [AttemptResult(each.delivery_id, each.attempt, AttemptOutcome.OFFERED, "ok") for each in items]
            deliver.finish_attempts(gateway, results, owner="drill")
        for waiting in collect.list_waiting(gateway, authority=STOCKTON, limit=1000):
            self.since.setdefault(waiting.id, self.house.clock.now())
            document = collect.fetch(gateway, authority=STOCKTON, delivery_id=waiting.id)
            held = self.inbox.setdefault(waiting.id, document)
            assert held == document or b'"envelopes":{}' in document, "the very same bytes, or the view alone of what was erased"
            self.handed[waiting.id] += 1
            digest = hashlib.sha256(document).digest()
            collect.confirm_received(gateway, authority=STOCKTON, delivery_id=waiting.id, digest=digest)
        self.house.clock.move(timedelta(seconds=5))
        self.sequence()

    def applied(self) -> list[bytes]:
        """Return the messages that the authority holds, as it opens them with its own key."""
        key, signer = self.house.keys[STOCKTON][0], self.house.gateway.signing_key.public()
        documents: list[Any] = [json.loads(each) for each in self.inbox.values()]
        opened = (open_delivery(each, key, signer) for each in documents if each["envelopes"])
        return sorted(each.original.reveal() for each in opened if each.original is not None)

    def settings_with(self, **changed: str) -> Settings:
        return Settings.model_validate(self.settings.model_dump() | changed)

    def reopen(self, settings: Settings) -> None:
        """Start the service anew with other settings."""
        self.house.committer.stop()
        self.house.runtime.close()
        runtime = Runtime.open(settings, self.house.clock)
        self.stack.callback(runtime.close)
        committer = Committer(runtime.gateway)
        committer.start()
        self.stack.callback(committer.stop)
        self.house = replace(self.house, runtime=runtime, committer=committer)

    def back_up(self, folder: Path) -> tuple[Path, Path]:
        main, shred = folder / "main-backup", folder / "shred-backup"
        backup.make(self.house.gateway, to=main, shred_to=shred, actor="operator:ann", told=quiet)
        return main, shred


@pytest.fixture(params=["sqlite", "postgresql"])
def drill(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drill]:
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    if server is not None:
        monkeypatch.setenv("PATH", f"{Path(need_program('pg_dump')).parent}{os.pathsep}{os.environ['PATH']}")
    with ExitStack() as databases:

        def fresh() -> Mapping[str, str]:
            if server is None:
                return {f"{name}database_url": f"sqlite:///{tmp_path / f'{name}fresh.sqlite3'}" for name in ("", "shred_")}
            return {f"{name}database_url": databases.enter_context(templates.bare(server)) for name in ("", "shred_")}

        for house in furnished(tmp_path, templates, server):
            with ExitStack() as opened:
                yield Drill(house, fresh, opened)


@pytest.mark.parametrize("many", [1, pytest.param(40, marks=(pytest.mark.long, pytest.mark.timeout(600)))])
def test_nothing_is_lost_or_doubled_when_both_databases_are_lost_and_put_back(drill: Drill, tmp_path: Path, many: int) -> None:
    before = drill.send_many(many)[0]
    drill.deliver()
    drill.send_many(many)
    forgotten = drill.send(a_message())
    main, shred = drill.back_up(tmp_path)
    made, _ = backup.check(main, shred)
    drill.deliver()
    lost_after_delivery = drill.send_many(many)
    lost_receipt, old_key = proofs.proof_of(drill.house.gateway, lost_after_delivery[0].event_id).receipt, drill.house.runtime.public.log
    drill.deliver()
    lost_on_the_way = drill.send_many(many)
    why = ErasureReason.SUBJECT_REQUEST
    erase.erase(drill.house.gateway, reference=forgotten.reference, reason=why, case_reference="IG-1", actor="a", cancel_open=True)
    signed = Guard(drill.settings.guard_file).last_signed()
    assert signed is not None

    # Both databases are gone. The backup goes into fresh ones; guard file and tombstones have survived, and are newer.
    fresh = drill.settings_with(**drill.fresh())
    assert not backup.load(fresh, folder=main, shred_folder=shred, told=quiet)
    with pytest.raises(CopyFailed):
        backup.load(fresh, folder=main, shred_folder=shred, told=quiet)
    drill.reopen(fresh)
    with pytest.raises(CommandFailed, match="brought back what was erased"):
        require_erasures(drill.house.gateway)
    found = restore.standing(drill.house.gateway)
    size = made.about["log"]["size"]  # type: ignore[index,call-overload]
    assert found.gap == (size, signed.size)
    (trust,) = restore.send_again(drill.house.gateway, found)
    (aside,) = [each for each in restore.set_aside(drill.house.gateway, found) if each.authority == STOCKTON]
    origin = restore.next_origin(drill.settings, restored=True)
    done = restore.open_next(drill.house.gateway, origin=origin, reason="disk-failure", actor="operator:ann", restored=True)
    assert done.erased_again == 1
    drill.reopen(drill.settings_with(log_origin=origin))
    require_erasures(drill.house.gateway)

    # The trust goes by its list: what is not on it was lost, and nothing else was.
    held = {each.request_id for each in trust.kept}
    again = {request for request, (_, accepted) in drill.sent.items() if trust.since <= accepted.accepted_at and request not in held}
    lost = [*lost_after_delivery, *lost_on_the_way]
    assert again == {request for request, (_, accepted) in drill.sent.items() if accepted in lost}
    for request in again:
        drill.send(drill.sent[request][0], request_id=request)
    for request in drill.sent.keys() - again:
        with pytest.raises(Duplicate):
            drill.house.accept(drill.sent[request][0], request_id=request)
    # The authority goes by its own: what it received and we lost is set aside, and comes again.
    kept = {each.id for each in aside.kept}
    gone = {delivery for delivery, at in drill.since.items() if at >= aside.since and delivery not in kept}
    assert len(gone) == many
    drill.inbox = {delivery: document for delivery, document in drill.inbox.items() if delivery not in gone}
    drill.deliver()
    times = Counter(drill.handed.values())
    assert times == {1: 4 * many, 2: many + 1}, "what the backup did not know as received came again under its own id"

    wanted = [message.bytes() for message, _ in drill.sent.values()]
    assert drill.applied() == sorted(wanted), "each message once; the erased one was delivered before it was erased"
    assert_invariants(drill.house.gateway)
    receipt = proofs.proof_of(drill.house.gateway, before.event_id).receipt
    for accepted, text in ((before, receipt), (lost_after_delivery[0], lost_receipt)):
        assert verify_receipt(text, leaf_hash(accepted.leaf), old_key).checkpoint.origin == signed.origin


def test_a_backup_that_is_made_while_messages_come_in_is_of_one_instant(drill: Drill, tmp_path: Path) -> None:
    stop, sent = threading.Event(), []

    def send() -> None:
        while not stop.is_set():
            sent.append(drill.house.accept(a_message()))

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        eventually(lambda: len(sent) > 2, what="messages come in")
        main, shred = drill.back_up(tmp_path)
        reached = len(sent)
        eventually(lambda: len(sent) > reached, what="messages come in all the while")
        stop.set()
        sending.result(timeout=10)
    fresh = drill.settings_with(**drill.fresh())
    backup.load(fresh, folder=main, shred_folder=shred, told=quiet)
    drill.reopen(fresh)
    assert 2 < drill.house.count(messages) <= reached + 1 < len(sent) + 1
    drill.sequence()
    assert_invariants(drill.house.gateway)


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_when_the_guard_file_is_lost_too_the_next_log_says_so(drill: Drill, tmp_path: Path) -> None:
    drill.send(a_message())
    main, shred = drill.back_up(tmp_path)
    drill.send(a_message())
    drill.settings.guard_file.unlink()
    fresh = drill.settings_with(**drill.fresh())
    assert backup.load(fresh, folder=main, shred_folder=shred, told=quiet)
    drill.reopen(fresh)
    found = restore.standing(drill.house.gateway)
    assert found.why is None, "nothing here knows that entries were signed after the backup"
    origin = restore.next_origin(drill.settings, restored=True)
    restore.open_next(drill.house.gateway, origin=origin, reason="disk-failure", actor="a", restored=True, guard_lost=True)
    drill.reopen(drill.settings_with(log_origin=origin))
    drill.sequence()
    with drill.house.gateway.engine.begin() as connection:
        first = connection.execute(select(audit_tables.leaf.c.leaf).where(audit_tables.leaf.c.idx == 0)).scalar_one()
    assert (read_leaf(first).tag, read_leaf(first).fields["guard"]) == ("log:opened", "lost")
    reader = Opening()
    reader.see(0, first)
    assert "more may have been signed" in reader.sentence()
    assert "Nothing" not in reader.sentence()


@pytest.mark.parametrize("drill", ["postgresql"], indirect=True)
def test_without_the_program_of_postgresql_nothing_is_made_and_the_log_says_so(
    drill: Drill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CopyFailed, match="pg_dump is not on this machine"):
        drill.back_up(tmp_path)
    assert not (tmp_path / "main-backup").exists()
    with drill.house.gateway.engine.begin() as connection:
        leaves = connection.scalars(select(audit_tables.pending.c.leaf).order_by(audit_tables.pending.c.arrival)).all()
    assert [read_leaf(leaf).tag for leaf in leaves][-2:] == ["backup:attempted", "backup:failed"]


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_a_backup_is_apart_is_never_overwritten_and_is_whole_or_is_none(drill: Drill, tmp_path: Path) -> None:
    drill.send(a_message())
    gateway = drill.house.gateway
    for main, shred in ((tmp_path / "x", tmp_path / "x"), (tmp_path / "x", tmp_path / "x" / "shred"), (tmp_path, tmp_path / "y")):
        with pytest.raises(CopyFailed):
            backup.make(gateway, to=main, shred_to=shred, actor="a", told=quiet)
    assert not (tmp_path / "x").exists()
    main, shred = drill.back_up(tmp_path)
    assert sorted(each.name for each in main.iterdir()) == ["log-guard.json", "main.sqlite3", "manifest.json"]
    assert sorted(each.name for each in shred.iterdir()) == ["manifest.json", "shred.sqlite3"]
    with pytest.raises(CopyFailed, match="overwritten"):
        drill.back_up(tmp_path)
    assert backup.overdue(shred, "9999") == [shred]
    assert backup.overdue(shred, "2026") == []
    with pytest.raises(BackupDamaged, match="not the main part"):
        backup.check(shred, None)
    with (main / "main.sqlite3").open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    with pytest.raises(BackupDamaged, match="SHA-256 differs"):
        backup.load(drill.settings, folder=main, shred_folder=shred, told=quiet)
    (main / "manifest.json").unlink()
    with pytest.raises(BackupDamaged, match="no manifest"):
        backup.check(main, None)
