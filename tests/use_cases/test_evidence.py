# SPDX-License-Identifier: MIT
"""Evidence: the story of one notification, and the whole log for the offline verifier."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from audit.events import read_leaf
from audit.export import ExportRefused, verify_export
from audit.log import read_leaves
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import NotFound
from notify_gateway.runtime import open_sequencer
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import deliver, evidence
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
    assert [entry.event.tag for entry in told] == ["notification:accepted", "delivery:attempted", "delivery:offered"]
    assert str(other.notification_id) not in repr(told)


def test_looking_and_exporting_are_events_themselves(house: House) -> None:
    accepted = house.accept(a_message())
    sequence(house)
    evidence.story(house.gateway, reference=accepted.reference, actor="operator:ig")
    list(evidence.export(house.gateway, actor="operator:ig"))
    sequence(house)
    with house.gateway.engine.begin() as connection:
        leaves = [read_leaf(leaf) for _, _, leaf in read_leaves(connection, audit_tables, start=0, limit=100)]
    assert [(event.tag, event.subject) for event in leaves[-2:]] == [
        ("log:viewed", accepted.reference),
        ("log:exported", house.gateway.settings.log_origin),
    ]


def test_an_export_verifies_offline_and_an_altered_one_does_not(house: House, tmp_path: Path) -> None:
    for _ in range(5):
        house.accept(a_message())
    sequence(house)
    lines = list(evidence.export(house.gateway, actor="operator:ig"))
    verify_export(lines, [house.runtime.public.log])
    for place in range(1, len(lines)):
        altered = [*lines[:place], *lines[place + 1 :]]
        with pytest.raises(ExportRefused):
            verify_export(altered, [house.runtime.public.log])


def test_an_unknown_reference_has_no_story(house: House) -> None:
    with pytest.raises(NotFound):
        evidence.story(house.gateway, reference="SEN-00000000-0", actor="operator:ig")
