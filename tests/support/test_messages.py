# SPDX-License-Identifier: MIT
"""The builder: distinct, synthetic, fast."""

from __future__ import annotations

import time

from notify_gateway.domain.identity import NhsNumber
from tests.support.messages import a_message, nhs_number


def test_synthetic_numbers_are_valid_distinct_and_never_issued() -> None:
    numbers = [nhs_number(index) for index in range(5_000)]
    assert len(set(numbers)) == 5_000
    assert all(NhsNumber(number).is_synthetic for number in numbers)


def test_two_messages_share_no_identifier() -> None:
    one, two = a_message(), a_message()
    assert one.message_id != two.message_id
    assert one.business_identifier != two.business_identifier
    assert one.number != two.number
    assert not {entry["fullUrl"] for entry in one.data["entry"]} & {entry["fullUrl"] for entry in two.data["entry"]}


def test_a_later_message_keeps_identifier_and_child_and_takes_new_ids() -> None:
    first = a_message()
    later = first.followed_by("update")
    assert later.business_identifier == first.business_identifier
    assert later.number == first.number
    assert later.message_id != first.message_id
    assert later.resource(0)["meta"]["lastUpdated"] > first.resource(0)["meta"]["lastUpdated"]


def test_hundreds_are_built_in_a_second() -> None:
    started = time.process_time()
    for _ in range(200):
        a_message().bytes()
    assert time.process_time() - started < 1
