# SPDX-License-Identifier: MIT
"""The log on both databases: what commits is sequenced once, signed after that, and provable at any size."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from audit.events import read_leaf
from audit.guard import Guard
from audit.log import Sequencer, append, insert_prepared, prepare_leaf
from audit.merkle import leaf_hash, root_from_leaves
from audit.note import Checkpoint, open_checkpoint
from audit.reading import oldest_pending_age, receipt_for
from audit.receipts import verify_receipt
from tests.audit.builders import ORIGIN, OTHER_SIGNER, SIGNER, START, TABLES, LogUnderTest, events


class Crash(BaseException):
    """Stands for the end of the process."""


class DiesBeforeSigning(Sequencer):
    def _sign(self) -> None:
        raise Crash


def test_what_is_appended_comes_into_the_log_in_its_order(log: LogUnderTest) -> None:
    made = [*log.add(3), *log.add(64), *log.add(1)]
    assert log.sequencer().run_once() == 68
    assert log.leaves() == [entry.leaf for entry in made]
    assert [read_leaf(leaf).subject for leaf in log.leaves()] == [f"notification-{i}" for i in range(68)]


def test_events_of_one_instant_keep_the_order_in_which_they_were_appended(log: LogUnderTest) -> None:
    same = [prepare_leaf(event) for event in events(1) * 50]
    with log.engine.begin() as connection:
        insert_prepared(connection, TABLES, same)
    log.sequencer().run_once()
    assert log.leaves() == [entry.leaf for entry in same]


def test_what_is_rolled_back_never_comes_into_the_log(log: LogUnderTest) -> None:
    def fail() -> None:
        with log.engine.begin() as connection:
            append(connection, TABLES, events(5))
            raise Crash

    with pytest.raises(Crash):
        fail()
    assert log.sequencer().run_once() == 0


def test_appending_nothing_does_nothing(log: LogUnderTest) -> None:
    assert log.add(0) == []
    assert log.sequencer().run_once() == 0


def test_every_batch_ends_with_a_signed_checkpoint_over_all_leaves(log: LogUnderTest) -> None:
    sequencer = log.sequencer()
    for count in (1, 2, 5, 16, 33):
        log.add(count)
        assert sequencer.run_once() == count
        expected = root_from_leaves(leaf_hash(leaf) for leaf in log.leaves())
        assert open_checkpoint(log.checkpoint(), SIGNER.verifier) == Checkpoint(ORIGIN, len(log.appended), expected)


def test_a_batch_is_no_larger_than_asked(log: LogUnderTest) -> None:
    log.add(25)
    sequencer = log.sequencer()
    assert [sequencer.run_once(10) for _ in range(4)] == [10, 10, 5, 0]
    assert log.leaves() == [entry.leaf for entry in log.appended]


def test_every_event_has_its_receipt_at_every_size(log: LogUnderTest) -> None:
    sequencer = log.sequencer()
    for count in (1, 6, 9, 21):
        log.add(count)
        sequencer.run_once()
        for index, entry in enumerate(log.appended):
            text = log.receipt(entry)
            assert text is not None
            assert verify_receipt(text, entry.leaf_hash, SIGNER.verifier).index == index


def test_a_receipt_is_found_by_the_hash_of_the_leaf_as_well(log: LogUnderTest) -> None:
    entry = log.add(3)[1]
    log.sequencer().run_once()
    expected = log.receipt(entry)
    with log.engine.begin() as connection:
        assert receipt_for(connection, TABLES, entry.leaf_hash) == expected
        assert receipt_for(connection, TABLES, bytes(32)) is None


def test_there_is_no_receipt_before_the_event_is_signed_for(log: LogUnderTest) -> None:
    entry = log.add(1)[0]
    assert log.receipt(entry) is None
    with pytest.raises(Crash):
        log.sequencer(DiesBeforeSigning).run_once()
    assert log.receipt(entry) is None


def test_a_tree_left_unsigned_by_a_crash_is_signed_by_the_next_run(log: LogUnderTest) -> None:
    log.add(5)
    sequencer = log.sequencer()
    sequencer.run_once()
    log.add(5)
    sequencer.close()
    dying = log.sequencer(DiesBeforeSigning)
    dying._signed = sequencer._signed
    with pytest.raises(Crash):
        dying.run_once()
    dying.close()
    assert open_checkpoint(log.checkpoint(), SIGNER.verifier).size == 5
    assert log.sequencer().run_once() == 0
    assert open_checkpoint(log.checkpoint(), SIGNER.verifier).size == 10


def test_a_crash_between_guard_and_checkpoint_is_healed_with_the_very_same_note(log: LogUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    log.add(5)
    remember = Guard.remember

    def remember_and_die(guard: Guard, note: str) -> None:
        remember(guard, note)
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(Guard, "remember", remember_and_die)
        dying = log.sequencer()
        with pytest.raises(Crash):
            dying.run_once()
        dying.close()
    signed = log.guard.read_text()
    log.sequencer().run_once()
    assert log.checkpoint() == signed


def test_the_age_of_the_oldest_pending_event_is_told(log: LogUnderTest) -> None:
    def age() -> float | None:
        with log.engine.begin() as connection:
            return oldest_pending_age(connection, TABLES, START + timedelta(seconds=12.5))

    assert age() is None
    log.add(3)
    assert age() == 12.5
    log.sequencer().run_once()
    assert age() is None


def test_an_idle_log_signs_nothing_new(log: LogUnderTest) -> None:
    log.add(1)
    sequencer = log.sequencer()
    sequencer.run_once()
    before = log.guard.stat()
    assert [sequencer.run_once() for _ in range(3)] == [0, 0, 0]
    assert log.guard.stat() == before


def test_the_sequencer_runs_until_it_is_told_to_stop(log: LogUnderTest) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=log.sequencer().run_forever, args=(stop, 0.01))
    thread.start()
    try:
        log.add(10)
        waited = threading.Event()
        for _ in range(500):
            if log.receipt(log.appended[-1]):
                break
            waited.wait(0.02)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()
    assert log.receipt(log.appended[-1]) is not None


def test_the_sequencer_waits_for_a_disk_that_is_away(log: LogUnderTest, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log.add(2)
    stop, later = threading.Event(), tmp_path / "mounted later"
    thread = threading.Thread(target=log.sequencer(guard=later / "guard").run_forever, args=(stop, 0.01))
    thread.start()
    try:
        while "the sequencer waits: FileNotFoundError" not in caplog.messages:
            stop.wait(0.02)
        assert log.receipt(log.appended[0]) is None
        later.mkdir()
        while log.receipt(log.appended[0]) is None:
            stop.wait(0.02)
    finally:
        stop.set()
        thread.join(10)


def test_a_key_that_bears_another_name_is_refused(log: LogUnderTest, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bears the log's name"):
        Sequencer(engine=log.engine, tables=TABLES, signer=SIGNER, origin="other.example", guard_path=tmp_path / "guard", now=lambda: START)


def test_after_a_change_of_keys_the_log_goes_on(log: LogUnderTest) -> None:
    log.add(3)
    first = log.sequencer()
    first.run_once()
    first.close()
    log.add(3)
    log.sequencer(signer=OTHER_SIGNER).run_once()
    text = log.receipt(log.appended[0])
    assert text is not None
    assert verify_receipt(text, log.appended[0].leaf_hash, OTHER_SIGNER.verifier).checkpoint.size == 6


def test_a_large_batch_takes_few_statements(log: LogUnderTest) -> None:
    with log.engine.begin() as connection:
        append(connection, TABLES, events(2000))
    statements: list[str] = []
    event.listen(log.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    assert log.sequencer().run_once() == 2000
    assert len(statements) < 35
