# SPDX-License-Identifier: MIT
"""The reconciliation file of a day: sums that balance, a row for each delivery, the checkpoint that it rests on; the objectives."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from audit.note import open_checkpoint
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome
from notify_gateway.domain.errors import NotFound, Unavailable
from notify_gateway.domain.lifecycle import State
from notify_gateway.domain.model import OrganisationType
from notify_gateway.store.parties import Client
from notify_gateway.store.tables import deliveries
from notify_gateway.use_cases import books, objectives, onboard
from notify_gateway.use_cases import reconcile as reconcile_module
from notify_gateway.use_cases.reconcile import COLUMNS, organisation_of, reconcile
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House
from tests.use_cases.days_work import hand_over, sequence, work

DAY = date(2026, 11, 20)


def whole(house: House, organisation: Client, day: date = DAY) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(b"".join(reconcile(house.gateway, organisation=organisation, day=day).as_json()))
    return made


def test_the_file_of_a_day_has_a_row_for_each_delivery_and_sums_that_balance(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    work(house)
    made = whole(house, house.trust)
    with house.gateway.engine.begin() as connection:
        standing = Counter(connection.scalars(select(deliveries.c.state)))
        ids = {str(each) for each in connection.scalars(select(deliveries.c.id))}
    assert Counter(row["state"] for row in made["deliveries"]) == standing
    assert [row["delivery"] for row in made["deliveries"]] == sorted(ids)
    assert set(standing) >= set(State) - {State.RECEIVED, State.CONTACTED, State.GIVEN_UP}
    totals = made["totals"]
    assert totals["balanced"] is True
    assert totals["accepted"] + totals["added_by_moves"] == sum(totals["at_the_end"].values()) == len(ids)
    assert totals["added_by_moves"] == 1
    assert totals["carried_over"] == 0
    assert totals["happened"]["sent_back"] == 1
    outcome = next(row for row in made["deliveries"] if row["state"] == "outcome")
    steps = ("accepted", "queued", "offered", "received", "acknowledged", "contacted", "outcome")
    instants = [outcome[f"{step}_at"] for step in steps]
    assert instants == sorted(instants)

    note = made["log"]["checkpoint"]
    signed = open_checkpoint(note, house.runtime.public.log)
    assert (signed.size, signed.root.hex()) == (made["log"]["size"], made["log"]["root"])

    monkeypatch.setattr(reconcile_module, "PAGE", 4)
    again = whole(house, house.trust)
    assert again["deliveries"] == made["deliveries"], "the same rows, however the pages fall"

    lines = list(csv.DictReader(io.StringIO(b"".join(reconcile(house.gateway, organisation=house.trust, day=DAY).as_csv()).decode())))
    assert list(lines[0]) == list(COLUMNS)
    rows = [{name: value for name, value in line.items() if value} for line in lines if line["record"] == "delivery"]
    assert [{"record": "delivery", **row} for row in made["deliveries"]] == rows
    told = {line["name"]: line["value"] for line in lines if line["record"] != "delivery"}
    assert told["log_checkpoint"] == note
    assert told["balanced"] == "true"


def test_each_organisation_gets_its_own_and_the_same_day_stays_as_it_was(house: House) -> None:
    with pytest.raises(Unavailable):
        reconcile(house.gateway, organisation=house.trust, day=DAY)
    work(house)
    onboard.register_trust(house.gateway, ods="RZZ", name="Another trust", organisation_type=OrganisationType.NHS_TRUST, actor="test")
    authorities = [organisation_of(house.gateway, kind="authority", code=code) for code in (STOCKTON, MIDDLESBROUGH)]
    first = whole(house, house.trust)
    assert first["complete"] is False
    files = [whole(house, each) for each in authorities]
    assert {row["authority"] for row in files[0]["deliveries"]} == {STOCKTON}
    joined = [row for each in files for row in each["deliveries"]]
    assert sorted(row["delivery"] for row in joined) == [row["delivery"] for row in first["deliveries"]]
    assert all(each["totals"]["balanced"] for each in files)
    assert whole(house, organisation_of(house.gateway, kind="trust", code="RZZ"))["deliveries"] == []

    house.clock.move(timedelta(days=1))
    handed = hand_over(house, AttemptOutcome.OFFERED)
    sequence(house)
    second = whole(house, house.trust, DAY + timedelta(days=1))
    assert second["totals"]["carried_over"] == len(second["deliveries"]) == handed
    later = whole(house, house.trust)
    assert later["complete"] is True
    assert later["deliveries"] == first["deliveries"]
    assert later["totals"] == first["totals"]
    with pytest.raises(NotFound) as told:
        reconcile(house.gateway, organisation=house.trust, day=DAY + timedelta(days=2))
    assert [issue.code for issue in told.value.issues] == [Code.RECONCILIATION_DAY]


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_a_day_is_londons(house: House) -> None:
    house.clock.instant = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    house.accept(a_message())
    sequence(house)
    assert whole(house, house.trust, date(2026, 6, 1))["deliveries"] == whole(house, house.trust, date(1, 1, 1))["deliveries"] == []
    assert len(whole(house, house.trust, date(2026, 6, 2))["deliveries"]) == 1


def test_books_balance_and_objectives_are_met_after_a_days_work_and_missed_when_it_lies(house: House) -> None:
    assert {each.met for each in objectives.objectives(house.gateway)} == {None, True}
    work(house)
    found = {each.name: each for each in objectives.objectives(house.gateway)}
    assert all(each.met for each in found.values()), found
    trusts, authorities = (books.total(kind(house.gateway).values()) for kind in (books.by_trust, books.by_authority))
    assert books.in_numbers(trusts)["balanced"] is True
    assert authorities.accepted == trusts.accepted + 1, "the withdrawal by which Stockton learns of a move is nobody's message"
    assert found["delivered-in-time"].of == 9
    assert found["logged-in-time"].measured == 1.0
    house.accept(a_message())
    house.clock.move(timedelta(minutes=20))
    missed = {each.name for each in objectives.objectives(house.gateway) if not each.met}
    assert missed == {"delivered-in-time", "logged-in-time", "checkpoint-in-time", "oldest-waiting"}
    house.clock.move(timedelta(days=8))
    assert {each.name: each.of for each in objectives.objectives(house.gateway)}["delivered-in-time"] == 0
