# SPDX-License-Identifier: MIT
"""Casework with the logins of a live service: the worker makes cases, officers work them under the pages' role, and no more is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy.engine import make_url

from notify_gateway.domain.casework import Status
from notify_gateway.store import roles
from notify_gateway.store.engine import open_engine
from notify_gateway.use_cases.inbox import (
    acknowledge,
    ask,
    assign,
    contact,
    extend,
    notices,
    outcome,
    pairs,
    read,
    send_back,
    settings,
    team,
)
from notify_gateway.use_cases.inbox.contact import Attempt
from notify_gateway.use_cases.inbox.read import Filters
from notify_gateway.use_cases.inbox.settings import InboxSettings
from tests.support.messages import a_message
from tests.support.services import PostgresServer
from tests.support.templates import Templates
from tests.use_cases.casework import Office, an_office
from tests.use_cases.conftest import House, furnished

TODAY = date(2026, 11, 20)


@pytest.fixture
def office(postgres_server: PostgresServer, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with ExitStack() as stack:
        house: House = stack.enter_context(contextmanager(furnished)(tmp_path_factory.mktemp("roles"), templates, postgres_server))
        logins = stack.enter_context(postgres_server.logins(("service", "delivery")))
        url = make_url(house.gateway.settings.main_url)
        engines = {}
        made = an_office(house)
        for name, login in logins.items():
            own = url.set(username=login, password="tried out")
            with house.gateway.engine.begin() as connection:
                roles.set_up(connection, "main")
                roles.let_in(connection, own)
            engines[name] = open_engine(own.render_as_string(hide_password=False), pool_size=2)
            stack.callback(engines[name].dispose)
        made.by_role = {name: replace(house.gateway, engine=engine) for name, engine in engines.items()}
        yield made


def test_all_that_officers_do_is_done_under_their_own_role(office: Office) -> None:
    gateway, ann, manager = office.by_role["service"], office.ann, office.manager
    first, second, third = (office.arrives(a_message(index), by=office.by_role["delivery"]) for index in (91, 91, 92))

    def version(reference: str) -> int:
        return read.show_case(gateway, ann, reference).row.version

    settings.save_settings(gateway, by=manager, settings=InboxSettings(contact_days=7))
    team.set_leave(gateway, by=ann, member=ann.id, away_from=TODAY, away_to=TODAY + timedelta(days=1), deputy=office.bob.id)
    acknowledge.acknowledge(gateway, by=ann, reference=first, version=version(first))
    assign.assign(gateway, by=manager, reference=first, version=version(first), officer=office.bob.id, reason="away")
    assign.undo(gateway, by=manager, reference=first, version=version(first))
    extend.extend(gateway, by=manager, reference=first, version=version(first), on=TODAY, reason="staffing")
    ask.ask_trust(gateway, by=ann, reference=first, version=version(first), question="needs")
    ask.take_question_back(gateway, by=ann, reference=first, version=version(first))
    spoke = Attempt(how="phone", whom="parent", result="spoke", on=TODAY, tell_trust=True, related_seen=True)
    contact.record_contact(gateway, by=ann, reference=first, version=version(first), attempt=spoke)
    outcome.record_outcome(gateway, by=ann, reference=first, version=version(first), outcome="portage", on=TODAY)
    outcome.reopen(gateway, by=ann, reference=first, version=version(first), reason="new-information")
    (pair,) = pairs.list_pairs(gateway, ann)
    pairs.decide(gateway, by=ann, pair=pair.id, version=pair.version, decision="duplicate", kept=first)
    assert read.show_case(gateway, ann, second).row.status is Status.DUPLICATE
    send_back.send_back(gateway, by=ann, reference=third, version=version(third), reason="moved", suggested=None)
    (notice,) = read.show_case(gateway, ann, first).notices
    notices.dismiss(gateway, by=ann, notice=notice.id)
    assert read.list_cases(gateway, ann, Filters()).total.number == 1
    assert read.list_cases(gateway, office.stranger, Filters()).total.number == 0
