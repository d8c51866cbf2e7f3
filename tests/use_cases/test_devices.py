# SPDX-License-Identifier: MIT
"""Keys in browsers: a device comes by two people and goes by one; what is sealed is handed over for a reason, a while and a live device."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotAllowed, NotFound, NotifyError, Refused
from notify_gateway.domain.staff import Role
from notify_gateway.privacy.drills import open_drill
from notify_gateway.privacy.encoding import from_base64, to_base64
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, fingerprint
from notify_gateway.privacy.opening import open_delivery
from notify_gateway.store import shred
from notify_gateway.store.tables import deliveries
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.authority_changes import MOST_WORKING_KEYS
from notify_gateway.use_cases.devices import drill, enrol
from notify_gateway.use_cases.devices.hand_over import SHOWN_FOR, running, sealed_for
from notify_gateway.use_cases.devices.show import Standing, show_devices
from notify_gateway.use_cases.devices.to_file import sealed_file
from tests.support.templates import Templates
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, furnished
from tests.use_cases.councils import Council, code_of, delivered, somebody


@pytest.fixture
def council(tmp_path: Path, templates: Templates) -> Iterator[Council]:
    """On SQLite; that PostgreSQL, with its guards and roles, takes each of these acts, ``test_devices_by_role`` tries."""
    with contextmanager(furnished)(tmp_path, templates, None) as house:
        yield Council(house)


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
    shred.erase(council.gateway.shred_engine, [delivered(council)["message_id"]], at=council.house.clock.now())
    assert code_of(lambda: council.asks(reference, key), Conflict) == Code.KEY_NOT_HELD_HERE


def test_what_was_overtaken_or_withdrawn_is_not_handed_over(council: Council) -> None:
    key, reference = council.device(), council.offered()
    with council.gateway.engine.begin() as connection:
        connection.execute(update(deliveries).values(event="delete"))
    assert code_of(lambda: council.asks(reference, key), Conflict) == Code.DELIVERY_STATE


def test_a_sealed_card_is_a_file_for_the_command_with_its_reason_in_the_log(council: Council) -> None:
    reference = council.offered()
    why = {"by": council.officer, "reference": reference, "lasts": SHOWN_FOR}
    assert code_of(lambda: sealed_file(council.gateway, **why, reason="", case_reference="EY-1"), Refused) == Code.REVEAL_REASON_MISSING
    document = json.loads(sealed_file(council.gateway, **why, reason="answer-parent", case_reference="EY-1"))
    opened = open_delivery(document, council.recovery, council.gateway.signing_key.public())
    assert (opened.reference, opened.original) == (reference, None)
    granted, handed = council.events("reveal:granted", "envelope:handed_over")
    assert (granted.fields["reason"], handed.fields["kid"]) == ("answer-parent", "command")
    shred.erase(council.gateway.shred_engine, [delivered(council)["message_id"]], at=council.house.clock.now())
    assert code_of(lambda: sealed_file(council.gateway, **why, reason="", case_reference=""), Conflict) == Code.KEY_NOT_HELD_HERE
