# SPDX-License-Identifier: MIT
"""Whoever asks for a proof while the log moves is told to wait or given it; never that there is no such event."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event

from audit.events import Event
from audit.log import append
from mappings.postcodes import compile_table, demonstration_source
from notify_gateway import runtime as composition
from notify_gateway.domain.errors import Unavailable
from notify_gateway.settings import Settings
from notify_gateway.store.migrate import upgrade_all
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.proofs import Proof, proof_of

STATEMENTS = 6


@pytest.fixture
def gateway(tmp_path: Path, postgres_url: str, shred_postgres_url: str) -> Gateway:
    settings = Settings.model_validate({"data_dir": tmp_path, "database_url": postgres_url, "shred_database_url": shred_postgres_url})
    composition.make_keys(settings)
    upgrade_all(settings.main_url, settings.shred_url)
    compile_table(demonstration_source(), settings.postcodes, edition="demonstration")
    return composition.Runtime.open(settings).gateway


@pytest.mark.parametrize("statement", range(1, STATEMENTS + 1))
def test_an_event_that_is_sequenced_between_two_statements_of_the_question_is_not_overlooked(gateway: Gateway, statement: int) -> None:
    happened = Event(
        "config:changed", at=gateway.clock.now(), actor="operator", subject="x", fields={"authority": "E06000004", "after": "x"}
    )
    with gateway.engine.begin() as connection:
        made = append(connection, audit_tables, [happened])[0]
    sequencer = composition.open_sequencer(gateway.settings)
    asked: list[str] = []

    def sequence(*arguments: object) -> None:
        asked.append(str(arguments[2]))
        if len(asked) == statement:
            assert sequencer.run_once() == 1

    event.listen(gateway.engine, "before_cursor_execute", sequence)
    try:
        found: Proof | None = proof_of(gateway, made.event_id)
    except Unavailable:
        found = None
    finally:
        event.remove(gateway.engine, "before_cursor_execute", sequence)
        sequencer.run_once()
        sequencer.close()
        gateway.engine.dispose()
    assert found is None or found.leaf == made.leaf
