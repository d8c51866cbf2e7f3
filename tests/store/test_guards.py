# SPDX-License-Identifier: MIT
"""What PostgreSQL itself refuses: a change without its event, and any change of what is in the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from audit.log import Appended
from notify_gateway.domain.errors import Unavailable
from notify_gateway.store import group_commit
from notify_gateway.store.engine import open_engine
from notify_gateway.store.tables import deliveries, messages, reveal_grants
from notify_gateway.use_cases import deliver
from tests.support.messages import a_message
from tests.support.services import PostgresServer
from tests.support.templates import Templates
from tests.use_cases.conftest import House, furnished

LASTING = {"audit_leaf": "idx", "audit_node": "pos", "audit_checkpoint": "size"}


@pytest.fixture
def house(postgres_server: PostgresServer, templates: Templates, tmp_path: Path) -> Iterator[House]:
    yield from furnished(tmp_path, templates, postgres_server)


def no_rows(_: Sequence[Appended]) -> list[dict[str, object]]:
    return []


def test_an_acceptance_whose_event_is_forgotten_does_not_commit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.accept(a_message())
    before = house.count(deliveries)
    monkeypatch.setattr(group_commit, "pending_rows", no_rows)
    with pytest.raises(Unavailable):
        house.accept(a_message())
    assert house.count(deliveries) == before


def test_an_attempt_whose_event_is_forgotten_does_not_commit(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.accept(a_message())
    (hint,) = deliver.find_due(house.gateway)
    ids = [UUID(each) for each in hint.ids]
    with monkeypatch.context() as patched:
        patched.setattr(deliver, "append", lambda *_: [])
        with pytest.raises(DBAPIError):
            deliver.begin_attempts(house.gateway, ids, owner="a-worker")
    assert len(deliver.begin_attempts(house.gateway, ids, owner="a-worker")) == 1


def test_a_state_changed_by_hand_does_not_commit_but_a_lease_does(house: House) -> None:
    house.accept(a_message())
    with pytest.raises(IntegrityError, match="no event"), house.gateway.engine.begin() as connection:
        connection.execute(update(deliveries).values(state="acknowledged"))
    with house.gateway.engine.begin() as connection:
        connection.execute(update(deliveries).values(lease_owner="somebody", hinted_at=house.clock.now()))


def test_the_event_of_another_transaction_does_not_count(house: House) -> None:
    house.accept(a_message())
    now = house.clock.now()
    with house.gateway.engine.begin() as connection:
        row = {"id": uuid4(), "message_id": connection.scalar(select(messages.c.id)), "authority": "E06000004", "kind": "card"}
    row |= {"reason": "contact-family", "granted_at": now, "expires_at": now + timedelta(minutes=1)}
    with pytest.raises(IntegrityError, match="no event"), house.gateway.engine.begin() as connection:
        connection.execute(insert(reveal_grants), [row])


@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
@pytest.mark.parametrize(("table", "column"), LASTING.items())
def test_what_is_in_the_log_is_not_changed_even_by_its_owner(house: House, table: str, column: str, change: str) -> None:
    with pytest.raises(ProgrammingError, match="never changed"), house.gateway.engine.begin() as connection:
        connection.execute(text(change.format(table, column)))


def test_a_database_administrator_can_take_the_guard_off_which_is_why_the_tree_is_the_proof(house: House) -> None:
    with house.gateway.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("DELETE FROM audit_leaf"))


def test_the_look_for_an_event_is_answered_by_an_index(house: House) -> None:
    with house.gateway.engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        look = "EXPLAIN SELECT FROM audit_pending WHERE subject IN ('a', 'b') AND xmin = pg_current_xact_id()::xid"
        assert "ix_audit_pending_subject" in "".join(row[0] for row in connection.execute(text(look)))


def test_on_sqlite_nothing_is_pretended(tmp_path: Path, templates: Templates) -> None:
    url = f"sqlite:///{tmp_path}/main.sqlite3"
    templates.sqlite("main", url)
    engine = open_engine(url)
    with engine.begin() as connection:
        assert connection.execute(text("select count(*) from sqlite_master where type = 'trigger'")).scalar() == 0
    engine.dispose()
