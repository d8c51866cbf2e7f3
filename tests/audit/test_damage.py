# SPDX-License-Identifier: MIT
"""Tables that contradict themselves: the log says so and does not grow over it."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from audit.log import Appended, insert_prepared
from audit.reading import LogDamaged
from tests.audit.builders import TABLES, LogUnderTest


def _corrupt_leaf(log: LogUnderTest, entry: Appended) -> None:
    changed = entry.leaf.replace(b"client:RVW", b"client:XXX")
    pending = TABLES.pending
    with log.engine.begin() as connection:
        connection.execute(update(pending).where(pending.c.event_id == entry.event_id).values(leaf=changed))


def test_a_pending_leaf_that_was_altered_is_not_sequenced(log: LogUnderTest) -> None:
    entry = log.add(3)[1]
    _corrupt_leaf(log, entry)
    with pytest.raises(LogDamaged, match="not what was appended"):
        log.sequencer().run_once()
    assert log.leaves() == []


def test_an_event_that_is_pending_a_second_time_stops_the_log(log: LogUnderTest) -> None:
    made = log.add(3)
    sequencer = log.sequencer()
    sequencer.run_once()
    with log.engine.begin() as connection:
        insert_prepared(connection, TABLES, made[:1])
    with pytest.raises(LogDamaged, match="twice"):
        sequencer.run_once()


def test_a_tree_with_an_altered_subtree_does_not_grow(log: LogUnderTest) -> None:
    log.add(6)
    sequencer = log.sequencer()
    sequencer.run_once()
    with log.engine.begin() as connection:
        connection.execute(update(TABLES.node).where(TABLES.node.c.level == 2).values(hash=bytes(32)))
    log.add(1)
    with pytest.raises(LogDamaged, match="stored root"):
        sequencer.run_once()


def test_a_tree_with_a_missing_subtree_gives_no_receipt(log: LogUnderTest) -> None:
    log.add(6)
    log.sequencer().run_once()
    with log.engine.begin() as connection:
        connection.execute(delete(TABLES.node))
    with pytest.raises(LogDamaged, match="missing"):
        log.receipt(log.appended[0])


def test_a_head_cannot_be_two(log: LogUnderTest) -> None:
    row = {"id": 2, "size": 0, "root": bytes(32), "epoch": 0}
    with pytest.raises(IntegrityError), log.engine.begin() as connection:
        connection.execute(insert(TABLES.head), row)
