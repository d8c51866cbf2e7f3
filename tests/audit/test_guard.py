# SPDX-License-Identifier: MIT
"""The guard: a log that was rewound, rewritten or forked is not signed, whoever did it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import update

from audit.guard import Guard, GuardRefused
from audit.log import Sequencer
from audit.merkle import Frontier, Node, leaf_hash
from audit.note import Checkpoint, sign_note
from tests.audit.builders import ORIGIN, SIGNER, TABLES, LogUnderTest


def grown(log: LogUnderTest, *batches: int) -> Sequencer:
    sequencer = log.sequencer()
    for count in batches:
        log.add(count)
        assert sequencer.run_once() == count
    return sequencer


def restarted(log: LogUnderTest, sequencer: Sequencer) -> Sequencer:
    sequencer.close()
    return log.sequencer()


def assert_refused(log: LogUnderTest, sequencer: Sequencer, why: str) -> None:
    signed, guarded = log.dump()["audit_checkpoint"], log.guard.read_bytes() if log.guard.exists() else None
    with pytest.raises(GuardRefused, match=why):
        sequencer.run_once()
    assert log.dump()["audit_checkpoint"] == signed
    assert (log.guard.read_bytes() if log.guard.exists() else None) == guarded


def test_the_guard_holds_the_last_checkpoint_for_its_owner_alone(log: LogUnderTest) -> None:
    grown(log, 3, 4)
    assert log.guard.read_text() == log.checkpoint()
    assert stat.S_IMODE(log.guard.stat().st_mode) == 0o600
    assert sorted(path.name for path in log.guard.parent.glob("guard*")) == ["guard"]


@pytest.mark.parametrize("running_on", [True, False], ids=["same process", "after a restart"])
def test_a_restored_backup_is_refused_before_anything_is_sequenced(log: LogUnderTest, running_on: bool) -> None:
    sequencer = grown(log, 5)
    backup = log.dump()
    log.add(7)
    sequencer.run_once()
    log.restore(backup)
    log.add(3)
    assert_refused(log, sequencer if running_on else restarted(log, sequencer), "shorter")
    assert len(log.leaves()) == 5


def test_a_restored_backup_that_has_outgrown_the_old_log_is_refused(log: LogUnderTest) -> None:
    sequencer = grown(log, 5)
    backup = log.dump()
    grow = log.add(7)
    sequencer.run_once()
    log.restore(backup)
    other_place = log.sequencer(guard=log.guard.with_name("none"))
    sequencer.close()
    log.restore({**backup, "audit_checkpoint": []})
    log.add(len(grow) + 10)
    assert other_place.run_once() == 17
    other_place.close()
    assert_refused(log, log.sequencer(), "does not continue")


def test_an_emptied_database_is_refused(log: LogUnderTest) -> None:
    empty = log.dump()
    sequencer = grown(log, 5)
    log.restore(empty)
    assert_refused(log, restarted(log, sequencer), "shorter")


def test_a_log_rebuilt_around_an_altered_leaf_is_refused(log: LogUnderTest) -> None:
    sequencer = grown(log, 11)
    leaves = log.leaves()
    leaves[4] = leaves[4].replace(b"client:RVW", b"client:XXX")
    frontier, nodes = Frontier(), list[Node]()
    for leaf in leaves:
        frontier.append(leaf_hash(leaf), nodes)
    with log.engine.begin() as connection:
        altered = {"leaf": leaves[4], "leaf_hash": leaf_hash(leaves[4])}
        connection.execute(update(TABLES.leaf).where(TABLES.leaf.c.idx == 4).values(altered))
        for level, position, digest in nodes:
            where = (TABLES.node.c.level == level, TABLES.node.c.pos == position)
            connection.execute(update(TABLES.node).where(*where).values(hash=digest))
        connection.execute(update(TABLES.head).values(root=frontier.root()))
    log.add(1)
    assert_refused(log, sequencer, "does not continue")


def test_a_log_whose_guard_file_is_gone_is_refused(log: LogUnderTest) -> None:
    sequencer = grown(log, 2)
    log.guard.unlink()
    log.add(1)
    assert_refused(log, restarted(log, sequencer), "missing")


@pytest.mark.parametrize("content", [b"", b"not a note", b"\xff\xfe", b"text\n\n\xe2\x80\x94 a AAAAAAAA\n"])
def test_a_damaged_guard_file_is_refused(log: LogUnderTest, content: bytes) -> None:
    sequencer = grown(log, 2)
    log.guard.write_bytes(content)
    log.add(1)
    assert_refused(log, restarted(log, sequencer), "damaged")


def test_the_guard_file_of_another_log_is_refused(log: LogUnderTest) -> None:
    log.guard.write_text(sign_note(Checkpoint("log.example/other", 1, bytes(32)).to_text(), SIGNER))
    log.add(1)
    assert_refused(log, log.sequencer(), "another log")


def test_what_was_left_of_an_interrupted_write_does_no_harm(log: LogUnderTest) -> None:
    log.guard.with_name("guard.new").write_text("half a no")
    grown(log, 2)
    assert log.guard.read_text() == log.checkpoint()


def test_the_guard_is_on_disk_before_its_name_is_switched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def watched_fsync(descriptor: int) -> None:
        calls.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def watched_replace(source: Path, target: Path) -> None:
        calls.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "replace", watched_replace)
    Guard(tmp_path / "guard").remember(sign_note(Checkpoint(ORIGIN, 0, bytes(32)).to_text(), SIGNER))
    assert calls == ["file", "rename", "directory"]


def test_a_guard_at_the_empty_tree_lets_any_tree_follow(tmp_path: Path) -> None:
    guard = Guard(tmp_path / "guard")
    guard.remember(sign_note(Checkpoint(ORIGIN, 0, bytes(32)).to_text(), SIGNER))
    guard.check(Checkpoint(ORIGIN, 9, bytes(32)), lambda old, new: [], signed_before=True)
