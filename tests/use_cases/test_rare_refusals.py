# SPDX-License-Identifier: MIT
"""Refusals that no message alone provokes: what the deployment is, what an authority has, how far the log is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotifyError
from notify_gateway.fhir.structure import check_structure
from notify_gateway.settings import Deployment
from notify_gateway.use_cases import onboard, proofs
from notify_gateway.use_cases.accept import accept
from notify_gateway.use_cases.gateway import PARTIES_KNOWN_FOR
from tests.support.messages import a_message
from tests.use_cases.conftest import STOCKTON, House


def test_a_live_deployment_takes_no_invented_child(house: House) -> None:
    settings = house.gateway.settings.model_copy(update={"deployment": Deployment.LIVE})
    live = replace(house.gateway, settings=settings)
    with pytest.raises(NotifyError) as refusal:
        asyncio.run(accept(live, house.committer, house.received(a_message()), check_large=check_structure))
    assert [issue.code for issue in refusal.value.issues] == [Code.NHS_NUMBER_NOT_LIVE]


def test_nothing_is_sealed_to_an_authority_whose_keys_are_all_retired(house: House) -> None:
    for key in house.keys[STOCKTON]:
        onboard.retire_key(house.gateway, kid=key.kid, actor="test")
    house.clock.move(PARTIES_KNOWN_FOR + timedelta(seconds=1))
    with pytest.raises(NotifyError) as refusal:
        house.accept(a_message())
    assert [issue.code for issue in refusal.value.issues] == [Code.AUTHORITY_WITHOUT_KEY]


def test_nothing_is_promised_while_the_log_is_behind(house: House) -> None:
    house.accept(a_message())
    proofs.require_log_in_time(house.gateway)
    house.clock.move(house.gateway.settings.promise_within + timedelta(seconds=1))
    with pytest.raises(NotifyError) as refusal:
        proofs.require_log_in_time(house.gateway)
    assert [issue.code for issue in refusal.value.issues] == [Code.LOG_BEHIND]
