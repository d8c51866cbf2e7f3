# SPDX-License-Identifier: MIT
"""Devices, hand-overs and notes under the logins of the service and the opener: row by row, their roles are enough, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, make_url, select

from notify_gateway.privacy.drills import open_drill
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose
from notify_gateway.store import roles
from notify_gateway.store.engine import open_engine
from notify_gateway.store.row_level import scoped
from notify_gateway.store.tables import devices, hand_overs, sealed_notes
from notify_gateway.use_cases import onboard, reveal, reveal_to_staff
from notify_gateway.use_cases.devices import drill, enrol, notes
from notify_gateway.use_cases.devices.hand_over import SHOWN_FOR
from notify_gateway.use_cases.devices.show import show_devices
from notify_gateway.use_cases.devices.to_file import sealed_file
from tests.support.services import PostgresServer
from tests.support.templates import Templates
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House, furnished
from tests.use_cases.councils import Council, delivered
from tests.use_cases.test_sealed_notes import sent


@dataclass
class Parts:
    """A service under its own login, and the opener's."""

    house: House
    service: Engine
    opener: Engine


@pytest.fixture
def parts(postgres_server: PostgresServer, templates: Templates, tmp_path: Path) -> Iterator[Parts]:
    with ExitStack() as stack:
        house = stack.enter_context(contextmanager(furnished)(tmp_path, templates, postgres_server))
        logins = stack.enter_context(postgres_server.logins(("service", "opener")))
        urls = {name: make_url(house.gateway.settings.main_url).set(username=login, password="tried out") for name, login in logins.items()}
        with house.gateway.engine.begin() as connection:
            roles.set_up(connection, "main")
            for url in urls.values():
                roles.let_in(connection, url)
        engines = {name: open_engine(url.render_as_string(hide_password=False), pool_size=2) for name, url in urls.items()}
        for engine in engines.values():
            stack.callback(engine.dispose)
        yield Parts(house, engines["service"], engines["opener"])


def test_the_roles_are_enough_for_devices_hand_overs_and_notes(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    council = Council(parts.house)
    gateway = replace(parts.house.gateway, engine=parts.service)
    monkeypatch.setattr(Council, "gateway", property(lambda self: gateway))
    key = council.device()
    reference = council.offered()
    place = delivered(council)
    notes.keep_now(gateway, by=council.officer, **place, sent=sent(council, place["notification_id"], key, *parts.house.keys[STOCKTON]))
    assert len(council.asks(reference, key)["notes"]) == 1
    why = {"reason": "answer-parent", "case_reference": "EY-1"}
    assert sealed_file(gateway, by=council.officer, reference=reference, lasts=SHOWN_FOR, **why)
    begun = drill.begin(gateway, by=council.manager, kid=council.recovery.kid)
    words = open_drill(json.loads(begun.document), council.recovery, gateway.signing_key.public())
    drill.answer(gateway, by=council.manager, drill_id=begun.id, words=words)
    assert len(show_devices(gateway, by=council.manager).devices) == 1
    # Whoever acts for another organisation sees none of it, whatever the query forgot.
    for table in (devices, hand_overs, sealed_notes):
        for authority, count in ((STOCKTON, 1), (MIDDLESBROUGH, 0)):
            with scoped(parts.service, authority, reading=True) as connection:
                assert connection.execute(select(func.count()).select_from(table)).scalar_one() == count, table.name
    enrol.end(gateway, by=council.manager, device=key.kid, reason="lost")


def test_the_opener_reads_notes_of_the_authority_that_a_grant_names(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    council = Council(parts.house)
    managed = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.MANAGED)
    onboard.register_authority(parts.house.gateway, gss=STOCKTON, custody="managed", channel="inbox", actor="test")
    onboard.register_key(parts.house.gateway, key=managed.public(), actor="test")
    reference = council.offered()
    gateway = replace(parts.house.gateway, engine=parts.service)
    notes.keep_now(gateway, by=council.officer, **delivered(council), sent=b"Call on Friday")
    vault = reveal.Vault(gateway.clock, parts.opener, gateway.shred_engine, gateway.signing_key.public())
    monkeypatch.setattr(notes, "ask_opener", lambda _, grant: reveal.open_granted(vault, {STOCKTON: managed}, grant.id))
    why = {"reason": "contact-family", "case_reference": "EY-1", "window": SHOWN_FOR}
    reveal_to_staff.permit(gateway, by=council.officer, reference=reference, kind="card", **why)  # type: ignore[arg-type]
    assert [note.text for note in notes.look(gateway, by=council.officer, reference=reference)] == ["Call on Friday"]
