# SPDX-License-Identifier: MIT
"""A new key of the gateway: published first, then it takes over; what the old one signed holds, and what is kept is delivered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import select

from audit.events import read_leaf
from audit.note import Verifier
from audit.receipts import ReceiptRefused, make_promise, verify_promise
from notify_gateway.app import create_app
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import Conflict
from notify_gateway.privacy.keys import SigningKey, VerifyingKey, load, save
from notify_gateway.privacy.opening import CannotOpen, open_delivery
from notify_gateway.privacy.sealing import seal_inner, sign_header, verify_header
from notify_gateway.runtime import GATEWAY_PUBLIC, Runtime, open_vault
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import collect, deliver, gateway_keys
from notify_gateway.use_cases.accept import Accepted
from tests.support.messages import a_message
from tests.support.templates import Templates
from tests.use_cases.conftest import STOCKTON, House, furnished


@pytest.fixture
def house(tmp_path: Path, templates: Templates) -> Iterator[House]:
    yield from furnished(tmp_path, templates, None)


def rotated(house: House) -> VerifyingKey:
    return gateway_keys.rotate(house.gateway.engine, house.gateway.settings.keys, now=house.clock.now(), actor="operator:ann")


def retired(house: House, reason: str = "rotated") -> VerifyingKey:
    folder, now = house.gateway.settings.keys, house.clock.now()
    return gateway_keys.retire(house.gateway.engine, folder, now=now, actor="operator:ann", reason=reason)


def restarted(house: House) -> House:
    runtime = Runtime.open(house.gateway.settings, house.clock)
    return replace(house, runtime=runtime)


def promised(house: House, accepted: Accepted) -> str:
    origin = house.gateway.settings.log_origin
    return make_promise(*house.runtime.promise_signers, origin=origin, leaf_hash=accepted.leaf_hash, accepted_at=accepted.accepted_at)


def promise_key(house: House, key: VerifyingKey) -> Verifier:
    return Verifier(house.runtime.public.promises.name, key.raw)


def offered(house: House) -> UUID:
    """Have a message accepted and offered; return its delivery."""
    house.accept(a_message())
    (hint,) = deliver.find_due(house.gateway)
    (item,) = deliver.begin_attempts(house.gateway, [UUID(hint.ids[0])], owner="test")
    deliver.finish_attempts(house.gateway, [AttemptResult(item.delivery_id, 1, AttemptOutcome.OFFERED, "ok")], owner="test")
    return item.delivery_id


def fetched(house: House, delivery: UUID) -> dict[str, object]:
    document: dict[str, object] = json.loads(collect.fetch(house.gateway, authority=STOCKTON, delivery_id=delivery))
    return document


def test_the_next_key_is_published_then_takes_over_and_vouches_for_what_is_kept(house: House) -> None:
    old, private = house.gateway.signing_key.public(), house.keys[STOCKTON][0]
    kept = offered(house)
    first = house.accept(a_message())
    old_promise = promised(house, first)
    new = rotated(house)
    with pytest.raises(Conflict) as already:
        rotated(house)
    assert already.value.issues[0].code == Code.GATEWAY_KEY_RETIRING

    # Side by side: both promise, the old one signs what goes out, and everybody can learn the new one.
    house = restarted(house)
    both = promised(house, first)
    for key in (old, new):
        verify_promise(both, first.leaf_hash, promise_key(house, key))
    open_delivery(fetched(house, kept), private, old)
    listed = published_keys(house)
    assert [(each["kid"], each["until"]) for each in listed["gateway_keys"]] == [(new.kid, None), (old.kid, None)]
    assert listed["gateway"]["kid"] == old.kid

    # The new one takes over: it vouches for what was sealed before, and the old promise holds by the old key.
    assert retired(house, "compromised") == old
    house = restarted(house)
    assert not (house.gateway.settings.keys / gateway_keys.GATEWAY_NEXT).exists()
    document = fetched(house, kept)
    open_delivery(document, private, new)
    with pytest.raises(CannotOpen):
        open_delivery(document, private, old)
    open_delivery(fetched(house, offered(house)), private, new)
    verify_promise(old_promise, first.leaf_hash, promise_key(house, old))
    with pytest.raises(ReceiptRefused):
        verify_promise(promised(house, first), first.leaf_hash, promise_key(house, old))
    assert [each["until"] is None for each in published_keys(house)["gateway_keys"]] == [True, False]
    with pytest.raises(Conflict) as nothing:
        retired(house)
    assert nothing.value.issues[0].code == Code.GATEWAY_KEY_NOT_RETIRING
    assert told(house) == [("key:made", new.kid, None), ("key:retired", old.kid, "compromised")]


def test_only_what_a_key_of_the_gateway_signed_is_vouched_for_and_the_opener_knows_them_all(house: House) -> None:
    old, recipients = house.gateway.signing_key, [key.public() for key in house.keys[STOCKTON]]
    header, _ = seal_inner(b"", kind="card", authority=STOCKTON, notification_id=uuid4(), view_digest=bytes(32), recipients=recipients)
    good, forged = sign_header(header, old), old.sign(b"")
    rotated(house)
    retired(house)
    house = restarted(house)
    verify_header(header, gateway_keys.vouched(house.gateway, header, good), house.gateway.signing_key.public())
    assert gateway_keys.vouched(house.gateway, header, forged) == forged
    vault = open_vault(house.gateway.settings, house.clock)
    assert vault.signer_of(header, good) == old.public()
    with pytest.raises(CannotOpen):
        vault.signer_of(header, forged)
    vault.engine.dispose()
    vault.shred_engine.dispose()


def broken_off(house: House, monkeypatch: pytest.MonkeyPatch, act: Callable[[House], object], after: int) -> None:
    """Have the act die after so many files were written."""
    left = after

    def crash(*arguments: object, **more: object) -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        save(*arguments, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(gateway_keys, "save", crash)
        with pytest.raises(KeyboardInterrupt):
            act(house)


def test_a_rotation_that_a_crash_broke_off_is_carried_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for after in range(2):
        broken_off(house, monkeypatch, rotated, after)
        rotated(house)
        retired(house)
    for after in range(3):
        rotated(house)
        broken_off(house, monkeypatch, retired, after)
        retired(house)
    folder = house.gateway.settings.keys
    keys = gateway_keys.published(folder).keys
    assert [each.until is None for each in keys] == [True] + [False] * 5
    assert load(folder / gateway_keys.GATEWAY_KEY, SigningKey).public() == keys[0].key == load(folder / GATEWAY_PUBLIC, VerifyingKey)


def published_keys(house: House) -> Any:
    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=create_app(house.runtime))
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/log/keys")

    return asyncio.run(ask()).json()


def told(house: House) -> list[tuple[str, str, object]]:
    with house.gateway.engine.begin() as connection:
        held = audit_tables.pending.c
        rows = connection.scalars(select(held.leaf).where(held.tag.in_(["key:made", "key:retired"])).order_by(held.arrival))
        events = [read_leaf(bytes(row)) for row in rows]
    return [(each.tag, each.subject, each.fields.get("reason")) for each in events if each.fields.get("purpose") == "gateway"]
