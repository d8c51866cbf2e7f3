# SPDX-License-Identifier: MIT
"""Alerting: told once of what waits, in digests, from the database, recorded before and after; and no alert closes a delivery."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from audit.events import Event, read_leaf
from notify_gateway.domain.alerts import Alert, AlertKind, AlertResult
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotFound, NotifyError, Refused
from notify_gateway.store import tables
from notify_gateway.use_cases import alert as alerting
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.acts import UNSETTLED_AFTER, settle_lost
from tests.support.messages import a_message
from tests.support.templates import Templates
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House, furnished
from tests.use_cases.test_feedback import deliver_all, take_up
from workers.alerting.alerter import Alerter

HOOK = "https://alerts.stockton.example/hook"
MAILBOX = "send-inbox@stockton.example"


@dataclass
class Told:
    """A sender that notes what it is given and answers as it is told to."""

    kind: AlertKind = AlertKind.WEBHOOK
    at_once: int = 8
    alerts: list[Alert] = field(default_factory=list)
    answer: Callable[[Alert], AlertResult] = lambda alert: AlertResult(tuple(each.delivery_id for each in alert.untold))
    before: Callable[[], object] = lambda: None

    def send(self, alerts: Sequence[Alert]) -> list[AlertResult]:
        self.before()
        self.alerts += alerts
        return [self.answer(alert) for alert in alerts]

    def close(self) -> None:
        """Nothing is held."""

    @property
    def counts(self) -> list[tuple[int, int]]:
        """How many were new, and how many waited, in each alert."""
        return [(len(alert.untold), alert.waiting) for alert in self.alerts]


def look(house: House, sender: Told) -> int:
    return Alerter(house.gateway, sender, threading.Event(), every=1).look()


def add(house: House, kind: AlertKind = AlertKind.WEBHOOK, address: str = HOOK, authority: str = STOCKTON) -> None:
    alerting.add_address(house.gateway, authority=authority, kind=kind, address=address, actor="test")


def offer(house: House, count: int = 1) -> list[str]:
    references = [house.accept(a_message()).reference for _ in range(count)]
    deliver_all(house)
    return references


def events(house: House, *prefixes: str) -> list[Event]:
    pending = tables.audit_tables.pending
    with house.gateway.engine.begin() as connection:
        leaves = connection.scalars(select(pending.c.leaf).order_by(pending.c.arrival)).all()
    return [event for event in map(read_leaf, leaves) if event.tag.startswith(prefixes)]


def states(house: House) -> list[str]:
    with house.gateway.engine.begin() as connection:
        return list(connection.scalars(select(tables.deliveries.c.state)))


@pytest.fixture
def house(tmp_path: Path, templates: Templates) -> Iterator[House]:
    """The house on SQLite, which is quick; what differs by database takes ``each_house``."""
    yield from furnished(tmp_path, templates, None)


@pytest.fixture(params=["sqlite", "postgresql"])
def each_house(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates) -> Iterator[House]:
    yield from furnished(tmp_path, templates, request.getfixturevalue("postgres_server") if request.param == "postgresql" else None)


@pytest.fixture
def mailing(house: House) -> Iterator[House]:
    """The house with a mail server set, though nothing here speaks to it."""
    settings = house.gateway.settings.model_copy(update={"smtp_host": "localhost", "smtp_from": "alerts@gateway.example"})
    object.__setattr__(house.gateway, "settings", settings)
    return house


def waiting_ids(house: House) -> list[UUID]:
    with house.gateway.engine.begin() as connection:
        return list(connection.scalars(select(tables.deliveries.c.id).where(tables.deliveries.c.state == "offered")))


def test_what_waits_is_told_once_and_closes_nothing(each_house: House) -> None:
    house, seen = each_house, []
    offer(house)
    add(house)
    sender = Told(before=lambda: seen.append([event.tag for event in events(house, "alert:")]))
    assert look(house, sender) == 1
    offer(house, 2)
    assert look(house, sender) == 1
    assert look(house, sender) == 0
    assert sender.counts == [(1, 1), (2, 3)]
    assert states(house) == ["offered"] * 3
    assert seen == [["alert:attempted"], ["alert:attempted", "alert:sent", "alert:attempted"]], "recorded before anything leaves"
    attempted, sent, *_ = events(house, "alert:")
    assert attempted.subject == sent.subject == str(sender.alerts[0].id)
    assert (sent.fields["authority"], sent.fields["kind"], sent.fields["count"]) == (STOCKTON, "webhook", 1)
    assert HOOK not in repr(sender.alerts)


def test_no_more_is_remembered_than_waits_and_what_does_not_wait_is_told_to_nobody(each_house: House) -> None:
    house = each_house
    add(house)
    offer(house, 3)
    look(house, Told())
    assert house.count(tables.alerted) == 3
    for each in waiting_ids(house):
        take_up(house, each)
    house.accept(a_message())
    assert look(house, Told()) == 0
    deliver_all(house)
    assert look(house, Told()) == 1
    assert house.count(tables.alerted) == 1


def test_a_failure_is_tried_again_later_each_time_and_then_told_in_full(house: House) -> None:
    add(house)
    offer(house)
    failing = Told(answer=lambda _: AlertResult((), "http-503"))
    waits = []
    for _ in range(4):
        assert look(house, failing) == 1
        for waited in range(1, 600):
            house.clock.move(timedelta(seconds=10))
            with house.gateway.engine.begin() as connection:
                due_at = connection.scalar(select(tables.alert_addresses.c.due_at))
            if due_at <= house.clock.now():
                waits.append(waited * 10)
                break
    assert [15 <= waits[0] <= 40, 30 <= waits[1] <= 70, 60 <= waits[2] <= 130, 120 <= waits[3] <= 250] == [True] * 4
    [standing] = alerting.list_addresses(house.gateway)
    assert (standing.address.last_code, standing.address.attempts, standing.waiting) == ("http-503", 4, 1)
    sender = Told()
    assert look(house, sender) == 1
    assert sender.alerts[0].attempt == 5
    assert [event.tag for event in events(house, "alert:")] == ["alert:attempted", "alert:failed"] * 4 + ["alert:attempted", "alert:sent"]
    [standing] = alerting.list_addresses(house.gateway, authority=STOCKTON)
    assert (standing.address.last_code, standing.address.attempts, standing.address.sent_at) == (None, 0, house.clock.now())


def test_a_receiver_that_asks_for_time_gets_it_but_not_more_than_an_hour(house: House) -> None:
    add(house)
    offer(house)
    look(house, Told(answer=lambda _: AlertResult((), "http-503", 86_400)))
    house.clock.move(timedelta(minutes=59))
    assert look(house, Told()) == 0
    house.clock.move(timedelta(minutes=2))
    assert look(house, Told()) == 1


def test_of_a_part_that_failed_only_that_part_is_told_again(house: House) -> None:
    add(house)
    offer(house, 3)
    partly = Told(answer=lambda alert: AlertResult((alert.untold[0].delivery_id,), "timeout"))
    look(house, partly)
    house.clock.move(timedelta(hours=1))
    sender = Told()
    look(house, sender)
    assert {each.delivery_id for each in sender.alerts[0].untold} == {each.delivery_id for each in partly.alerts[0].untold[1:]}


def test_e_mails_come_no_more_often_than_the_pause_and_the_next_names_all_that_came_meanwhile(mailing: House) -> None:
    house, sender = mailing, Told(AlertKind.EMAIL)
    add(house, AlertKind.EMAIL, MAILBOX)
    first = offer(house)
    look(house, sender)
    expected = offer(house, 12)
    house.clock.move(timedelta(minutes=14))
    assert look(house, sender) == 0
    house.clock.move(timedelta(minutes=1))
    assert look(house, sender) == 1
    assert look(house, sender) == 0
    assert sender.counts == [(1, 1), (12, 13)]
    assert [each.reference for each in sender.alerts[0].untold] == first
    assert {each.reference for each in sender.alerts[1].untold} == set(expected)
    said = json.dumps([[event.subject, event.actor, dict(event.fields)] for event in events(house, "")])
    assert MAILBOX not in said, "a mailbox can be a person's name"


def test_each_authority_is_told_of_its_own_alone(house: House) -> None:
    onboard.register_authority(house.gateway, gss=MIDDLESBROUGH, custody="authority-held", channel="inbox", actor="test")
    add(house)
    add(house, address="https://alerts.middlesbrough.example/hook", authority=MIDDLESBROUGH)
    mine = offer(house)
    theirs = house.accept(a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH)).reference
    deliver_all(house)
    sender = Told()
    assert look(house, sender) == 2
    told = {alert.authority: [each.reference for each in alert.untold] for alert in sender.alerts}
    assert told == {STOCKTON: mine, MIDDLESBROUGH: [theirs]}
    assert {alert.authority: alert.custody_channel for alert in sender.alerts} == {STOCKTON: "pull", MIDDLESBROUGH: "inbox"}


def test_a_sender_that_breaks_or_a_database_that_is_away_ends_no_loop(house: House) -> None:
    add(house)
    offer(house)

    def broken(_: Alert) -> AlertResult:
        raise RuntimeError("Ada Example")

    assert look(house, Told(answer=broken)) == 1
    assert [event.fields.get("code") for event in events(house, "alert:failed")] == ["sender-failed"]
    stop = threading.Event()
    thread = threading.Thread(target=Alerter(house.gateway, Told(before=stop.set), stop, every=0.01).run)
    house.clock.move(timedelta(hours=1))
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert events(house, "alert:")[-1].tag == "alert:sent"


def test_one_scheduler_makes_an_attempt_and_one_that_dies_of_it_is_settled_and_succeeded(each_house: House) -> None:
    house = each_house
    add(house)
    offer(house)
    [address] = alerting.due(house.gateway, AlertKind.WEBHOOK)
    lost = alerting.begin(house.gateway, address)
    assert lost is not None
    assert alerting.due(house.gateway, AlertKind.WEBHOOK) == []
    assert alerting.begin(house.gateway, address) is None
    house.clock.move(UNSETTLED_AFTER + timedelta(seconds=1))
    assert settle_lost(house.gateway) == 1
    assert [(event.tag, event.subject) for event in events(house, "alert:")][-1] == ("alert:unsettled", str(lost.id))
    assert look(house, Told()) == 1
    if house.gateway.engine.dialect.name == "postgresql":
        with pytest.raises(IntegrityError, match="no event"), house.gateway.engine.begin() as connection:
            connection.execute(tables.alert_addresses.update().values(attempts=7))


def test_what_is_taken_up_before_the_attempt_begins_leaves_no_trace(each_house: House) -> None:
    add(each_house)
    offer(each_house)
    [address] = alerting.due(each_house.gateway, AlertKind.WEBHOOK)
    [delivery] = waiting_ids(each_house)
    take_up(each_house, delivery)
    assert alerting.begin(each_house.gateway, address) is None
    assert events(each_house, "alert:") == []
    [standing] = alerting.list_addresses(each_house.gateway)
    assert standing.address.attempts == 0


def code_of(act: Callable[[], object], kind: type[NotifyError]) -> Code:
    with pytest.raises(kind) as refused:
        act()
    return Code(refused.value.issues[0].code)


def test_who_and_where_have_to_be_known_and_once_is_enough(house: House) -> None:
    add(house)
    assert code_of(lambda: add(house), Conflict) is Code.ALERT_KNOWN
    assert code_of(lambda: add(house, authority="E06000001"), NotFound) is Code.AUTHORITY_NOT_SERVED
    assert code_of(lambda: add(house, AlertKind.EMAIL, MAILBOX), Conflict) is Code.ALERT_MAIL_OFF
    assert code_of(lambda: add(house, AlertKind.EMAIL, "Ada Example <a@stockton.example>"), Refused) is Code.ALERT_ADDRESS

    def remove() -> None:
        alerting.remove_address(house.gateway, authority=STOCKTON, kind=AlertKind.WEBHOOK, address=HOOK, actor="test")

    remove()
    assert code_of(remove, NotFound) is Code.ALERT_UNKNOWN
    offer(house)
    assert look(house, Told()) == 0
    add(house)
    assert look(house, Told()) == 1
    changes = [dict(event.fields) for event in events(house, "config:changed") if "/alert/" in event.subject]
    assert changes == [{"authority": STOCKTON, key: "webhook"} for key in ("after", "before", "after")]
    settings = house.gateway.settings.model_copy(update={"webhook_allow_private": False})
    object.__setattr__(house.gateway, "settings", settings)
    assert code_of(lambda: add(house, address="https://169.254.169.254/latest"), Refused) is Code.ALERT_ADDRESS
