# SPDX-License-Identifier: MIT
"""Finding entries of the log: by notification, child, party, kind and time, page by page; that somebody looked is an entry too."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from audit.events import Event, read_leaf
from notify_gateway.domain.errors import NotFound
from notify_gateway.fhir.audit_event import SHAPES, tags
from notify_gateway.runtime import open_sequencer
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import evidence, search_log
from notify_gateway.use_cases.accept import Accepted
from notify_gateway.use_cases.search_log import Asked, Page
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House


def sequence(house: House) -> None:
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    while sequencer.run_once():
        pass
    sequencer.close()


def search(house: House, **asked: object) -> Page:
    wanted: dict[str, object] = {"names": ("date",), "tags": tuple(SHAPES), "count": 50} | asked
    return search_log.search(house.gateway, Asked(**wanted), actor="ig:dpo")  # type: ignore[arg-type]


def told(page: Page) -> list[str]:
    return [found.event.tag for found in page.found]


def last(house: House) -> Event:
    pending = audit_tables.pending.c
    with house.gateway.engine.begin() as connection:
        return read_leaf(connection.scalars(select(pending.leaf).order_by(pending.arrival.desc()).limit(1)).one())


@pytest.fixture
def three(house: House) -> list[Accepted]:
    """Three children an hour apart, the second of another authority."""
    made = []
    for message in (a_message(), a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH), a_message()):
        made.append(house.accept(message))
        house.clock.move(timedelta(hours=1))
    sequence(house)
    return made


def pseudonym_of(page: Page) -> str:
    about = page.found[0].about
    assert about is not None
    assert about.pseudonym is not None
    return about.pseudonym


def test_a_notification_is_found_by_its_id_by_its_reference_and_by_its_childs_pseudonym(house: House, three: list[Accepted]) -> None:
    for one in three:
        by_id = search(house, notifications=(str(one.notification_id),))
        assert told(by_id) == ["notification:accepted"]
        assert by_id.found[0].about is not None
        assert by_id.found[0].about.sender == "RXX"
        assert search(house, notifications=(one.reference,)).found == by_id.found
        by_child = search(house, pseudonym=pseudonym_of(by_id))
        assert by_child.found == by_id.found
        assert by_child.notifications == (str(one.notification_id),)
    assert search(house, pseudonym="p1.unknown").found == ()
    assert search(house, notifications=(str(uuid4()), "SEN-00000000-0")).found == ()


def test_a_party_a_kind_and_a_time_narrow_what_is_found_and_all_must_hold(house: House, three: list[Accepted]) -> None:
    second = house.clock.now() - timedelta(hours=2)
    created = tuple(tags(None, (None, "create")))
    assert [found.event.fields["authority"] for found in search(house, tags=created).found] == [STOCKTON, MIDDLESBROUGH, STOCKTON]
    assert len(search(house, tags=created, agent=MIDDLESBROUGH).found) == 1
    assert len(search(house, tags=created, agent="RXX").found) == 3
    assert search(house, agent="R_X").found == search(house, agent="R%").found == ()
    assert len(search(house, tags=created, since=second, until=second + timedelta(hours=1)).found) == 1
    assert search(house, tags=created, since=second, agent=STOCKTON, until=second + timedelta(hours=1)).found == ()
    assert search(house, tags=()).found == ()


def test_pages_follow_each_other_without_gap_or_repetition(house: House, three: list[Accepted], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = search(house)
    assert whole.next is None
    for window, count in ((50_000, 1), (2, 50), (3, 1)):
        monkeypatch.setattr(search_log, "WINDOW", window)
        found, after = [], 0
        for _ in range(100):
            page = search(house, count=count, after=after)
            found += page.found
            if page.next is None:
                break
            after = page.next
        assert tuple(found) == whole.found


def test_that_somebody_searched_or_read_is_an_entry_and_shows_no_value_that_was_searched_for(house: House, three: list[Accepted]) -> None:
    found = search(house, names=("date", "entity"), notifications=(three[0].reference,)).found
    event = last(house)
    assert (event.tag, event.actor, dict(event.fields)) == ("log:searched", "ig:dpo", {"count": 1, "parameters": "date,entity"})
    assert search_log.find(house.gateway, found[0].event_id, actor="ig:dpo") == found[0]
    event = last(house)
    assert (event.tag, dict(event.fields)) == ("log_entries:viewed", {"first": found[0].index, "last": found[0].index})


def test_who_looked_at_a_story_is_found_with_it(house: House, three: list[Accepted]) -> None:
    evidence.story(house.gateway, reference=three[0].reference, actor="operator:ig")
    sequence(house)
    page = search(house, notifications=(str(three[0].notification_id),))
    assert told(page) == ["notification:accepted", "log:viewed"]
    assert page.found[1].about == page.found[0].about


def test_what_is_not_signed_or_no_audit_event_is_not_there(house: House, three: list[Accepted]) -> None:
    waiting = house.accept(a_message())
    assert search(house, notifications=(str(waiting.notification_id),)).found == ()
    leaf = audit_tables.leaf.c
    with house.gateway.engine.begin() as connection:
        split = connection.scalars(select(leaf.event_id).where(leaf.tag == "notification:split").limit(1)).one()
    for event_id in (split, UUID(int=1)):
        with pytest.raises(NotFound):
            search_log.find(house.gateway, event_id, actor="ig:dpo")
