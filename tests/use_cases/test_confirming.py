# SPDX-License-Identifier: MIT
"""Receipts that come back by the channel: recorded once, for the right bytes of the right authority."""

from __future__ import annotations

import hashlib
from uuid import uuid4

from notify_gateway.domain.delivery import AttemptOutcome
from notify_gateway.store import tables
from notify_gateway.use_cases.confirm import Receipt, confirm_receipt
from tests.support.messages import a_message
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON, House
from tests.use_cases.test_delivering import begin, due, finish, row


def test_a_receipt_is_recorded_once_and_only_for_what_was_sent_to_that_authority(house: House) -> None:
    house.accept(a_message())
    (sent,) = begin(house, due(house))
    digest = hashlib.sha256(sent.document).digest()

    def confirm(authority: str = STOCKTON, delivery=sent.delivery_id, digest: bytes = digest) -> Receipt:
        return confirm_receipt(house.gateway, authority=authority, delivery_id=delivery, digest=digest)

    assert confirm() is Receipt.EARLY
    finish(house, sent, AttemptOutcome.OFFERED)
    assert confirm(digest=bytes(32)) is Receipt.DIFFERS
    assert confirm(digest=b"short") is Receipt.DIFFERS
    assert confirm(authority=MIDDLESBROUGH) is Receipt.UNKNOWN
    assert confirm(delivery=uuid4()) is Receipt.UNKNOWN
    assert row(house).state == "offered"
    before = house.count(tables.audit_tables.pending)
    assert [confirm(), confirm()] == [Receipt.HELD, Receipt.HELD]
    assert house.count(tables.audit_tables.pending) == before + 1
    assert (row(house).state, row(house).document_digest) == ("received", digest)


def test_a_receipt_for_what_was_overtaken_changes_nothing(house: House) -> None:
    message = a_message()
    house.accept(message)
    (sent,) = begin(house, due(house))
    finish(house, sent, AttemptOutcome.OFFERED)
    house.accept(message.followed_by("update"))
    digest = hashlib.sha256(sent.document).digest()
    before = house.count(tables.audit_tables.pending)
    got = confirm_receipt(house.gateway, authority=STOCKTON, delivery_id=sent.delivery_id, digest=digest)
    assert got is Receipt.OVERTAKEN
    assert house.count(tables.audit_tables.pending) == before
