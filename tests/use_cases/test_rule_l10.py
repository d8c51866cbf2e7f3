# SPDX-License-Identifier: MIT
"""Rule L10: each body has its own duty, so a child who was notified already is notified again, and nothing is dropped."""

from __future__ import annotations

from notify_gateway.store.tables import deliveries, messages, notifications, thread_keys
from tests.support.messages import a_message
from tests.use_cases.conftest import House


def test_l10_a_second_notification_about_a_child_is_accepted_joined_to_the_first_and_delivered_too(house: House) -> None:
    first = house.accept(a_message(77))
    keys = house.count(thread_keys)
    second = house.accept(a_message(77))
    assert first.notification_id != second.notification_id
    assert [house.count(table) for table in (notifications, messages, deliveries)] == [2, 2, 2]
    assert house.count(thread_keys) == keys
