# SPDX-License-Identifier: MIT
"""What the looks at invariants and objectives cost once there is much to look at."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, text

from audit.events import micros
from notify_gateway.store.tables import audit_tables, deliveries, messages, notifications, shred_keys
from notify_gateway.use_cases.invariants.finding import Level
from notify_gateway.use_cases.invariants.table import check_all
from notify_gateway.use_cases.objectives import objectives
from notify_gateway.use_cases.reconcile import reconcile
from tests.support.messages import a_message
from tests.use_cases.conftest import House
from tests.use_cases.days_work import sequence, unguarded

COUNT = 100_000
AT_ONCE = 5_000
TAGS = ("delivery:queued", "delivery:attempted", "delivery:offered", "delivery:received")


def fill(house: House) -> None:
    """Have many more notifications that were accepted and received, each with its entries in the log, under the last checkpoint's size."""
    house.accept(a_message())
    sequence(house)
    with house.gateway.engine.begin() as connection:
        notification, message, delivery = (
            dict(connection.execute(select(table)).one()._mapping) for table in (notifications, messages, deliveries)
        )
        first = connection.scalars(select(audit_tables.leaf.c.idx).order_by(audit_tables.leaf.c.idx.desc()).limit(1)).one() + 1
    now = house.clock.now()
    for start in range(0, COUNT, AT_ONCE):
        rows: dict[object, list[dict[str, object]]] = {table: [] for table in (notifications, messages, deliveries, audit_tables.leaf)}
        for number in range(start, start + AT_ONCE):
            ids = [uuid4() for _ in range(6)]
            own: dict[str, UUID] = {"id": ids[0]}
            rows[notifications].append(notification | own | {"reference": f"SEN-{number:08d}-0", "business_key": ids[0].bytes * 2})
            keys = {"message_key": ids[1].bytes * 2, "request_id": ids[2], "accepted_event": ids[3], "notification_id": ids[0]}
            rows[messages].append(message | {"id": ids[1]} | keys)
            received = {"state": "received", "attempts": 1, "offered_at": now, "received_at": now, "received_event": ids[5]}
            rows[deliveries].append(delivery | {"id": ids[4], "notification_id": ids[0], "message_id": ids[1]} | received)
            told = [(ids[3], str(ids[0]), "notification:accepted")]
            told += [(ids[5] if tag == TAGS[-1] else uuid4(), str(ids[4]), tag) for tag in TAGS]
            for place, (event, subject, tag) in enumerate(told):
                index = first + number * len(told) + place
                entry = {"idx": index, "event_id": event, "leaf": bytes(600), "leaf_hash": event.bytes * 2, "created_at": micros(now)}
                rows[audit_tables.leaf].append(entry | {"subject": subject, "tag": tag})
        with unguarded(house) as connection:
            for table, made in rows.items():
                connection.execute(insert(table), made)  # type: ignore[arg-type]
        with house.gateway.shred_engine.begin() as connection:
            connection.execute(
                insert(shred_keys), [{"message_id": row["id"], "key": bytes(32), "created_at": now} for row in rows[messages]]
            )
    with unguarded(house) as connection:
        grown = first + COUNT * 5
        connection.execute(audit_tables.head.update().values(size=grown))
        signed = {"size": grown, "root": bytes(32), "note": f"a\n{grown}\n{'A' * 43}=\n\n", "signed_at": micros(now)}
        connection.execute(insert(audit_tables.checkpoint), [signed])
    if house.gateway.engine.dialect.name == "postgresql":
        with house.gateway.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_look_takes_seconds_where_100000_deliveries_are_held(house: House) -> None:
    fill(house)
    house.clock.move(timedelta(minutes=1))
    for whole in (False, True):
        began = time.perf_counter()
        found = check_all(house.gateway, whole=whole)
        took = time.perf_counter() - began
        print(f"{found.reach}: {took:.1f} s; " + ", ".join(f"{each.name} {each.took_ms} ms" for each in found.findings))
        assert {each.level for each in found.findings} == {Level.OK}
        assert took < (120 if whole else 30)
    began = time.perf_counter()
    assert objectives(house.gateway)[0].of == COUNT
    print(f"objectives: {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    made = reconcile(house.gateway, organisation=house.trust, day=house.clock.now().date())
    assert sum(map(len, made.pages())) == COUNT + 1
    print(f"reconciliation: {time.perf_counter() - began:.1f} s")
