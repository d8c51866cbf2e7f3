# SPDX-License-Identifier: MIT
"""What operators see of the whole, on each database: home, queues, flows, keys, one delivery; and that sessions are what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from notify_gateway.cli.findings import Check, State
from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.errors import NotAllowed
from notify_gateway.domain.operating import GiveUpReason, ParkReason
from notify_gateway.domain.standing import Level
from notify_gateway.privacy.ssh_keys import line_fingerprint, make_ssh_key, public_line
from notify_gateway.runtime import open_sequencer
from notify_gateway.use_cases import deliver, onboard, operate, operators
from notify_gateway.use_cases.access import Denials
from notify_gateway.use_cases.at_a_glance import home
from notify_gateway.use_cases.flows import show_flows
from notify_gateway.use_cases.invariants.runs import run
from notify_gateway.use_cases.queues import queues
from notify_gateway.use_cases.show_delivery import show_delivery
from notify_gateway.use_cases.show_keys import all_keys
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House

WELL = [Check(name, State.OK, "well") for name in ("main database", "broker", "clock", "gateway.key.json", "disk")]


def sequenced(house: House) -> None:
    sequencer = open_sequencer(house.gateway.settings, house.clock)
    while sequencer.run_once():
        pass
    sequencer.close()


def lines(house: House) -> dict[str, tuple[Level, str]]:
    return {each.name: (each.level, each.said) for each in home(house.gateway, WELL).lines}


def attempted(house: House, outcome: AttemptOutcome, code: str) -> list[UUID]:
    ids = [UUID(each) for hint in deliver.find_due(house.gateway) for each in hint.ids]
    items = deliver.begin_attempts(house.gateway, ids, owner="worker-7")
    deliver.finish_attempts(house.gateway, [AttemptResult(i.delivery_id, i.attempt, outcome, code) for i in items], owner="worker-7")
    return [each.delivery_id for each in items]


def test_a_service_in_good_order_is_said_to_be(house: House) -> None:
    house.accept(a_message())
    sequenced(house)
    run(house.gateway)
    house.clock.move(timedelta(seconds=12))
    found = home(house.gateway, WELL)
    assert found.level is Level.OK, found.lines
    assert found.sentence == "Notifications are arriving and leaving normally. Oldest waiting 12 seconds, 1 delivery in all."
    assert {each.name: each.said for each in found.lines}["Checkpoint"].startswith("Signed 12 seconds ago")
    assert {each.code: each.recent for each in found.silences} == {"RXX": 1, STOCKTON: 0, MIDDLESBROUGH: 0}
    assert {each.name for each in found.objectives} == {"Delivered in time", "Logged in time", "Checkpoint in time", "Oldest waiting"}


def test_what_is_not_looked_at_is_never_well(house: House) -> None:
    unseen = {each.name: each.level for each in home(house.gateway, None).lines}
    for name in ("Database", "Broker", "Clock", "Keys", "Other checks", "Invariants"):
        assert unseen[name] is Level.UNKNOWN


def test_what_waits_too_long_what_is_parked_and_what_lies_is_told_of(house: House) -> None:
    house.accept(a_message())
    (lying,) = attempted(house, AttemptOutcome.OFFERED, "ok")
    house.accept(a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH))
    (failing,) = attempted(house, AttemptOutcome.RETRY, "http-422")
    sequenced(house)
    house.clock.move(timedelta(minutes=20))
    assert lines(house)["Queue"] == (Level.WARN, "Oldest waiting 20 minutes, 1 delivery in all.")
    operate.park(house.gateway, delivery_id=failing, reason=ParkReason.UNDER_INQUIRY, actor="operator:alex")
    sequenced(house)
    house.clock.move(timedelta(hours=80))
    sequenced(house)
    told = lines(house)
    assert told["Queue"] == (Level.OK, "Nothing is waiting.")
    assert told["Failed work"] == (Level.FAIL, "1 delivery parked, which only people can move; 0 tried again by themselves.")
    assert told["Deliveries"][0] is Level.FAIL
    assert {each.code: each.level for each in home(house.gateway, WELL).silences}[STOCKTON] is Level.FAIL
    waiting = {each.name: (each.count, each.level) for each in queues(house.gateway).queues}
    assert waiting["Parked"] == (1, Level.FAIL)
    assert waiting["With the authority"] == (1, Level.FAIL)
    assert waiting["To be sent"] == (0, Level.OK)
    flows = {each.going.flow.authority: each for each in show_flows(house.gateway).flows}
    assert flows[MIDDLESBROUGH].level is Level.WARN
    assert flows[STOCKTON].going.flow.offered == 1
    shown = show_delivery(house.gateway, delivery_id=lying)
    assert (shown.state, set(shown.sealed), shown.attempts) == ("offered", {"card", "original"}, 1)
    assert [each.tag for each in show_delivery(house.gateway, delivery_id=failing).happened] == [
        "delivery:parked",
        "delivery:failed",
        "delivery:attempted",
        "delivery:queued",
    ]
    operate.give_up(house.gateway, delivery_id=failing, reason=GiveUpReason.DAMAGED, actor="operator:alex")
    ended = show_delivery(house.gateway, delivery_id=failing)
    assert (ended.item, ended.happened[0].tag, ended.happened[0].actor) == (None, "delivery:given_up", "operator:alex")


def test_a_door_that_is_shut_is_the_first_thing_said(house: House) -> None:
    house.accept(a_message())
    house.clock.move(timedelta(minutes=5))
    found = home(house.gateway, WELL)
    assert found.level is Level.FAIL
    assert found.sentence.startswith("Nothing is accepted:")


def test_workers_and_what_they_hold_are_seen(house: House) -> None:
    house.accept(a_message())
    ids = [UUID(each) for hint in deliver.find_due(house.gateway) for each in hint.ids]
    deliver.begin_attempts(house.gateway, ids, owner="worker-7")
    found = queues(house.gateway)
    assert [(each.owner, each.count) for each in found.workers] == [("worker-7", 1)]
    assert {each.name: each.count for each in found.queues}["Under way"] == 1


def test_keys_are_shown_by_their_public_side_and_tokens_by_their_end(house: House) -> None:
    operators.issue_token(house.gateway, name="alex", lasts=timedelta(hours=8), may_act=True, actor="test")
    found = all_keys(house.gateway)
    assert {each.kid for each in found.authorities} == {key.public().kid for keys in house.keys.values() for key in keys}
    assert len({each.fingerprint for each in (*found.ours, *found.authorities)}) == len(found.ours) + len(found.authorities)
    assert [(each.kind, each.holder, each.level) for each in found.tokens] == [("operator", "alex", Level.OK)]


def test_ssh_keys_and_the_certificate_of_mesh_are_shown_beside_them(house: House, tmp_path: Path) -> None:
    settings = house.gateway.settings
    make_ssh_key(settings.sftp_key)
    line = public_line(settings.sftp_key)
    route: dict[str, str | None] = {
        "host": "sftp.example",
        "port": "22",
        "user": "notify",
        "folder": "in",
        "host_key": line.rpartition(" ")[0],
    }
    onboard.register_authority(house.gateway, gss="E06000003", custody="authority-held", channel="sftp", route=route, actor="test")
    certificate = tmp_path / "mesh.pem"
    certificate.write_bytes(certificate_until(house.clock.now() + timedelta(days=5)))
    gateway = replace(house.gateway, settings=settings.model_copy(update={"mesh_certificate": certificate}))
    found = all_keys(gateway)
    assert {each.fingerprint for each in (*found.ours, *found.authorities) if each.fingerprint.startswith("SHA256:")} == {
        line_fingerprint(line)
    }
    assert any("pinned" in each.purpose for each in found.authorities)
    assert [(each.kind, each.level) for each in found.tokens] == [("MESH certificate", Level.FAIL)]


def certificate_until(end: datetime) -> bytes:
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mesh.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(end - timedelta(days=365)).not_valid_after(end)
    return builder.sign(key, None).public_bytes(Encoding.PEM)


def test_a_session_is_its_cookie_s_and_ends(house: House) -> None:
    gateway = house.gateway
    token = operators.issue_token(gateway, name="alex", lasts=timedelta(minutes=20), may_act=False, actor="test").text
    opened = operators.sign_in(gateway, Denials(gateway, "operations"), token=token)
    who = operators.signed_in(gateway, cookie=opened.cookie)
    assert who is not None
    assert (who.actor, who.may_act) == ("operator:alex", False)
    assert opened.cookie not in f"{opened!r}{who!r}"
    assert who.form_token not in repr(who)
    assert operators.signed_in(gateway, cookie=token) is None
    house.clock.move(timedelta(minutes=14))
    assert operators.signed_in(gateway, cookie=opened.cookie) is not None
    house.clock.move(timedelta(minutes=7))
    assert operators.signed_in(gateway, cookie=opened.cookie) is None, "its token has ended"
    with pytest.raises(NotAllowed):
        operators.sign_in(gateway, Denials(gateway, "operations"), token=token)
