# SPDX-License-Identifier: MIT
"""Three sequencers on one log, killed without warning while four writers append: one tree, no gap, no fork, nothing lost or twice."""

from __future__ import annotations

import random
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from audit.leadership import Leadership
from audit.log import Sequencer, _Fenced
from audit.merkle import EMPTY_ROOT, leaf_hash, root_from_leaves
from audit.note import Checkpoint, open_checkpoint
from audit.reading import Head, LogDamaged
from tests.audit.builders import ORIGIN, SIGNER, TABLES, LogUnderTest
from tests.support.processes import Process
from tests.support.waiting import eventually

WRITERS = 4
ENOUGH = 30


def assert_sound(log: LogUnderTest) -> None:
    """Everything appended is in the log once, and every checkpoint ever signed is of a beginning of it."""
    leaves = log.leaves()
    assert sorted(leaves) == sorted(entry.leaf for entry in log.appended)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    with log.engine.begin() as connection:
        assert connection.scalar(select(func.max(TABLES.leaf.c.idx))) == len(leaves) - 1
        assert connection.scalar(select(func.count()).select_from(TABLES.pending)) == 0
        notes = list(connection.scalars(select(TABLES.checkpoint.c.note).order_by(TABLES.checkpoint.c.size)))
    for note in notes:
        checkpoint = open_checkpoint(note, SIGNER.verifier)
        assert checkpoint == Checkpoint(ORIGIN, checkpoint.size, root_from_leaves(hashes[: checkpoint.size]))
    assert open_checkpoint(notes[-1], SIGNER.verifier).size == len(leaves)


@pytest.mark.parametrize("kills", [5, pytest.param(25, marks=pytest.mark.long)])
def test_three_sequencers_and_random_kills_leave_one_tree(log: LogUnderTest, tmp_path: Path, kills: int) -> None:
    command = [sys.executable, "-m", "tests.audit.contestant", log.engine.url.render_as_string(hide_password=False), str(log.guard)]
    contestants = [Process(command, name=f"sequencer {n}", log=tmp_path / f"{n}.log") for n in range(3)]
    chance, pause, done = random.Random(27), threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        try:
            while not done.wait(0.016):
                log.add(4)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    try:
        for contestant in contestants:
            contestant.ready = partial(contestant.says, "runs")
            contestant.start()
        for writer in writers:
            writer.start()
        for _ in range(kills):
            pause.wait(chance.uniform(0.5, 0.9))
            contestants[chance.randrange(3)].restart(wait=False)
        # On a slow machine they may hardly have begun.
        eventually(lambda: len(log.leaves()) > ENOUGH, within=60, what="sequenced by the contestants")
    finally:
        done.set()
        for writer in writers:
            writer.join(30)
        for contestant in contestants:
            contestant.kill9(group=True)
    assert failures == []
    sequenced_by_them = len(log.leaves())
    finisher = log.sequencer()
    pause.wait(0.2)
    for _ in range(200 + 10 * kills):
        if finisher.run_once() == 0 and len(log.leaves()) == len(log.appended):
            break
    assert sequenced_by_them > ENOUGH, [contestant.output for contestant in contestants]
    assert not any("Refused" in contestant.output or "Damaged" in contestant.output for contestant in contestants)
    assert_sound(log)


class Everyone(Leadership):
    """Lets every sequencer believe that it leads, as after a split."""

    def held(self) -> bool:
        return True


def test_sequencers_that_all_believe_to_lead_are_fenced(log: LogUnderTest) -> None:
    rivals: list[Sequencer] = [log.sequencer() for _ in range(3)]
    for rival in rivals:
        rival._leadership = Everyone(log.engine, ORIGIN)
    done, failures = threading.Event(), list[BaseException]()

    def run(rival: Sequencer) -> None:
        try:
            while not done.is_set():
                rival.run_once(5)
        except LogDamaged as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(rival,)) for rival in rivals]
    for thread in threads:
        thread.start()
    try:
        for _ in range(40):
            log.add(6)
    finally:
        done.set()
        for thread in threads:
            thread.join(30)
    assert failures == []
    while rivals[0].run_once():
        pass
    assert_sound(log)


def test_the_head_moves_only_from_where_the_batch_began(log: LogUnderTest) -> None:
    entry = log.add(3)[0]
    sequencer = log.sequencer()
    sequencer.run_once()
    stale = Head(0, EMPTY_ROOT, 0)
    with pytest.raises(_Fenced), log.engine.begin() as connection:
        sequencer._grow(connection, stale, [(0, entry.leaf, entry.leaf_hash)])
    assert_sound(log)
