# SPDX-License-Identifier: MIT
"""Each authority has its share of what goes out, whatever the others have waiting; and looking for it costs little, however much waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, insert, select, text, update

from notify_gateway.domain.delivery import Hint
from notify_gateway.store import tables
from notify_gateway.use_cases import deliver
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House

AUTHORITIES = (STOCKTON, MIDDLESBROUGH, *(f"E080001{number:02}" for number in range(12)))
SHARE = 8
INSTANT, A_BACKLOG = timedelta(microseconds=1), timedelta(milliseconds=5)


def untold(connection: Connection) -> None:
    """Let this transaction lay rows that no acceptance made."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))


@pytest.fixture
def crowd(house: House) -> House:
    """A house with fourteen authorities and one delivery, which has been received."""
    house.accept(a_message())
    with house.gateway.engine.begin() as connection:
        untold(connection)
        values = {"custody": "managed", "channel": "pull", "created_at": house.clock.now()}
        connection.execute(insert(tables.authorities), [{"gss": gss, "name": gss, **values} for gss in AUTHORITIES[2:]])
        connection.execute(update(tables.deliveries).values(state="received"))
    return house


def lay(house: House, sizes: dict[str, int]) -> None:
    """Let so many deliveries be due for each authority, all of one before those of the next, and nothing else."""
    now = house.clock.now()
    with house.gateway.engine.begin() as connection:
        untold(connection)
        connection.execute(update(tables.deliveries).values(state="received"))
        made = dict(connection.execute(select(tables.deliveries).limit(1)).one()._mapping) | {"state": "queued", "hinted_at": None}
        rows = [
            made
            | {"id": uuid4(), "notification_id": uuid4(), "authority": gss, "due_at": now + timedelta(microseconds=order * 5000 + number)}
            for order, (gss, size) in enumerate(sizes.items())
            for number in range(size)
        ]
        if rows:
            connection.execute(insert(tables.deliveries), rows)
    house.clock.move(timedelta(seconds=1))


def receive(house: House, hints: Sequence[Hint]) -> None:
    with house.gateway.engine.begin() as connection:
        untold(connection)
        ids = [UUID(each) for hint in hints for each in hint.ids]
        connection.execute(update(tables.deliveries).where(tables.deliveries.c.id.in_(ids)).values(state="received"))


def tally(hints: Sequence[Hint]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for hint in hints:
        counts[hint.authority] += len(hint.ids)
    return counts


@given(sizes=st.dictionaries(st.sampled_from(AUTHORITIES), st.integers(1, 40), min_size=1), limit=st.integers(14, 60))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_everybody_has_a_share_at_once_nobody_more_and_all_goes_out(crowd: House, sizes: dict[str, int], limit: int) -> None:
    core = replace(crowd.gateway, settings=crowd.gateway.settings.model_copy(update={"most_under_way": SHARE}))
    lay(crowd, sizes)
    first = deliver.find_due(core, limit=limit, batch=4)
    order = [hint.authority for hint in first]
    assert set(order[: len(sizes)]) == set(sizes)  # everybody's first hint comes before anybody's second
    while more := deliver.find_due(core, limit=limit, batch=4):
        first += more
    assert tally(first) == {gss: min(size, SHARE) for gss, size in sizes.items()}
    gone, looks = tally(first), 0
    while hints := first if looks == 0 else deliver.find_due(core, batch=4):
        receive(crowd, hints)
        gone += tally(hints) if looks else Counter()
        looks += 1
    assert gone == sizes
    assert looks <= -(-max(sizes.values()) // SHARE)


def test_looking_reads_no_more_of_a_backlog_than_the_share(crowd: House) -> None:
    lay(crowd, {STOCKTON: 3000, MIDDLESBROUGH: 1})
    engine = crowd.gateway.engine
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    looked: list[tuple[str, object]] = []
    event.listen(engine, "before_cursor_execute", lambda *said: looked.append((said[2], said[3])))
    assert tally(deliver.find_due(crowd.gateway)) == {STOCKTON: crowd.gateway.settings.most_under_way, MIDDLESBROUGH: 1}
    statement, values = next(each for each in looked if "row_number" in each[0])
    explain = "EXPLAIN" if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    with engine.begin() as connection:
        plan = [str(tuple(line)) for line in connection.exec_driver_sql(f"{explain} {statement}", values)]  # type: ignore[arg-type]
    assert any("ix_deliveries_queued" in line for line in plan)
    assert not [line for line in plan if "Seq Scan on deliveries" in line or "SCAN deliveries" in line]
