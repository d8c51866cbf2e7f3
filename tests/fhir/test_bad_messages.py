# SPDX-License-Identifier: MIT
"""Every bad message of the table is refused for the right reason, at the right place, in time, and without a word of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import date

import pytest

from mappings.authorities import Directory
from mappings.postcodes import PostcodeTable
from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.model import LegalBasis, Routing, Submission, Withdrawal
from notify_gateway.domain.routing import route
from notify_gateway.domain.section23 import judge
from notify_gateway.fhir.lifting import take_in
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.outcome import operation_outcome
from notify_gateway.fhir.parsing import MAX_BYTES
from notify_gateway.fhir.structure import check_structure
from notify_gateway.use_cases.needs import needs_of
from tests.fhir.bad_messages import CASES, SECRET, Case, build
from tests.support.messages import a_message

TODAY = date(2026, 9, 1)
MAX_BODY = 5 * 1024 * 1024

Accept = Callable[[bytes], Routing | Withdrawal]


@pytest.fixture(scope="session")
def accept(postcodes: PostcodeTable) -> Accept:
    """The whole way of a message, up to where it would be sealed."""
    directory = Directory.load()

    def run(body: bytes) -> Routing | Withdrawal:
        taken = take_in(body, max_bytes=MAX_BODY, max_message=MAX_BYTES)
        check_structure(taken.document)
        message = read_message(taken.document, taken.lifted)
        if not isinstance(message, Submission):
            return message
        judge(message, sender_basis=LegalBasis.SECTION_23, received_on=TODAY)
        needs_of(message.opinions)
        postcode = message.child.postcode
        area = postcodes.lookup(postcode.reveal()) if postcode else None
        return route(message, area, directory, TODAY, edition=postcodes.edition)

    return run


def test_the_table_has_more_than_300_cases_with_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 300


def test_the_table_raises_every_code_that_a_message_alone_can_raise() -> None:
    elsewhere = {Code.STRUCTURE, Code.TOO_MANY_ISSUES, Code.AGREEMENT_REQUIRED, Code.LIVES_IN_CROWN_DEPENDENCY}
    families = {code for code in Code if code[3] in "2345"}
    assert families - {case.code for case in CASES} <= elsewhere


def test_the_good_message_is_accepted(accept: Accept) -> None:
    assert accept(a_message().bytes()) == Routing("E06000004", "postcode", "demonstration_postcodes")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_message_is_refused(case: Case, accept: Accept) -> None:
    body = build(case)
    started = time.process_time()
    with pytest.raises(Refused) as refusal:
        accept(body)
    spent = time.process_time() - started

    issues = refusal.value.issues
    found = {(issue.code, issue.expression) for issue in issues}
    if case.expression is None:
        assert case.code in {code for code, _ in found}
    else:
        assert (case.code, case.expression) in found
    assert entry(issues[0].code).status == entry(case.code).status
    assert spent < 1
    told = json.dumps(operation_outcome(issues), ensure_ascii=False) + str(refusal.value) + repr(refusal.value.issues)
    assert SECRET not in told
    assert refusal.value.__cause__ is None
    for leaf in _identity_in(body):
        assert leaf not in told


def _identity_in(body: bytes) -> set[str]:
    """The names, numbers, dates, addresses and words that stand in a body, however broken it is."""
    text = body.decode("utf-8", "ignore")
    keys = ("family", "birthDate", "postalCode", "contentString")
    found = {match for key in keys for match in re.findall(rf'"{key}":"([^"\\]{{4,}})"', text)}
    return found | set(re.findall(r'"line":\["([^"]+)"', text)) | set(re.findall(r'"value":"(9\d{9}|0\d{10})"', text))
