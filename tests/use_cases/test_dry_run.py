# SPDX-License-Identifier: MIT
"""A dry run judges as the front door does, goes on to the end, says how far it came, and keeps nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from notify_gateway.api.verdict import validation_outcome
from notify_gateway.domain.advice import WORDS, Advice
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import NotifyError
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import OrganisationType
from notify_gateway.privacy import tripwire
from notify_gateway.store.tables import audit_tables, metadata, shred_metadata
from notify_gateway.use_cases import onboard, split
from notify_gateway.use_cases.dry_run import Report, Verdict, dry_run
from notify_gateway.use_cases.examine import Layer
from notify_gateway.use_cases.prepare import prepare
from tests.fhir.bad_messages import CASES, SECRET, build
from tests.support.messages import FOCUS, SENDER, Message, a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House

on_sqlite = pytest.mark.parametrize("house", ["sqlite"], indirect=True)
"""The judgement is the same on both databases: it reads the receivers alone."""
PASSED, FAULTS, NOT_JUDGED = Verdict.PASSED, Verdict.FAULTS, Verdict.NOT_JUDGED


def tried(house: House, message: Message | bytes) -> Report:
    body = message.bytes() if isinstance(message, Message) else message
    return dry_run(house.gateway, PrivateBytes(body), house.trust)


def verdicts(report: Report) -> list[Verdict]:
    return [layer.verdict for layer in report.layers]


def codes(report: Report, layer: Layer | None = None) -> list[str]:
    return [issue.code for each in report.layers if layer in (None, each.layer) for issue in each.issues]


def live(house: House, body: bytes) -> tuple[Any, ...]:
    """What the front door would refuse the message for; empty when it would take it."""
    received = replace(house.received(a_message()), body=PrivateBytes(body))
    try:
        prepare(house.gateway, received)
    except NotifyError as error:
        return error.issues
    return ()


# The same judgement


@on_sqlite
def test_every_bad_message_is_judged_as_the_front_door_judges_it(house: House) -> None:
    differing = []
    for case in CASES:
        body = build(case)
        refused, report = live(house, body), tried(house, body)
        if not refused or not set(refused) <= set(report.issues):
            differing.append((case.name, refused, report.issues))
        # The front door stops at the first step that fails: nothing of an earlier layer may be wrong besides.
        first = next(layer for layer in report.layers if layer.verdict is FAULTS)
        assert set(refused) & set(first.issues), case.name
        told = json.dumps(validation_outcome(report), ensure_ascii=False)
        assert SECRET not in told, case.name
    assert differing == []


@on_sqlite
def test_what_the_front_door_takes_would_be_accepted(house: House) -> None:
    good = (
        a_message(),
        a_message().without("nhs-number"),
        a_message().restricted().view("objects"),
        a_message().for_child(postcode="TS1 2QJ").to_authority(MIDDLESBROUGH),
        a_message().to_authority(MIDDLESBROUGH).because("two-homes"),
        a_message().reason("update"),
    )
    for message in good:
        assert live(house, message.bytes()) == ()
        report = tried(house, message)
        assert report.issues == ()
        assert verdicts(report) == [PASSED] * 5


@on_sqlite
def test_where_it_would_go_is_told_with_the_edition_and_the_tables(house: House) -> None:
    report = tried(house, a_message())
    assert report.destination is not None
    assert (report.destination.authority, report.destination.name, report.destination.how) == (STOCKTON, "Stockton-on-Tees", "postcode")
    assert report.destination.edition == report.postcodes_edition == "demonstration"
    assert report.authorities_version == house.gateway.directory.version
    assert report.needs_version
    assert report.event == "new"


# To the end


@on_sqlite
def test_message_law_and_routing_are_all_judged_although_each_alone_would_refuse(house: House) -> None:
    message = a_message().without("parent-informed").without("discussion-offered").needs("XXX").for_child(postcode="CF10 3ND")
    message.for_child(number="9434765919").from_sender("RYY")
    report = tried(house, message)
    assert verdicts(report) == [PASSED, PASSED, FAULTS, FAULTS, FAULTS]
    assert codes(report, Layer.MESSAGE) == [Code.SENDER_MISMATCH, Code.NHS_NUMBER_NOT_TEST, Code.NEED_CODE_UNKNOWN]
    assert codes(report, Layer.LAW) == [Code.PARENT_NOT_INFORMED, Code.DISCUSSION_NOT_OFFERED]
    assert codes(report, Layer.ROUTING) == [Code.LIVES_IN_WALES]
    assert report.destination is None


@on_sqlite
def test_the_authority_is_told_although_the_law_has_faults(house: House) -> None:
    report = tried(house, a_message().without("parent-informed"))
    assert verdicts(report) == [PASSED, PASSED, PASSED, FAULTS, PASSED]
    assert report.destination is not None
    assert report.destination.authority == STOCKTON


@on_sqlite
def test_an_authority_that_is_not_on_the_service_is_named_beside_the_fault(house: House) -> None:
    report = tried(house, a_message().to_authority("E06000001").because("two-homes"))
    assert codes(report) == [Code.AUTHORITY_NOT_SERVED]
    assert report.destination is not None
    assert report.destination.authority == "E06000001"


@on_sqlite
def test_a_layer_that_cannot_be_reached_is_said_not_to_be_judged_and_why(house: House) -> None:
    no_message = a_message().having(lambda data: data["entry"][FOCUS]["resource"].pop("identifier")).bytes()
    for passed, body in enumerate((b"{", b'{"resourceType": "Patient"}', no_message)):
        report = tried(house, body)
        assert verdicts(report) == [PASSED] * passed + [FAULTS] + [NOT_JUDGED] * (4 - passed)
        assert all(bool(layer.because) is (layer.verdict is NOT_JUDGED) for layer in report.layers)
        routing = validation_outcome(report)["issue"][4]["details"]["text"]
        assert routing == f"Routing: not judged, because what does not pass {list(Layer)[passed]} cannot be read any further"


@on_sqlite
def test_a_withdrawal_is_judged_for_its_sender_and_no_further(house: House) -> None:
    report = tried(house, a_message().reason("delete"))
    assert verdicts(report) == [PASSED, PASSED, PASSED, NOT_JUDGED, NOT_JUDGED]
    assert report.issues == ()
    assert report.event == "delete"
    assert codes(tried(house, a_message().from_sender("RYY").reason("delete"))) == [Code.SENDER_MISMATCH]


@on_sqlite
def test_identity_in_a_coded_place_is_found_as_it_would_be_at_the_door(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def hit(*_: object) -> None:
        raise tripwire.TripwireHit("sender", tripwire.Kind.OWN_IDENTIFIER)

    # No message is known that gets so far: the tripwire is there for the day on which one does.
    monkeypatch.setattr(split, "search", hit)
    report = tried(house, a_message())
    assert codes(report, Layer.MESSAGE) == [Code.QUARANTINED]


# What could be better


def other_sender(house: House) -> Report:
    onboard.register_trust(house.gateway, ods="AXX", name="A charity", organisation_type=OrganisationType.OTHER, actor="test")
    client = replace(house.trust, code="AXX", organisation_type="other")
    body = a_message().from_sender("AXX").agreed().having(lambda data: data["entry"][SENDER]["resource"].update(name="A charity"))
    return dry_run(house.gateway, PrivateBytes(body.bytes()), client)


def coded(concept: str) -> Message:
    return a_message().needs(concept, system="http://snomed.info/sct")


ADVISED: dict[Advice, Callable[[House], Report]] = {
    Advice.CONTACT_SENSITIVELY: lambda house: tried(house, a_message().view("objects")),
    Advice.VOLUNTARY_ORGANISATION_NOT_RECORDED: lambda house: tried(house, a_message()),
    Advice.ADDRESS_RESTRICTED: lambda house: tried(house, a_message().restricted()),
    Advice.NHS_NUMBER_ABSENT: lambda house: tried(house, a_message().without("nhs-number")),
    Advice.CAME_OF_AGE_SINCE: lambda house: tried(
        house,
        a_message()
        .for_child(born="2021-08-30")
        .opinion_on("2026-08-20")
        .informed_on("2026-08-21")
        .offered_on("2026-08-21")
        .sent_at("2026-08-25T10:00:00+01:00"),
    ),
    Advice.VOLUNTARY_NOTIFICATION: other_sender,
    Advice.NEED_WITHOUT_TYPE: lambda house: tried(house, coded("195967001")),
    Advice.NEED_PROVISIONAL: lambda house: tried(house, coded("267095009")),
    Advice.MULTI_SENSORY_SUGGESTED: lambda house: tried(house, a_message().needs("HI", "VI")),
}


@on_sqlite
def test_each_advice_is_given_without_refusing(house: House) -> None:
    for told in Advice:
        report = ADVISED[told](house)
        assert report.issues == (), told
        assert told in {remark.advice for remark in report.remarks}
        issues = validation_outcome(report)["issue"]
        found = [issue for issue in issues if issue["details"].get("coding", [{}])[0].get("code") == told.value]
        assert [issue["severity"] for issue in found] == [WORDS[told].severity.value]
        assert all(issue["expression"] for issue in found)


# Nothing is kept, nothing is told


def test_nothing_is_kept_of_good_and_bad(house: House) -> None:
    def counts() -> dict[str, int]:
        return {table.name: house.count(table) for tables in (metadata, shred_metadata) for table in tables.sorted_tables}

    before = counts()
    assert audit_tables.pending.name in before
    for message in (a_message(), a_message().without("parent-informed"), a_message().reason("delete"), b"{"):
        tried(house, message)
    assert counts() == before


def test_a_child_who_is_known_gets_the_same_answer_as_one_who_is_not(house: House) -> None:
    """Also one who is known from the same trust, under the same identifiers, and by an update of what was never sent."""
    known, unknown = a_message(40), a_message(41)
    house.accept(known)
    again = [validation_outcome(tried(house, body)) for body in (known, a_message(40), known.followed_by("update"), unknown)]
    for each in again:
        event = next(part for part in each["extension"][0]["extension"] if part["url"] == "event")
        event["valueCode"] = "any"
    assert all(each == again[0] for each in again)


def test_a_dry_run_of_what_is_then_sent_does_not_stand_in_its_way(house: House) -> None:
    message = a_message()
    assert tried(house, message).issues == ()
    assert house.accept(message).authority == STOCKTON
    assert tried(house, message).issues == ()
