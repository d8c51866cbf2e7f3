# SPDX-License-Identifier: MIT
"""Managed custody: the reason is in the log first, and the opener believes only what is committed."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from uuid import UUID, uuid4

import pytest

from notify_gateway import opener
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import Conflict, NotFound, Refused, Unavailable
from notify_gateway.store import tables
from notify_gateway.use_cases import deliver, onboard, reveal
from tests.support.messages import Message, a_message
from tests.use_cases.conftest import STOCKTON, House

HARTLEPOOL = "E06000001"


@pytest.fixture
def folder(house: House, tmp_path: Path) -> Path:
    folder = tmp_path / "opener"
    onboard.register_authority(house.gateway, gss=HARTLEPOOL, custody="managed", channel="pull", actor="test")
    onboard.register_key(house.gateway, key=opener.make_managed_key(folder, HARTLEPOOL).public(), actor="test")
    return folder


@pytest.fixture
def message() -> Message:
    return a_message().for_child(postcode="TS24 8AY").to_authority(HARTLEPOOL)


def vault(house: House) -> reveal.Vault:
    gateway = house.gateway
    return reveal.Vault(gateway.clock, gateway.engine, gateway.shred_engine, gateway.signing_key.public())


def offered(house: House, message: Message) -> UUID:
    house.accept(message)
    (hint,) = deliver.find_due(house.gateway)
    (item,) = deliver.begin_attempts(house.gateway, [UUID(i) for i in hint.ids], owner="test")
    deliver.finish_attempts(house.gateway, [AttemptResult(item.delivery_id, 1, AttemptOutcome.OFFERED, "ok")], owner="test")
    return item.delivery_id


def ask(house: House, delivery_id: UUID, authority: str = HARTLEPOOL, **other: str) -> reveal.Grant:
    words = {"reason": "contact-family", "case_reference": "EY-2026/17"} | other
    return reveal.grant(house.gateway, authority=authority, delivery_id=delivery_id, kind="card", **words)  # type: ignore[arg-type]


@contextmanager
def running(house: House, folder: Path, address: Path) -> Iterator[None]:
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = Thread(target=lambda: loop.run_until_complete(opener.serve(vault(house), folder, address, stop)))
    thread.start()
    try:
        from tests.support.services import eventually

        eventually(address.exists, within=5)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_the_opener_opens_once_what_was_granted_and_both_acts_are_in_the_log(house: House, folder: Path, message: Message) -> None:
    delivery_id = offered(house, message)
    address = folder / "socket"
    with running(house, folder, address):
        assert stat.S_IMODE(address.stat().st_mode) == 0o660
        before = house.count(tables.audit_tables.pending)
        granted = ask(house, delivery_id)
        card = json.loads(reveal.ask_opener(address, granted).reveal())
        assert message.number in json.dumps(card)
        assert house.count(tables.audit_tables.pending) == before + 3
        with pytest.raises(Conflict):
            reveal.ask_opener(address, granted)


@pytest.mark.parametrize("words", [{"reason": "curiosity"}, {"reason": ""}, {"case_reference": ""}, {"case_reference": "Avery Sample"}])
def test_without_a_reason_and_a_case_reference_nothing_is_granted(house: House, folder: Path, message: Message, words) -> None:
    delivery_id = offered(house, message)
    with pytest.raises(Refused) as error:
        ask(house, delivery_id, **words)
    assert error.value.issues[0].code == Code.REVEAL_REASON_MISSING


def test_a_grant_is_used_up_and_goes_stale(house: House, folder: Path, message: Message) -> None:
    delivery_id = offered(house, message)
    keys = opener.managed_keys(folder)
    used = ask(house, delivery_id)
    reveal.open_granted(vault(house), keys, used.id)
    stale = ask(house, delivery_id)
    house.clock.move(reveal.LASTS + timedelta(seconds=1))
    for grant_id in (used.id, stale.id, uuid4()):
        with pytest.raises(NotFound):
            reveal.open_granted(vault(house), keys, grant_id)


def test_nobody_here_opens_for_an_authority_that_holds_its_own_key(house: House, folder: Path) -> None:
    delivery_id = offered(house, a_message())
    with pytest.raises(Conflict) as error:
        ask(house, delivery_id, authority=STOCKTON)
    assert error.value.issues[0].code == Code.KEY_NOT_HELD_HERE


def test_another_authority_s_delivery_does_not_exist(house: House, folder: Path) -> None:
    delivery_id = offered(house, a_message())
    with pytest.raises(NotFound):
        ask(house, delivery_id)


@pytest.mark.parametrize("request_line", [b"\n", b"{}\n", b'{"grant": 7}\n', b'{"grant": "x"}\n', b"[1]\n", b"x" * 5000 + b"\n", b"null\n"])
def test_the_opener_survives_nonsense(house: House, folder: Path, message: Message, request_line: bytes) -> None:
    import socket

    delivery_id = offered(house, message)
    address = folder / "socket"
    with running(house, folder, address):
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(address))
            link.sendall(request_line)
            assert link.recv(100) in (b"no\n", b"")
        assert reveal.ask_opener(address, ask(house, delivery_id)).reveal()


def test_without_an_opener_the_answer_says_so(house: House, folder: Path, message: Message) -> None:
    granted = ask(house, offered(house, message))
    for address in (None, folder / "nothing-there"):
        with pytest.raises(Unavailable) as error:
            reveal.ask_opener(address, granted)
        assert error.value.issues[0].code == Code.OPENER_UNAVAILABLE
