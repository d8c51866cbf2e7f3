# SPDX-License-Identifier: MIT
"""Information governance as a client: registered like others, with tokens that read the log and open nothing else."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from audit.events import Event, read_leaf
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotAllowed
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, LOG_SCOPE, TRUST_SCOPE, DoorKeeper
from tests.use_cases.conftest import STOCKTON, House


def recorded(house: House) -> list[Event]:
    """Return the events that wait to be sequenced, in the order in which they arrived."""
    pending = audit_tables.pending.c
    with house.gateway.engine.begin() as connection:
        return [read_leaf(leaf) for leaf in connection.scalars(select(pending.leaf).order_by(pending.arrival))]


def refused(house: House, token: str, *scopes: str) -> str:
    with pytest.raises(NotAllowed) as error:
        DoorKeeper(house.gateway).admit(f"Bearer {token}", *scopes)
    return error.value.issues[0].code


def test_a_reader_is_registered_once_and_each_step_is_in_the_log_under_a_name_no_organisation_can_have(house: House) -> None:
    onboard.register_ig(house.gateway, code="dpo-icb", name="Data Protection Officer, Example ICB", actor="operator:test")
    with pytest.raises(Conflict):
        onboard.register_ig(house.gateway, code="dpo-icb", name="Somebody else", actor="operator:test")
    token = onboard.issue_token(house.gateway, kind="ig", code="dpo-icb", lasts=None, actor="operator:test")
    onboard.revoke_token(house.gateway, token_id=token.id, actor="operator:test")
    told = [(event.tag, event.subject) for event in recorded(house)[-3:]]
    assert told == [("client:registered", "ig:dpo-icb"), ("token:issued", "ig:dpo-icb"), ("token:revoked", str(token.id))]


def test_its_token_reads_the_log_and_nothing_else_and_no_other_token_reads_the_log(house: House) -> None:
    onboard.register_ig(house.gateway, code="dpo-icb", name="Data Protection Officer, Example ICB", actor="test")
    ig = onboard.issue_token(house.gateway, kind="ig", code="dpo-icb", lasts=None, actor="test").text
    assert DoorKeeper(house.gateway).admit(f"Bearer {ig}", LOG_SCOPE).actor == "ig:dpo-icb"
    assert refused(house, ig, TRUST_SCOPE) == refused(house, ig, AUTHORITY_SCOPE) == Code.SCOPE_MISSING
    assert recorded(house)[-1].actor == "ig:dpo-icb"
    for kind, code in (("trust", "RXX"), ("authority", STOCKTON)):
        theirs = onboard.issue_token(house.gateway, kind=kind, code=code, lasts=None, actor="test").text
        assert refused(house, theirs, LOG_SCOPE) == Code.SCOPE_MISSING
        assert DoorKeeper(house.gateway).admit(f"Bearer {theirs}", TRUST_SCOPE, AUTHORITY_SCOPE).actor == code
