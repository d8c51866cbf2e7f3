# SPDX-License-Identifier: MIT
"""Evidence: the story of one notification, and the whole log for the offline verifier."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from audit.events import Event, read_leaf
from audit.export import ExportRefused, verify_export
from audit.findings import Gaps
from audit.reading import read_leaves
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import NotFound
from notify_gateway.runtime import open_sequencer
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import acts, deliver, evidence, exporting
from tests.support.messages import a_message
from tests.use_cases.conftest import House


def sequence(house: House) -> None:
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    while sequencer.run_once():
        pass
    sequencer.close()


def test_the_story_of_one_notification_is_told_in_order_and_of_no_other(house: House) -> None:
    other, accepted = house.accept(a_message()), house.accept(a_message())
    (hint,) = deliver.find_due(house.gateway)
    for item in deliver.begin_attempts(house.gateway, [UUID(i) for i in hint.ids], owner="w"):
        deliver.finish_attempts(house.gateway, [AttemptResult(item.delivery_id, 1, AttemptOutcome.OFFERED, "ok")], owner="w")
    sequence(house)
    told = evidence.story(house.gateway, reference=accepted.reference, actor="operator:ig")
    assert [entry.event.tag for entry in told] == [
        "notification:accepted",
        "notification:split",
        "delivery:queued",
        "delivery:attempted",
        "delivery:offered",
    ]
    assert str(other.notification_id) not in repr(told)


def test_looking_and_exporting_are_events_themselves(house: House) -> None:
    accepted = house.accept(a_message())
    sequence(house)
    evidence.story(house.gateway, reference=accepted.reference, actor="operator:ig")
    list(exporting.lines(house.gateway, actor="operator:ig"))
    sequence(house)
    with house.gateway.engine.begin() as connection:
        leaves = [read_leaf(leaf) for _, _, leaf in read_leaves(connection, audit_tables, start=0, limit=100)]
    origin = house.gateway.settings.log_origin
    assert [(event.tag, event.subject) for event in leaves[-3:]] == [
        ("log:viewed", accepted.reference),
        ("export:attempted", origin),
        ("log:exported", origin),
    ]
    assert leaves[-2].fields["export"] == leaves[-1].fields["export"]


def test_who_looked_at_a_story_is_part_of_it(house: House) -> None:
    accepted = house.accept(a_message())
    sequence(house)
    evidence.story(house.gateway, reference=accepted.reference, actor="operator:ig")
    sequence(house)
    last = evidence.story(house.gateway, reference=accepted.reference, actor="operator:other")[-1].event
    assert (last.tag, last.actor) == ("log:viewed", "operator:ig")


def test_an_export_that_breaks_off_is_recorded_as_such(house: House) -> None:
    house.accept(a_message())
    sequence(house)
    lines = exporting.lines(house.gateway, actor="operator:ig")
    next(lines)
    lines.close()
    assert tags(house)[-2:] == ["export:attempted", "export:failed"]


def test_an_act_whose_process_died_is_settled_by_the_sweeper(house: House, tmp_path: Path) -> None:
    house.accept(a_message())
    act, event = (
        uuid4(),
        Event("export:attempted", at=house.clock.now(), actor="operator:ig", subject="log", fields={"export": "an-export"}),
    )
    with house.gateway.engine.begin() as connection:
        acts.begin(connection, act, event)
    assert acts.settle_lost(house.gateway) == 0
    house.clock.move(timedelta(minutes=6))
    assert (acts.settle_lost(house.gateway), acts.settle_lost(house.gateway)) == (1, 0)
    assert tags(house)[-2:] == ["export:attempted", "export:unsettled"]
    assert_no_gaps(house)


def test_an_attempt_whose_worker_died_is_told_to_have_no_known_result(house: House) -> None:
    house.accept(a_message())
    (hint,) = deliver.find_due(house.gateway)
    ids = [UUID(each) for each in hint.ids]
    deliver.begin_attempts(house.gateway, ids, owner="dies")
    house.clock.move(house.gateway.settings.lease + timedelta(seconds=1))
    (again,) = deliver.begin_attempts(house.gateway, ids, owner="lives")
    assert again.attempt == 2
    deliver.finish_attempts(house.gateway, [AttemptResult(again.delivery_id, 2, AttemptOutcome.OFFERED, "ok")], owner="lives")
    assert tags(house)[-4:] == ["delivery:attempted", "delivery:unsettled", "delivery:attempted", "delivery:offered"]
    assert_no_gaps(house)


def test_an_attempt_that_nobody_takes_up_again_is_settled_by_the_sweeper(house: House) -> None:
    house.accept(a_message())
    (hint,) = deliver.find_due(house.gateway)
    deliver.begin_attempts(house.gateway, [UUID(each) for each in hint.ids], owner="dies")
    assert deliver.give_up_lost_attempts(house.gateway) == 0
    house.clock.move(timedelta(hours=1))
    assert (deliver.give_up_lost_attempts(house.gateway), deliver.give_up_lost_attempts(house.gateway)) == (1, 0)
    assert tags(house)[-1] == "delivery:unsettled"
    assert_no_gaps(house)
    assert deliver.find_due(house.gateway)


def tags(house: House) -> list[str]:
    sequence(house)
    with house.gateway.engine.begin() as connection:
        return [read_leaf(leaf).tag for _, _, leaf in read_leaves(connection, audit_tables, start=0, limit=1000)]


def assert_no_gaps(house: House) -> None:
    gaps = Gaps()
    house.clock.move(timedelta(hours=1))
    house.accept(a_message())
    sequence(house)
    with house.gateway.engine.begin() as connection:
        for index, _, leaf in read_leaves(connection, audit_tables, start=0, limit=1000):
            gaps.see(index, leaf)
    assert gaps.attempts
    assert gaps.found() == []


def test_an_export_verifies_offline_and_an_altered_one_does_not(house: House, tmp_path: Path) -> None:
    for _ in range(5):
        house.accept(a_message())
    sequence(house)
    lines = list(exporting.lines(house.gateway, actor="operator:ig"))
    verify_export(lines, [house.runtime.public.log])
    for place in range(1, len(lines)):
        altered = [*lines[:place], *lines[place + 1 :]]
        with pytest.raises(ExportRefused):
            verify_export(altered, [house.runtime.public.log])


def test_an_unknown_reference_has_no_story(house: House) -> None:
    with pytest.raises(NotFound):
        evidence.story(house.gateway, reference="SEN-00000000-0", actor="operator:ig")
