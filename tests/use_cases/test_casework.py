# SPDX-License-Identifier: MIT
"""What officers do with a notification: from its arrival to its outcome, on both databases, and what the trust hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from notify_gateway.domain.casework import Decision, NoticeKind, Part, Status, Step, Tab
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotAllowed, NotFound, NotifyError, Refused
from notify_gateway.store.tracking import Tracked
from notify_gateway.use_cases import track
from notify_gateway.use_cases.inbox import acknowledge, ask, assign, close, contact, extend, notices, outcome, pairs, read, send_back, settings, team
from notify_gateway.use_cases.inbox.contact import Attempt
from notify_gateway.use_cases.inbox.read import Filters
from tests.support.messages import Message, a_message
from tests.use_cases.casework import MIDDLESBROUGH, Office, an_office, carry
from tests.use_cases.conftest import House

TODAY = date(2026, 11, 20)
SPOKE = Attempt(how="phone", whom="parent", result="spoke", on=TODAY)


@pytest.fixture
def office(house: House) -> Office:
    return an_office(house)


def task(office: Office, reference: str) -> Tracked:
    """Return what the trust sees."""
    case = office.case(reference)
    return track.where_it_stands(office.house.gateway, client=office.house.trust, notification_id=case.notification_id)


def acknowledged(office: Office, message: Message | None = None) -> str:
    reference = office.arrives(message or a_message())
    acknowledge.acknowledge(office.house.gateway, by=office.ann, reference=reference, version=office.version(reference))
    return reference


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(NotifyError) as caught:
        act()
    return caught.value.issues[0].code


def test_a_notification_is_worked_from_arrival_to_outcome_and_the_trust_follows(office: Office) -> None:
    gateway, ann = office.house.gateway, office.ann
    reference = office.arrives(a_message())
    page = read.list_cases(gateway, ann, Filters())
    (row,) = page.rows
    assert (row.reference, row.status, row.trust.name, row.officer) == (reference, Status.RECEIVED, "Example Community NHS Trust", None)
    assert row.reply_by is not None
    assert (row.reply_by.step, row.reply_by.on, row.reply_by.working_days, row.reply_by.late) == (Step.ACKNOWLEDGE, date(2026, 11, 24), 2, False)
    assert "year" in str(row.age)
    assert (str(page.new), str(page.late), str(page.mine), page.total.number) == ("1", "0", "0", 1)
    assert task(office, reference).state == "received"

    form = uuid4()
    done = acknowledge.acknowledge(gateway, by=ann, reference=reference, version=row.version, form=form)
    again = acknowledge.acknowledge(gateway, by=ann, reference=reference, version=row.version, form=form)
    assert (done.status, done.next, done.told_trust, done.repeated) == (Status.ACKNOWLEDGED, Step.CONTACT, True, False)
    assert (again.version, again.event_id, again.repeated) == (done.version, done.event_id, True), "a form counts once"
    assert task(office, reference).state == "acknowledged"

    tried = contact.record_contact(gateway, by=ann, reference=reference, version=done.version, attempt=Attempt(how="phone", whom="parent", result="no-answer", on=TODAY, next_try_on=TODAY + timedelta(days=3)))
    assert (tried.status, office.case(reference).failed_tries) == (Status.ACKNOWLEDGED, 1)
    spoke = contact.record_contact(gateway, by=ann, reference=reference, version=tried.version, attempt=SPOKE)
    assert (spoke.status, spoke.next, spoke.told_trust) == (Status.CONTACTED, Step.OUTCOME, False)
    assert task(office, reference).state == "acknowledged", "the trust is told of a contact only where that is ticked"

    ended = outcome.record_outcome(gateway, by=ann, reference=reference, version=spoke.version, outcome="portage", on=TODAY)
    assert (ended.status, ended.next, ended.told_trust) == (Status.OUTCOME, Step.NOTHING, True)
    told = task(office, reference)
    assert (told.state, told.present[-1].code, told.present[-1].on) == ("outcome", "portage", TODAY)
    assert read.list_cases(gateway, ann, Filters()).rows == ()
    assert [each.reference for each in read.list_cases(gateway, ann, Filters(tab=Tab.FINISHED)).rows] == [reference]

    history = office.case(reference).history
    assert [each.what for each in history] == ["outcome", "contact", "contact", "acknowledged", "assigned", "received"]
    assert {each.who for each in history} == {"Ann Archer", "Example Community NHS Trust"}
    assert [each.version for each in history] == sorted((each.version for each in history), reverse=True)
