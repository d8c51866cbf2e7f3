# SPDX-License-Identifier: MIT
"""What goes with a notification: where its checks run, what a withdrawal and a correction make of it, what is kept of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Duplicate, Refused
from notify_gateway.fhir.structure import check_structure
from notify_gateway.store.tables import notifications
from notify_gateway.use_cases.accept import SMALL_BODY, accept
from notify_gateway.use_cases.prepare import prepare
from tests.fhir.spoiling import VIEWS, put
from tests.support.messages import PDF, PNG, Message, a_message
from tests.use_cases.conftest import House

LARGE = PDF + b"0" * 400_000


def wordy(message: Message) -> Message:
    return message.having(put(f"{VIEWS}.payload[0].contentString", "words " * (SMALL_BODY // 6)))


@pytest.mark.parametrize(
    ("message", "aside", "elsewhere"),
    [
        (a_message(), False, False),
        (a_message().attached(PDF), False, False),
        (a_message().attached(LARGE), True, False),
        (wordy(a_message()), True, True),
        (wordy(a_message()).attached(LARGE), True, True),
    ],
    ids=["small", "a small letter", "a large letter", "many words", "both"],
)
def test_what_is_large_is_read_aside_and_what_remains_large_is_checked_elsewhere(
    house: House, monkeypatch: pytest.MonkeyPatch, message: Message, aside: bool, elsewhere: bool
) -> None:
    threads: list[threading.Thread] = []
    checked: list[dict[str, Any]] = []

    def watched(*args: Any, **kwargs: Any) -> Any:
        threads.append(threading.current_thread())
        return prepare(*args, **kwargs)

    def check(document: dict[str, Any]) -> None:
        checked.append(document)
        check_structure(document)

    monkeypatch.setattr("notify_gateway.use_cases.accept.prepare", watched)
    asyncio.run(accept(house.gateway, house.committer, house.received(message), check_large=check))
    assert (threads[0] is not threading.main_thread()) == aside
    assert len(checked) == int(elsewhere)
    assert not [document for document in checked if "MDAwMDAw" in str(document)]


def test_a_message_with_attachments_is_known_again_by_all_of_its_bytes(house: House) -> None:
    message = a_message().attached(LARGE)
    first = house.accept(message)
    with pytest.raises(Duplicate) as again:
        house.accept(message)
    assert again.value.notification_id == first.notification_id


def test_a_refused_attachment_may_be_corrected_and_sent_again_under_the_same_ids(house: House) -> None:
    message = a_message().attached(PNG, "application/pdf")
    received = house.received(message)
    with pytest.raises(Refused) as refusal:
        house.accept(message, request_id=received.request_id)
    assert refusal.value.issues[0].code == Code.ATTACHMENT_TYPE_DIFFERS
    assert house.count(notifications) == 0
    message.having(put("entry[12].resource.content[0].attachment.contentType", "image/png"))
    house.accept(message, request_id=received.request_id)
    assert house.count(notifications) == 1


def test_an_update_may_add_and_leave_out_what_went_with_it(house: House) -> None:
    message = a_message().attached(LARGE).involving()
    first = house.accept(message)
    without = message.followed_by("update")
    del without.data["entry"][12:]
    assert house.accept(without).notification_id == first.notification_id


def test_whatever_is_observed_can_be_sealed(house: House) -> None:
    message = a_message().scored("communication", 37.5).scored("gross-motor", 1e-7, month=60)
    for facts in (
        {"valueQuantity": {"value": 1e300}},
        {"valueInteger": -(2**31)},
        {"valueQuantity": {"value": 0.1}},
        {"valueBoolean": False},
    ):
        message.observed({"text": "Seen"}, **facts)
    house.accept(message)
    assert house.count(notifications) == 1


def test_a_withdrawal_is_not_refused_for_what_goes_with_it(house: House) -> None:
    message = a_message()
    first = house.accept(message)
    withdrawal = message.followed_by("delete").attached(b"no PDF at all").involving()
    del withdrawal.data["entry"][-1]
    assert house.accept(withdrawal).notification_id == first.notification_id
