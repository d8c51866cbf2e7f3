# SPDX-License-Identifier: MIT
"""Officers' notes: sealed to every key of the authority, kept with the notification, erased with the child."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from audit.events import Event
from audit.log import append
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.privacy.encoding import to_base64
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose
from notify_gateway.privacy.notes import seal_note
from notify_gateway.store import shred
from notify_gateway.store.hand_overs import AuthorityHandOvers, HandOver
from notify_gateway.store.tables import audit_tables, sealed_notes
from notify_gateway.use_cases import onboard, reveal
from notify_gateway.use_cases.devices import notes
from notify_gateway.use_cases.devices.hand_over import SHOWN_FOR
from tests.support.templates import Templates
from tests.use_cases.conftest import STOCKTON, furnished
from tests.use_cases.councils import Council, code_of, delivered


@pytest.fixture
def council(tmp_path: Path, templates: Templates) -> Iterator[Council]:
    """On SQLite; that PostgreSQL, with its guards and roles, takes each of these acts, ``test_devices_by_role`` tries."""
    with contextmanager(furnished)(tmp_path, templates, None) as house:
        yield Council(house)


def times(council: Council) -> tuple[datetime, datetime, int, datetime]:
    now = council.gateway.clock.now()
    return now, now + SHOWN_FOR, 0, now


def sent(council: Council, notification_id: UUID, *keys: RecipientPrivateKey, text: bytes = b"Call on Friday", **more: Any) -> bytes:
    """Return a note as a browser sends it, sealed to the X25519 half of each key."""
    note_id = uuid4()
    where: dict[str, Any] = {"authority": STOCKTON, "notification_id": notification_id, "note_id": note_id}
    made = seal_note(PrivateBytes(text), **where, recipients=[key.classic().public() for key in keys])
    document = {"note_id": str(note_id), "header": to_base64(made.header), "sealed": to_base64(made.inner)}
    return json.dumps(document | more).encode()


def test_a_note_is_kept_sealed_comes_with_the_card_and_goes_with_the_child(council: Council) -> None:
    key, reference = council.device(), council.offered()
    place = delivered(council)
    live = [key, *council.house.keys[STOCKTON]]
    document = sent(council, place["notification_id"], *live)
    note_id = notes.keep_now(council.gateway, by=council.officer, **place, sent=document)
    assert notes.keep_now(council.gateway, by=council.officer, **place, sent=document) == note_id, "the same form twice"
    assert len(council.events("note:sealed")) == 1
    assert code_of(lambda: notes.keep_now(council.gateway, by=council.other, **place, sent=document), Refused) == Code.NOTE_UNUSABLE
    handed = council.asks(reference, key)
    (note,) = handed["notes"]
    assert note["note_id"] == str(note_id)
    assert {council.opens(each, note) for each in live} == {b"Call on Friday"}
    shred.erase(council.gateway.shred_engine, [delivered(council)["message_id"]], at=council.house.clock.now())
    assert code_of(lambda: notes.keep_now(council.gateway, by=council.officer, **place, sent=document), Conflict) == Code.KEY_NOT_HELD_HERE


def test_a_note_that_not_everybody_could_open_is_refused(council: Council) -> None:
    key = council.device()
    council.offered()
    place = delivered(council)
    held = council.house.keys[STOCKTON]
    wrong = (
        sent(council, place["notification_id"], key),
        sent(council, place["notification_id"], key, *held, RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING)),
        sent(council, uuid4(), key, *held),
        sent(council, place["notification_id"], key, *held, note_id=str(uuid4())),
        sent(council, place["notification_id"], key, *held, sealed=to_base64(bytes(1052))),
        b"{}",
        b"[]",
        b"plain words",
        b"x" * (notes.MOST_SENT + 1),
    )
    for document in wrong:
        kept = code_of(lambda d=document: notes.keep_now(council.gateway, by=council.officer, **place, sent=d), Refused)  # type: ignore[misc]
        assert kept == Code.NOTE_UNUSABLE
    assert council.house.count(sealed_notes) == 0


def test_in_managed_custody_the_service_seals_the_note_and_the_opener_opens_it(council: Council, monkeypatch: pytest.MonkeyPatch) -> None:
    managed = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.MANAGED)
    onboard.register_authority(council.gateway, gss=STOCKTON, custody="managed", channel="inbox", actor="test")
    onboard.register_key(council.gateway, key=managed.public(), actor="test")
    reference = council.offered()
    place = delivered(council)
    gateway = council.gateway
    vault = reveal.Vault(gateway.clock, gateway.engine, gateway.shred_engine, gateway.signing_key.public())
    # How the two speak to each other is tried where cards are.
    monkeypatch.setattr(notes, "ask_opener", lambda _, grant: reveal.open_granted(vault, {STOCKTON: managed}, grant.id))
    text = "Ring Grandma’s number"
    kept = notes.keep_now(gateway, by=council.officer, **place, sent=text.encode())
    with gateway.engine.begin() as connection:
        row = connection.execute(select(sealed_notes)).one()
    assert (row.id, b"Grandma" in bytes(row.stored)) == (kept, False)
    assert notes.look(gateway, by=council.officer, reference=reference) == (), "nobody said why"
    permitted = HandOver(
        uuid4(), STOCKTON, council.officer.id, place["notification_id"], "card", "contact-family", managed.kid, *times(council)
    )
    with gateway.engine.begin() as connection:
        AuthorityHandOvers(connection, STOCKTON).add(permitted)
        event = Event(
            "device:ended", at=gateway.clock.now(), actor="test", subject="test", fields=dict.fromkeys(("authority", "kid", "reason"), "x")
        )
        append(connection, audit_tables, [event])
    (note,) = notes.look(gateway, by=council.officer, reference=reference)
    assert (note.id, note.text, "Grandma" in repr(note)) == (kept, text, False)
    assert [event.tag for event in council.events("opening:attempted", "envelope:opened", "reveal:used")] == [
        "reveal:used",
        "opening:attempted",
        "envelope:opened",
    ]
    for wrong in (b"", b"  ", b"\xff", b"x" * 2001):
        refused = code_of(lambda w=wrong: notes.ready(gateway, by=council.officer, **place, sent=w), Refused)  # type: ignore[misc]
        assert refused == Code.NOTE_UNUSABLE
