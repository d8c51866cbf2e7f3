# SPDX-License-Identifier: MIT
"""Erasing: the keys go for ever, whatever crashes or is restored; legal holds; two people to end one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select

from audit.events import read_leaf
from audit.findings import Gaps
from audit.reading import read_leaves
from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.restore import require_erasures
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotAllowed, NotFound, NotifyError, Refused
from notify_gateway.domain.retention import ErasureReason, HoldReason
from notify_gateway.runtime import open_sequencer
from notify_gateway.store import shred, tombstones
from notify_gateway.store.tables import ages, audit_tables, deliveries, erased_keys, erased_messages, messages, shred_keys
from notify_gateway.use_cases import collect, deliver, erase, holds
from tests.support.messages import a_message
from tests.use_cases.conftest import STOCKTON, House

on_sqlite = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
REASON = ErasureReason.SUBJECT_REQUEST


def erased(house: House, reference: str, **more: bool) -> int:
    return erase.erase(house.gateway, reference=reference, reason=REASON, case_reference="IG/2026-14", actor="operator:ann", **more)


def delivered(house: House) -> tuple[str, UUID]:
    """Accept a notification and let the authority receive it; return reference and delivery."""
    accepted = house.accept(a_message())
    (hint,) = deliver.find_due(house.gateway)
    (outgoing,) = deliver.begin_attempts(house.gateway, [UUID(each) for each in hint.ids], owner="a-worker")
    deliver.finish_attempts(
        house.gateway, [deliver.AttemptResult(outgoing.delivery_id, 1, deliver.AttemptOutcome.OFFERED, "")], owner="a-worker"
    )
    document = collect.fetch(house.gateway, authority=STOCKTON, delivery_id=outgoing.delivery_id)
    collect.confirm_received(house.gateway, authority=STOCKTON, delivery_id=outgoing.delivery_id, digest=hashlib.sha256(document).digest())
    return accepted.reference, outgoing.delivery_id


def tags(house: House) -> list[str]:
    with house.gateway.engine.begin() as connection:
        return list(connection.scalars(select(audit_tables.pending.c.tag).order_by(audit_tables.pending.c.arrival)))


def assert_code(error: pytest.ExceptionInfo[NotifyError], code: Code) -> None:
    assert [issue.code for issue in error.value.issues] == [code]


def test_what_is_erased_can_be_opened_by_nobody_and_the_pseudonymous_rest_stays(house: House) -> None:
    reference, delivery = delivered(house)
    before = json.loads(collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery))
    assert erase.outline(house.gateway, reference=reference).keys == 1
    assert erased(house, reference) == 1
    after = json.loads(collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery))
    assert before["envelopes"]
    assert after["envelopes"] == {}
    assert after["view"] == before["view"]
    assert (house.count(shred_keys), house.count(ages), house.count(messages)) == (0, 0, 1)
    assert tags(house)[-3:-1] == ["erasure:attempted", "notification:erased"]
    (tombstone,) = tombstones.read(house.gateway.settings.erasures)
    assert len(tombstone.message_ids) == 1


@on_sqlite
def test_the_log_says_who_erased_why_and_under_which_case_and_no_more(house: House) -> None:
    reference, _ = delivered(house)
    erased(house, reference)
    with house.gateway.engine.begin() as connection:
        leaf = connection.scalar(select(audit_tables.pending.c.leaf).where(audit_tables.pending.c.tag == "notification:erased"))
    event = read_leaf(leaf)
    assert event.actor == "operator:ann"
    assert {**event.fields, "erasure": ""} == {"reason": "subject-request", "case": "IG/2026-14", "count": 1, "erasure": ""}
    assert "Nobody can open it any more." in event.sentence()


def test_an_open_delivery_is_not_erased_unless_it_is_cancelled(house: House) -> None:
    accepted = house.accept(a_message())
    with pytest.raises(Conflict) as error:
        erased(house, accepted.reference)
    assert_code(error, Code.ERASURE_DELIVERY_OPEN)
    assert house.count(shred_keys) == 1
    assert erased(house, accepted.reference, cancel_open=True) == 1
    with house.gateway.engine.begin() as connection:
        assert connection.scalar(select(deliveries.c.state)) == "cancelled"
    assert deliver.find_due(house.gateway) == []
    assert "delivery:cancelled" in tags(house)


def test_under_a_legal_hold_nothing_is_erased_and_it_takes_two_to_end_one(house: House) -> None:
    reference, _ = delivered(house)
    holds.set_hold(house.gateway, reference=reference, reason=HoldReason.INQUIRY, case_reference="INQ-7", actor="operator:ann")
    with pytest.raises(Conflict) as held:
        erased(house, reference)
    assert_code(held, Code.ERASURE_HELD)
    assert not holds.release(house.gateway, reference=reference, case_reference="INQ-7", actor="operator:ann")
    with pytest.raises(NotAllowed) as alone:
        holds.release(house.gateway, reference=reference, case_reference="INQ-7", actor="operator:ann")
    assert_code(alone, Code.HOLD_SECOND_PERSON)
    assert [each.release_by for each in holds.in_force(house.gateway)] == ["operator:ann"]
    assert house.count(shred_keys) == 1
    assert holds.release(house.gateway, reference=reference, case_reference="INQ-7", actor="operator:bob")
    assert holds.in_force(house.gateway) == []
    assert erased(house, reference) == 1
    assert [tag for tag in tags(house) if tag.startswith("hold")] == ["hold:set", "hold:ending", "hold:released"]


@on_sqlite
def test_what_cannot_be_erased_or_held_is_told(house: House) -> None:
    reference, _ = delivered(house)
    with pytest.raises(NotFound) as unknown:
        erased(house, "SEN-00000000-0")
    assert_code(unknown, Code.TASK_UNKNOWN)
    with pytest.raises(Refused) as words:
        holds.set_hold(house.gateway, reference=reference, reason=HoldReason.INQUIRY, case_reference="about Ann", actor="operator:ann")
    assert_code(words, Code.CASE_REFERENCE)
    with pytest.raises(NotFound) as nothing:
        holds.release(house.gateway, reference=reference, case_reference="INQ-7", actor="operator:ann")
    assert_code(nothing, Code.HOLD_UNKNOWN)


@on_sqlite
@pytest.mark.parametrize("where", ["tombstones.add", "shred.erase", "erasure.end"])
def test_an_erasure_that_a_crash_broke_off_is_carried_on(house: House, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    reference, _ = delivered(house)
    module, _, name = where.partition(".")

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(getattr(erase, module), name, crash)
        with pytest.raises(KeyboardInterrupt):
            erased(house, reference)
    assert "notification:erased" not in tags(house)
    assert erase.finish(house.gateway) == 1
    assert erase.finish(house.gateway) == 0
    assert house.count(shred_keys) == 0
    assert tags(house).count("notification:erased") == 1
    assert len({each.message_ids for each in tombstones.read(house.gateway.settings.erasures)}) == 1


def forget_in_shred_store(house: House) -> None:
    """Only the file and the main database know."""


def forget_in_main_database(house: House) -> None:
    with house.gateway.engine.begin() as connection:
        connection.execute(erased_messages.delete())


def lose_the_file(house: House) -> None:
    house.gateway.settings.erasures.unlink()


@on_sqlite
@pytest.mark.parametrize("also", [forget_in_shred_store, forget_in_main_database, lose_the_file])
def test_a_restored_backup_blocks_the_start_until_what_was_erased_is_erased_again(house: House, also: Callable[[House], None]) -> None:
    reference, delivery = delivered(house)
    with house.gateway.shred_engine.begin() as connection:
        backup = [dict(row._mapping) for row in connection.execute(select(shred_keys))]
    with house.gateway.engine.begin() as connection:
        old_ages = [dict(row._mapping) for row in connection.execute(select(ages))]
    erased(house, reference)
    require_erasures(house.gateway)

    with house.gateway.shred_engine.begin() as connection:
        connection.execute(erased_keys.delete())
        connection.execute(insert(shred_keys), backup)
    with house.gateway.engine.begin() as connection:
        connection.execute(insert(ages), old_ages)
    also(house)
    assert json.loads(collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery))["envelopes"], "the danger is real"
    with pytest.raises(CommandFailed) as blocked:
        require_erasures(house.gateway)
    assert "restore replay-erasures" in blocked.value.told.fix

    assert erase.replay(house.gateway, actor="operator:ann") == 1
    require_erasures(house.gateway)
    assert json.loads(collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery))["envelopes"] == {}
    assert (house.count(shred_keys), house.count(ages)) == (0, 0)
    assert erase.replay(house.gateway, actor="operator:ann") == 0
    assert tags(house).count("erasures:replayed") == 1


def test_what_is_sent_after_an_erasure_is_new_and_can_be_erased_too(house: House) -> None:
    message = a_message()
    accepted = house.accept(message)
    erased(house, accepted.reference, cancel_open=True)
    house.clock.move(timedelta(minutes=1))
    house.accept(message.followed_by("update"))
    assert house.count(shred_keys) == 1
    require_erasures(house.gateway)


@on_sqlite
def test_half_a_line_that_a_crash_left_is_no_tombstone_and_does_no_harm(house: House) -> None:
    file = house.gateway.settings.erasures
    reference, _ = delivered(house)
    file.write_text('{"v": 1, "at": "2026')
    erased(house, reference)
    assert len(tombstones.read(file)) == 1
    with file.open("a") as more:
        more.write("not a tombstone\n")
    with pytest.raises(CommandFailed) as damaged:
        require_erasures(house.gateway)
    assert "line 2" in damaged.value.told.why


@on_sqlite
def test_a_gap_in_the_log_tells_of_an_erasure_that_never_ended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, _ = delivered(house)
    monkeypatch.setattr(shred, "erase", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        erased(house, reference)
    monkeypatch.undo()
    house.clock.move(timedelta(hours=1))
    house.accept(a_message())
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    while sequencer.run_once():
        pass
    sequencer.close()
    gaps = Gaps()
    with house.gateway.engine.begin() as connection:
        for index, _, leaf in read_leaves(connection, audit_tables, start=0, limit=1000):
            gaps.see(index, leaf)
    assert "erasure:attempted" in [entry.event.tag for entry in gaps.found()]
