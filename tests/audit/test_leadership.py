# SPDX-License-Identifier: MIT
"""Who leads on PostgreSQL: one at a time, and the next one when that one is gone."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import ScalarSelect, column, func, select, table

from tests.audit.builders import LogUnderTest


def test_on_postgresql_one_leads_and_the_next_takes_over(postgres_url: str, tmp_path: Path) -> None:
    log = LogUnderTest(postgres_url, tmp_path)
    try:
        leader, other = log.sequencer(), log.sequencer()
        log.add(1)
        assert leader.run_once() == 1
        log.add(1)
        assert other.run_once() == 0
        leader.close()
        assert other.run_once() == 1
    finally:
        log.close()


def test_a_leader_whose_session_was_ended_leads_again(postgres_url: str, tmp_path: Path) -> None:
    log = LogUnderTest(postgres_url, tmp_path)
    try:
        leader = log.sequencer()
        log.add(1)
        assert leader.run_once() == 1
        log.add(1)
        with log.engine.begin() as connection:
            assert connection.scalar(select(func.pg_terminate_backend(_lock_holder()))) is True
        assert leader.run_once() == 1
    finally:
        log.close()


def _lock_holder() -> ScalarSelect[int]:
    """The process that holds an advisory lock on this database."""
    locks = table("pg_locks", column("pid"), column("locktype"), column("database"))
    databases = table("pg_database", column("oid"), column("datname"))
    here = select(databases.c.oid).where(databases.c.datname == func.current_database()).scalar_subquery()
    return select(func.max(locks.c.pid)).where(locks.c.locktype == "advisory", locks.c.database == here).scalar_subquery()
