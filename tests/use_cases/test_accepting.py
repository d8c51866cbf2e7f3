# SPDX-License-Identifier: MIT
"""Accepting: all or nothing, once, in groups that cannot harm one another."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Duplicate, NotAllowed, NotFound, NotifyError, Refused
from notify_gateway.store import tables
from notify_gateway.store.acceptance import Standing
from notify_gateway.store.group_commit import commit_group
from notify_gateway.use_cases.commit import Committer
from notify_gateway.use_cases.maintain import sweep_orphan_keys
from notify_gateway.use_cases.prepare import prepare
from tests.support.messages import Message, a_message
from tests.use_cases.conftest import House


def codes(error: pytest.ExceptionInfo[NotifyError]) -> list[str]:
    return [issue.code for issue in error.value.issues]


def test_an_accepted_message_leaves_each_of_its_rows_once(house: House) -> None:
    house.accept(a_message())
    for table in (tables.notifications, tables.messages, tables.deliveries, tables.ages, tables.thread_keys, tables.shred_keys):
        assert house.count(table) == 1, table.name
    assert house.count(tables.envelopes) == 2


def test_a_refused_message_leaves_nothing_but_its_audit_entry(house: House) -> None:
    before = house.count(tables.audit_tables.pending)
    with pytest.raises(Refused) as error:
        house.accept(a_message().without("parent-informed"))
    assert Code.PARENT_NOT_INFORMED in codes(error)
    assert house.count(tables.audit_tables.pending) == before + 1
    for table in (tables.notifications, tables.messages, tables.deliveries, tables.envelopes, tables.shred_keys):
        assert house.count(table) == 0, table.name


def test_a_refused_message_may_be_corrected_and_sent_again_under_its_ids(house: House) -> None:
    message, request_id = a_message(), uuid4()
    spoilt = message.bytes()
    acts = message.data["entry"]
    message.data["entry"] = [entry for entry in acts if "parent-informed" not in str(entry["resource"].get("category"))]
    with pytest.raises(Refused):
        house.accept(message, request_id=request_id)
    message.data["entry"] = acts
    assert message.bytes() == spoilt
    assert house.accept(message, request_id=request_id).authority == "E06000004"


def test_the_same_message_again_is_a_duplicate_of_the_first(house: House) -> None:
    message = a_message()
    first = house.accept(message)
    with pytest.raises(Duplicate) as error:
        house.accept(message)
    assert error.value.notification_id == first.notification_id
    assert house.count(tables.shred_keys) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda first, second: second.having(lambda data: data["entry"][0]["resource"].update(id=first.message_id)), Code.MESSAGE_CONFLICT),
        (lambda first, second: second.identified(first.business_identifier), Code.USE_UPDATE),
    ],
    ids=["other bytes under a known message id", "a known business identifier under a new message id"],
)
def test_what_contradicts_a_held_message_is_a_conflict(house: House, change, code: Code) -> None:
    first, second = a_message(), a_message()
    house.accept(first)
    with pytest.raises(Conflict) as error:
        house.accept(change(first, second))
    assert codes(error) == [code]


def test_a_request_id_is_used_once(house: House) -> None:
    request_id = uuid4()
    house.accept(a_message(), request_id=request_id)
    with pytest.raises(Conflict) as error:
        house.accept(a_message(), request_id=request_id)
    assert codes(error) == [Code.REQUEST_ID_REUSED]


def test_a_sender_cannot_speak_for_another(house: House) -> None:
    with pytest.raises(NotAllowed) as error:
        house.accept(a_message().from_sender("RYY"))
    assert codes(error) == [Code.SENDER_MISMATCH]


def test_a_child_who_is_known_joins_its_thread_at_that_authority_only(house: House) -> None:
    first = house.accept(a_message(7))
    second = house.accept(a_message(7))
    elsewhere = house.accept(a_message(7).for_child(postcode="TS1 2QJ").to_authority("E06000002"))
    with house.gateway.engine.begin() as connection:
        rows = connection.execute(select(tables.notifications.c.id, tables.notifications.c.thread_id))
        thread = {row.id: row.thread_id for row in rows}
    assert thread[first.notification_id] == thread[second.notification_id] != thread[elsewhere.notification_id]


def test_a_child_without_an_nhs_number_is_never_linked(house: House) -> None:
    first = house.accept(a_message(8).without("nhs-number"))
    second = house.accept(a_message(8).without("nhs-number"))
    with house.gateway.engine.begin() as connection:
        threads = set(connection.scalars(select(tables.notifications.c.thread_id)))
    assert len(threads) == 2
    assert first.reference != second.reference
    assert house.count(tables.thread_keys) == 0


def test_rivals_in_one_group_are_each_answered_for_themselves(house: House) -> None:
    message, request_id = a_message(), uuid4()
    received = [house.received(message, request_id=request_id) for _ in range(3)] + [house.received(a_message())]
    outcomes = commit_group(house.gateway.engine, house.gateway.shred_engine, [prepare(house.gateway, item) for item in received])
    assert Counter(outcome.standing for outcome in outcomes) == {Standing.ACCEPTED: 2, Standing.DUPLICATE: 2}
    assert len({outcome.notification_id for outcome in outcomes}) == 2
    assert house.count(tables.messages) == house.count(tables.shred_keys) == 2


def test_the_same_message_at_several_doors_at_once_is_accepted_once(house: House) -> None:
    message, request_id = a_message(), uuid4()

    def commit(_: int) -> list[Standing]:
        neighbours = [prepare(house.gateway, house.received(a_message())) for _ in range(2)]
        group = [prepare(house.gateway, house.received(message, request_id=request_id)), *neighbours]
        return [outcome.standing for outcome in commit_group(house.gateway.engine, house.gateway.shred_engine, group)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(commit, range(16)))
    assert Counter(result[0] for result in results) == {Standing.ACCEPTED: 1, Standing.DUPLICATE: 15}
    assert all(result[1:] == [Standing.ACCEPTED] * 2 for result in results)


def test_one_child_at_several_doors_at_once_has_one_thread(house: House) -> None:
    def commit(_: int) -> None:
        group = [prepare(house.gateway, house.received(a_message(index))) for index in (3, 1, 2)]
        commit_group(house.gateway.engine, house.gateway.shred_engine, group)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(commit, range(16)))
    with house.gateway.engine.begin() as connection:
        threads = set(connection.scalars(select(tables.notifications.c.thread_id)))
    assert len(threads) == 3
    assert house.count(tables.notifications) == 48


def test_what_a_lost_database_may_have_kept_is_not_promised(house: House) -> None:
    message = a_message()
    received = house.received(message)
    house.gateway.engine.dispose()
    with house.gateway.engine.begin() as connection:
        connection.exec_driver_sql("alter table ages rename to ages_away")
    with pytest.raises(NotifyError) as error:
        house.accept(message, request_id=received.request_id)
    assert codes(error) == [Code.DATABASE_UNAVAILABLE]
    assert house.count(tables.notifications) == house.count(tables.deliveries) == 0
    with house.gateway.engine.begin() as connection:
        connection.exec_driver_sql("alter table ages_away rename to ages")
    house.accept(message, request_id=received.request_id)


def test_a_shred_key_whose_message_never_came_is_swept_and_no_other(house: House) -> None:
    house.accept(a_message())
    orphan = prepare(house.gateway, house.received(a_message()))
    from notify_gateway.store import shred

    assert orphan.shred_key is not None
    shred.keep(house.gateway.shred_engine, [(orphan.message_id, orphan.shred_key, orphan.at)])
    assert sweep_orphan_keys(house.gateway) == 0
    house.clock.move(timedelta(minutes=11))
    assert sweep_orphan_keys(house.gateway) == 1
    assert house.count(tables.shred_keys) == 1


def test_callers_who_go_away_do_not_stop_the_committer(house: House) -> None:
    async def leave() -> None:
        task = asyncio.create_task(house.committer.accept(prepare(house.gateway, house.received(a_message()))))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for _ in range(5):
        asyncio.run(leave())
    assert house.accept(a_message()).reference.startswith("SEN-")


def test_a_committer_that_stops_commits_what_waits_and_takes_no_more(house: House) -> None:
    async def run() -> None:
        committer = Committer(house.gateway)
        waiting = [asyncio.create_task(committer.accept(prepare(house.gateway, house.received(a_message())))) for _ in range(10)]
        await asyncio.sleep(0)
        committer.start()
        await asyncio.to_thread(committer.stop)
        assert {outcome.standing for outcome in await asyncio.gather(*waiting)} == {Standing.ACCEPTED}
        with pytest.raises(NotifyError):
            await committer.accept(prepare(house.gateway, house.received(a_message())))

    asyncio.run(run())


def test_an_unknown_withdrawal_is_remembered_against_an_older_message_that_comes_late(house: House) -> None:
    late = a_message()
    with pytest.raises(NotFound) as error:
        house.accept(late.followed_by("delete"))
    assert codes(error) == [Code.DELETE_UNKNOWN]
    with pytest.raises(Conflict) as conflict:
        house.accept(late)
    assert codes(conflict) == [Code.WITHDRAWN_BEFORE]
    newer = Message().identified(late.business_identifier).version_at(house.clock.now())
    assert house.accept(newer).authority == "E06000004"


def test_of_several_unknown_withdrawals_the_latest_is_remembered(house: House) -> None:
    late = a_message()
    for minutes in (10, 5):
        with pytest.raises(NotFound):
            house.accept(late.followed_by("delete", after=timedelta(minutes=minutes)))
    with pytest.raises(Conflict) as conflict:
        house.accept(late.followed_by("update", after=timedelta(minutes=7)))
    assert codes(conflict) == [Code.WITHDRAWN_BEFORE]


@pytest.mark.parametrize(
    ("system", "needs", "code"),
    [
        ("https://w3id.org/early-years-send/fhir/CodeSystem/dfe-sen-type", ["XYZ"], Code.NEED_CODE_UNKNOWN),
        ("http://snomed.info/sct", ["700370003"], Code.NEED_CONTRADICTED),
        ("http://snomed.info/sct", ["395507008"], Code.NEED_ONLY_RISK),
    ],
    ids=["a type that is in no table", "a code that denies the need", "a risk alone"],
)
def test_codes_that_are_no_opinion_of_a_need_are_refused(house: House, system: str, needs: list[str], code: Code) -> None:
    with pytest.raises(Refused) as error:
        house.accept(a_message().needs(*needs, system=system))
    assert codes(error) == [code]


def test_a_risk_may_stand_beside_a_need(house: House) -> None:
    house.accept(a_message().needs("395507008", "35919005", system="http://snomed.info/sct"))
