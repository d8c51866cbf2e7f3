# SPDX-License-Identifier: MIT
"""Keys in browsers: a device comes by two people and goes by one; what is sealed is handed over for a reason, a while and a live device."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, select, update

from audit.events import Event, read_leaf
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import Conflict, NotAllowed, NotFound, NotifyError, Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.staff import Person, Role
from notify_gateway.privacy.drills import open_drill
from notify_gateway.privacy.encoding import from_base64, to_base64
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, fingerprint
from notify_gateway.privacy.notes import seal_note
from notify_gateway.privacy.sealing import open_envelope
from notify_gateway.store import shred
from notify_gateway.store.tables import audit_tables, authority_keys, deliveries, sealed_notes
from notify_gateway.use_cases import deliver, onboard
from notify_gateway.use_cases.authority_changes import MOST_WORKING_KEYS
from notify_gateway.use_cases.devices import drill, enrol, notes
from notify_gateway.use_cases.devices.hand_over import SHOWN_FOR, Asked, hand_over, running, sealed_for
from notify_gateway.use_cases.devices.show import Standing, show_devices
from notify_gateway.use_cases.gateway import Gateway
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House


def somebody(*roles: Role, authority: str = STOCKTON) -> Person:
    return Person(uuid4(), authority, frozenset(roles), "Somebody")


def code_of(act: Callable[[], object], kind: type[NotifyError]) -> str:
    with pytest.raises(kind) as caught:
        act()
    return caught.value.issues[0].code


@dataclass
class Council:
    """An authority with an inbox and keys of its own, its people, and its devices' private keys, which nobody else has."""

    house: House
    manager: Person = field(default_factory=lambda: somebody(Role.MANAGER))
    other: Person = field(default_factory=lambda: somebody(Role.MANAGER, Role.OFFICER))
    officer: Person = field(default_factory=lambda: somebody(Role.OFFICER))

    def __post_init__(self) -> None:
        onboard.register_authority(self.gateway, gss=STOCKTON, custody="authority-held", channel="inbox", actor="test")

    @property
    def gateway(self) -> Gateway:
        return self.house.gateway

    @property
    def recovery(self) -> RecipientPrivateKey:
        return next(key for key in self.house.keys[STOCKTON] if key.purpose is RecipientPurpose.RECOVERY)

    def proposed(self, label: str = "Office laptop 3") -> RecipientPrivateKey:
        key = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING)
        made = enrol.enrol(self.gateway, by=self.manager, label=label, public=to_base64(key.public().raw))
        assert (made.live, made.device.kid, made.device.fingerprint) == (False, key.kid, fingerprint(key.public()))
        return key

    def device(self, label: str = "Office laptop 3") -> RecipientPrivateKey:
        key = self.proposed(label)
        enrol.approve(self.gateway, by=self.other, kid=key.kid, typed=fingerprint(key.public()).lower())
        return key

    def offered(self) -> str:
        self.house.clock.move(timedelta(minutes=1))
        accepted = self.house.accept(a_message())
        self.house.clock.move(timedelta(minutes=1))
        with self.gateway.engine.begin() as connection:
            found = select(deliveries.c.id).where(deliveries.c.notification_id == accepted.notification_id)
            wanted = connection.scalars(found).one()
        (item,) = deliver.begin_attempts(self.gateway, [wanted], owner="worker")
        deliver.finish_attempts(self.gateway, [AttemptResult(wanted, item.attempt, AttemptOutcome.OFFERED, "ok")], owner="worker")
        return accepted.reference

    def asks(self, reference: str, key: RecipientPrivateKey, by: Person | None = None, **changes: Any) -> dict[str, Any]:
        asked = {"reason": "contact-family", "case_reference": "EY-2026-17", "kind": "card"} | changes
        given = hand_over(self.gateway, by=by or self.officer, asked=Asked(reference=reference, kid=key.kid, **asked))
        document: dict[str, Any] = json.loads(given)
        return document

    def opens(self, key: RecipientPrivateKey, envelope: dict[str, str]) -> bytes:
        header, signature, sealed = (from_base64(envelope[name]) for name in ("header", "signature", "sealed"))
        return open_envelope(header, signature, sealed, private_key=key, gateway_public=self.gateway.signing_key.public())

    def events(self, *tags: str) -> list[Event]:
        with self.gateway.engine.begin() as connection:
            leaves = connection.scalars(select(audit_tables.pending.c.leaf).order_by(audit_tables.pending.c.arrival)).all()
        return [event for event in map(read_leaf, leaves) if event.tag in tags]


@pytest.fixture
def council(house: House) -> Council:
    return Council(house)


def test_a_device_is_let_in_by_two_people_and_then_everything_is_sealed_to_it(council: Council) -> None:
    before, key = council.offered(), council.proposed()
    (row,) = show_devices(council.gateway, by=council.manager).devices
    assert (row.standing, row.mine, row.could_open, row.since) == (Standing.WAITING, True, 0, None)
    words = fingerprint(key.public())
    approve = enrol.approve
    assert code_of(lambda: approve(council.gateway, by=council.manager, kid=key.kid, typed=words), NotAllowed) == Code.SECOND_PERSON_NEEDED
    assert code_of(lambda: approve(council.gateway, by=council.other, kid=key.kid, typed="0" * 32), Conflict) == Code.FINGERPRINT_DIFFERS
    assert code_of(lambda: approve(council.gateway, by=council.officer, kid=key.kid, typed=words), NotAllowed) == Code.SCOPE_MISSING
    stranger = somebody(Role.MANAGER, authority=MIDDLESBROUGH)
    assert code_of(lambda: approve(council.gateway, by=stranger, kid=key.kid, typed=words), NotFound) == Code.DEVICE_UNKNOWN
    assert code_of(lambda: council.asks(before, key), Conflict) == Code.DEVICE_NOT_LIVE
    approve(council.gateway, by=council.other, kid=key.kid, typed=words)
    assert code_of(lambda: council.asks(before, key), Conflict) == Code.NOT_FOR_THIS_DEVICE
    handed = council.asks(council.offered(), key)
    assert json.loads(council.opens(key, handed["envelopes"]["card"]))["format"] == "notify-gateway/card"
    (row,) = show_devices(council.gateway, by=council.manager).devices
    assert (row.standing, row.could_open) == (Standing.LIVE, 1)
    (told,) = council.events("device:enrolled")
    assert told.sentence().endswith(f"enrolled device {row.device.id} of authority {STOCKTON}, which holds key {key.kid}.")


def test_a_lost_device_gets_nothing_more_and_the_page_says_what_its_key_still_fits(council: Council) -> None:
    lost, kept = council.device("Lost"), council.device("Kept")
    before = council.offered()
    council.asks(before, lost)
    ended = enrol.end(council.gateway, by=council.manager, device=lost.kid, reason="lost")
    assert ended.live
    after = council.offered()
    assert code_of(lambda: council.asks(before, lost), Conflict) == Code.DEVICE_NOT_LIVE
    handed = council.asks(after, kept)
    header = json.loads(from_base64(handed["envelopes"]["card"]["header"]))
    assert lost.kid not in [each["kid"] for each in header["keys"]]
    assert {kept.kid, council.recovery.kid} <= {each["kid"] for each in header["keys"]}
    rows = {row.device.label: row for row in show_devices(council.gateway, by=council.manager).devices}
    assert (rows["Lost"].standing, rows["Lost"].could_open, rows["Kept"].could_open) == (Standing.ENDED, 1, 2)
    assert rows["Lost"].device.ended_because == "lost"
    again = {"by": council.manager, "device": lost.kid, "reason": "lost"}
    assert code_of(lambda: enrol.end(council.gateway, **again), NotFound) == Code.DEVICE_UNKNOWN
    assert code_of(lambda: enrol.end(council.gateway, **again | {"reason": "bored"}), Refused) == Code.PARAMETER_INVALID
    assert [event.fields["reason"] for event in council.events("device:ended")] == ["lost"]


def test_a_device_that_was_never_approved_is_taken_off_the_list(council: Council) -> None:
    key = council.proposed()
    assert not enrol.end(council.gateway, by=council.manager, device=key.kid, reason="replaced").live
    words = fingerprint(key.public())
    refused = code_of(lambda: enrol.approve(council.gateway, by=council.other, kid=key.kid, typed=words), NotFound)
    assert refused == Code.PROPOSAL_UNKNOWN
    waiting = council.proposed("Another")
    council.house.clock.move(timedelta(days=15))
    rows = {row.device.kid: row.standing for row in show_devices(council.gateway, by=council.manager).devices}
    assert rows == {key.kid: Standing.ENDED, waiting.kid: Standing.LAPSED}
    enrol.end(council.gateway, by=council.manager, device=waiting.kid, reason="lost")


def test_what_cannot_be_enrolled_is_refused(council: Council) -> None:
    def tried(kind: type[NotifyError], **changes: Any) -> str:
        raw = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING).public().raw
        given = {"by": council.manager, "label": "Laptop", "public": to_base64(raw)} | changes
        return code_of(lambda: enrol.enrol(council.gateway, **given), kind)

    for wrong in ({"label": ""}, {"label": "x" * 61}, {"label": "a\nb"}, {"label": "<b>"}, {"public": "AAAA"}, {"public": "?"}):
        assert tried(Refused, **wrong) == Code.DEVICE_DETAILS
    assert tried(Refused, public=to_base64(bytes(32))) == Code.DEVICE_DETAILS, "a point of low order"
    assert tried(NotAllowed, by=council.officer) == Code.SCOPE_MISSING
    assert tried(NotFound, by=somebody(Role.MANAGER, authority="E06000001")) == Code.AUTHORITY_NOT_SERVED
    held = council.device()
    assert tried(Conflict, public=to_base64(held.public().raw)) == Code.KEY_KNOWN
    # One that the command made and two people let in is known at once, and waits for nobody.
    made = council.house.keys[STOCKTON][0]
    assert enrol.enrol(council.gateway, by=council.manager, label="From a file", public=to_base64(made.public().raw)).live
    for _ in range(MOST_WORKING_KEYS - 2):
        key = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING)
        onboard.register_key(council.gateway, key=key.public(), actor="test")
    assert tried(Conflict) == Code.WORKING_KEYS_TOO_MANY
    onboard.retire_key(council.gateway, kid=council.recovery.kid, actor="test")
    assert tried(Conflict) == Code.RECOVERY_KEY_MISSING
    assert code_of(lambda: drill.begin(council.gateway, by=council.manager, kid="any"), Conflict) == Code.RECOVERY_KEY_MISSING
    onboard.register_authority(council.gateway, gss=STOCKTON, custody="managed", channel="inbox", actor="test")
    assert tried(Conflict) == Code.CUSTODY_MANAGED


def test_a_drill_proves_that_the_recovery_key_opens_and_is_due_again_after_half_a_year(council: Council) -> None:
    def recovery() -> tuple[bool, bool]:
        (found,) = show_devices(council.gateway, by=council.manager).recovery
        return found.due, found.open_drill is not None

    assert recovery() == (True, False)
    begun = drill.begin(council.gateway, by=council.manager, kid=council.recovery.kid)
    assert recovery() == (True, True)
    document = drill.document_of(council.gateway, by=council.manager, drill_id=begun.id).document
    words = open_drill(json.loads(document), council.recovery, council.gateway.signing_key.public())
    wrong = code_of(lambda: drill.answer(council.gateway, by=council.manager, drill_id=begun.id, words="0000 1111"), Conflict)
    assert wrong == Code.DRILL_ANSWER
    drill.answer(council.gateway, by=council.manager, drill_id=begun.id, words=words.lower().replace("0", "o"))
    drill.answer(council.gateway, by=council.manager, drill_id=begun.id, words="said again")
    assert recovery() == (False, False)
    assert [event.tag for event in council.events("recovery:drill_begun", "recovery:drill_failed", "recovery:drilled")] == [
        "recovery:drill_begun",
        "recovery:drill_failed",
        "recovery:drilled",
    ]
    council.house.clock.move(drill.DRILL_EVERY)
    assert recovery() == (True, False)


def test_a_drill_ends_after_seven_days_or_five_wrong_answers(council: Council) -> None:
    late = drill.begin(council.gateway, by=council.manager, kid=council.recovery.kid)
    council.house.clock.move(drill.LASTS)
    guessed = drill.begin(council.gateway, by=council.manager, kid=council.recovery.kid)
    for _ in range(drill.MOST_FAILURES):
        code_of(lambda: drill.answer(council.gateway, by=council.manager, drill_id=guessed.id, words="guess"), Conflict)
    for each in (late, guessed):
        words = open_drill(json.loads(each.document), council.recovery, council.gateway.signing_key.public())
        found = code_of(lambda w=words, d=each: drill.answer(council.gateway, by=council.manager, drill_id=d.id, words=w), Conflict)  # type: ignore[misc]
        assert found == Code.DRILL_ANSWER
    stranger = somebody(Role.MANAGER, authority=MIDDLESBROUGH)
    assert code_of(lambda: drill.document_of(council.gateway, by=stranger, drill_id=late.id), NotFound) == Code.DEVICE_UNKNOWN
    assert code_of(lambda: drill.answer(council.gateway, by=stranger, drill_id=late.id, words=""), NotFound) == Code.DEVICE_UNKNOWN
    assert code_of(lambda: drill.begin(council.gateway, by=council.manager, kid="working-1"), NotFound) == Code.KEY_UNKNOWN


def test_the_reason_is_in_the_log_first_and_lasts_for_a_while(council: Council) -> None:
    key, reference = council.device(), council.offered()
    for wrong in ({"reason": ""}, {"reason": "curious"}, {"case_reference": ""}, {"case_reference": "Zephyrine Quill"}):
        assert code_of(lambda w=wrong: council.asks(reference, key, **w), Refused) == Code.REVEAL_REASON_MISSING  # type: ignore[misc]
    assert council.events("reveal:granted") == []
    first = council.asks(reference, key)
    again = council.asks(reference, key, reason="", case_reference="")
    assert (first["grant"], again["grant"], again["times"]) == (first["grant"], first["grant"], 2)
    assert first["seconds_left"] == SHOWN_FOR.total_seconds()
    granted, *handed = council.events("reveal:granted", "envelope:handed_over")
    assert (granted.tag, granted.actor, granted.fields["reason"]) == ("reveal:granted", council.officer.actor, "contact-family")
    assert [event.fields["kid"] for event in handed] == [key.kid] * 2
    assert "EY-2026-17" not in str(granted.fields)
    # Nobody else has that permission, and its time is over when the service says so.
    assert code_of(lambda: council.asks(reference, key, council.other, reason=""), Refused) == Code.REVEAL_REASON_MISSING
    notification = sealed_for(council.gateway, by=council.officer, reference=reference)
    held = running(council.gateway, by=council.officer, notification_id=notification, kind="card")
    assert held is not None
    assert held.times == 2
    council.house.clock.move(SHOWN_FOR)
    assert running(council.gateway, by=council.officer, notification_id=notification, kind="card") is None
    assert code_of(lambda: council.asks(reference, key, reason=""), Refused) == Code.REVEAL_REASON_MISSING


def test_the_original_is_for_a_manager_and_comes_with_its_card(council: Council) -> None:
    key, reference = council.device(), council.offered()
    council.asks(reference, key, council.other)
    assert code_of(lambda: council.asks(reference, key, kind="original"), NotAllowed) == Code.SCOPE_MISSING
    # The reason for the card is no reason for the original.
    again = {"kind": "original", "reason": "", "case_reference": ""}
    assert code_of(lambda: council.asks(reference, key, council.other, **again), Refused) == Code.REVEAL_REASON_MISSING
    handed = council.asks(reference, key, council.other, kind="original", reason="safeguarding")
    assert sorted(handed["envelopes"]) == ["card", "original"]
    assert b"Bundle" in council.opens(key, handed["envelopes"]["original"])
    assert handed["notes"] == []


def test_what_is_not_there_is_not_handed_over(council: Council) -> None:
    key, reference = council.device(), council.offered()
    stranger = somebody(Role.OFFICER, authority=MIDDLESBROUGH)
    assert code_of(lambda: council.asks(reference, key, stranger), NotFound) == Code.DELIVERY_UNKNOWN
    assert code_of(lambda: council.asks("SEN-00000000-0", key), NotFound) == Code.DELIVERY_UNKNOWN
    unknown = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING)
    assert code_of(lambda: council.asks(reference, unknown), NotFound) == Code.DEVICE_UNKNOWN
    assert code_of(lambda: council.asks(reference, key, somebody(Role.STRATEGIC_LEAD)), NotAllowed) == Code.SCOPE_MISSING
    shred.erase(council.gateway.shred_engine, [place_of(council, reference)["message_id"]], at=council.house.clock.now())
    assert code_of(lambda: council.asks(reference, key), Conflict) == Code.KEY_NOT_HELD_HERE


def place_of(council: Council, reference: str) -> dict[str, UUID]:
    notification = sealed_for(council.gateway, by=council.officer, reference=reference)
    with council.gateway.engine.begin() as connection:
        message = connection.scalars(select(deliveries.c.message_id).where(deliveries.c.notification_id == notification)).one()
    return {"notification_id": notification, "message_id": message}


def sent(council: Council, notification_id: UUID, *keys: RecipientPrivateKey, text: bytes = b"Call on Friday", **more: Any) -> bytes:
    """Return a note as a browser sends it, sealed to the X25519 half of each key."""
    note_id = uuid4()
    where: dict[str, Any] = {"authority": STOCKTON, "notification_id": notification_id, "note_id": note_id}
    made = seal_note(PrivateBytes(text), **where, recipients=[key.classic().public() for key in keys])
    document = {"note_id": str(note_id), "header": to_base64(made.header), "sealed": to_base64(made.inner)}
    return json.dumps(document | more).encode()


def test_a_note_is_kept_sealed_comes_with_the_card_and_goes_with_the_child(council: Council) -> None:
    key, reference = council.device(), council.offered()
    place = place_of(council, reference)
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
    shred.erase(council.gateway.shred_engine, [place_of(council, reference)["message_id"]], at=council.house.clock.now())
    assert code_of(lambda: notes.keep_now(council.gateway, by=council.officer, **place, sent=document), Conflict) == Code.KEY_NOT_HELD_HERE


def test_a_note_that_not_everybody_could_open_is_refused(council: Council) -> None:
    key, reference = council.device(), council.offered()
    place = place_of(council, reference)
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


def test_in_managed_custody_the_service_seals_the_note_at_once(council: Council) -> None:
    reference = council.offered()
    place = place_of(council, reference)
    managed = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.MANAGED)
    with council.gateway.engine.begin() as connection:
        connection.execute(delete(authority_keys).where(authority_keys.c.authority == STOCKTON))
    onboard.register_authority(council.gateway, gss=STOCKTON, custody="managed", channel="inbox", actor="test")
    onboard.register_key(council.gateway, key=managed.public(), actor="test")
    made = notes.ready(council.gateway, by=council.officer, **place, sent="Ring Grandma’s number".encode())
    assert made.where == "by-the-service"
    assert b"Grandma" not in made.note.stored
    for wrong in (b"", b"  ", b"\xff", b"x" * 2001):
        kept = code_of(lambda w=wrong: notes.ready(council.gateway, by=council.officer, **place, sent=w), Refused)  # type: ignore[misc]
        assert kept == Code.NOTE_UNUSABLE


def test_what_was_overtaken_or_withdrawn_is_not_handed_over(council: Council) -> None:
    key, reference = council.device(), council.offered()
    with council.gateway.engine.begin() as connection:
        connection.execute(update(deliveries).values(event="delete"))
    assert code_of(lambda: council.asks(reference, key), Conflict) == Code.DELIVERY_STATE
