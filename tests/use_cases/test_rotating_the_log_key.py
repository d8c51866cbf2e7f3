# SPDX-License-Identifier: MIT
"""A new key of the log: both sign for a while, guard and verifiers go on, old receipts hold for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from audit.merkle import leaf_hash
from audit.note import NoteRefused, Verifier, open_checkpoint
from audit.receipts import ReceiptRefused, verify_receipt
from notify_gateway.app import create_app
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict
from notify_gateway.privacy.keys import VerifyingKey
from notify_gateway.runtime import Runtime, open_sequencer
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import log_keys, proofs
from notify_gateway.use_cases.accept import Accepted
from tests.support.messages import a_message
from tests.support.templates import Templates
from tests.use_cases.conftest import House, furnished


@pytest.fixture
def house(tmp_path: Path, templates: Templates) -> Iterator[House]:
    yield from furnished(tmp_path, templates, None)


def sequenced(house: House) -> Accepted:
    accepted = house.accept(a_message())
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    while sequencer.run_once():
        pass
    sequencer.close()
    return accepted


def rotated(house: House) -> VerifyingKey:
    return log_keys.rotate(house.gateway.engine, house.gateway.settings.keys, now=house.clock.now(), actor="operator:ann")


def retired(house: House) -> VerifyingKey:
    return log_keys.retire(house.gateway.engine, house.gateway.settings.keys, now=house.clock.now(), actor="operator:ann")


def keys(house: House) -> tuple[Verifier, ...]:
    return log_keys.verifiers(house.gateway.settings.keys, house.gateway.settings.log_origin)


def checkpoint(house: House) -> str:
    note = proofs.checkpoint(house.gateway)
    assert note is not None
    return note


def test_old_and_new_sign_side_by_side_then_the_new_one_alone_and_old_receipts_hold(house: House) -> None:
    first = sequenced(house)
    old_receipt = proofs.proof_of(house.gateway, first.event_id).receipt
    (old,) = keys(house)

    rotated(house)
    sequenced(house)
    new, still = keys(house)
    assert still == old
    for one in (old, new):
        open_checkpoint(checkpoint(house), one)

    retired(house)
    last = sequenced(house)
    open_checkpoint(checkpoint(house), new)
    with pytest.raises(NoteRefused):
        open_checkpoint(checkpoint(house), old)
    assert verify_receipt(old_receipt, leaf_hash(first.leaf), *keys(house)).index < open_checkpoint(checkpoint(house), new).size
    receipt = proofs.proof_of(house.gateway, last.event_id).receipt
    verify_receipt(receipt, leaf_hash(last.leaf), new)
    with pytest.raises(ReceiptRefused):
        verify_receipt(receipt, leaf_hash(last.leaf), old)
    with house.gateway.engine.begin() as connection:
        leaf = audit_tables.leaf.c
        told = connection.execute(select(leaf.tag, leaf.subject).where(leaf.tag.in_(["key:made", "key:retired"])).order_by(leaf.idx)).all()
    published = log_keys.published(house.gateway.settings.keys)
    assert [tuple(each) for each in told] == [("key:made", published.keys[0].key.kid), ("key:retired", published.keys[1].key.kid)]


def test_the_published_list_says_from_when_until_when(house: House) -> None:
    sequenced(house)
    rotated(house)
    retired(house)
    runtime = Runtime.open(house.gateway.settings, house.clock)
    transport = httpx2.ASGITransport(app=create_app(runtime))

    async def ask() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/log/keys")

    answer = asyncio.run(ask()).json()
    runtime.close()
    assert [each["verifier"] for each in answer["log_keys"]] == [each.vkey for each in keys(house)]
    assert answer["log"] == answer["log_keys"][0]["verifier"]
    now = house.clock.now().isoformat()
    assert [(each["since"], each["until"]) for each in answer["log_keys"]] == [(now, None), (None, now)]


def test_a_second_rotation_waits_for_the_end_of_the_first(house: House) -> None:
    with pytest.raises(Conflict) as nothing:
        retired(house)
    assert nothing.value.issues[0].code == Code.LOG_KEY_NOT_RETIRING
    rotated(house)
    with pytest.raises(Conflict) as already:
        rotated(house)
    assert already.value.issues[0].code == Code.LOG_KEY_RETIRING


@pytest.mark.parametrize("saved", range(5))
def test_a_rotation_that_a_crash_broke_off_is_carried_on(house: House, monkeypatch: pytest.MonkeyPatch, saved: int) -> None:
    sequenced(house)
    (old,) = keys(house)
    save, count = log_keys.save, 0

    def crash(*arguments: object, **more: object) -> None:
        nonlocal count
        if count == saved:
            raise KeyboardInterrupt
        count += 1
        save(*arguments, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(log_keys, "save", crash)
        with pytest.raises(KeyboardInterrupt):
            rotated(house)
    sequenced(house)
    rotated(house)
    sequenced(house)
    for one in (old, keys(house)[0]):
        open_checkpoint(checkpoint(house), one)
    assert len(keys(house)) == 2
