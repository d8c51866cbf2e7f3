# SPDX-License-Identifier: MIT
"""Opening a delivery on the authority's machine: all parts belong together, or nothing comes out."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import Card
from notify_gateway.privacy.cards import card_plaintext, read_card
from notify_gateway.privacy.encoding import canonical_json, sha256_hex, to_base64
from notify_gateway.privacy.keys import RecipientPurpose, Suite
from notify_gateway.privacy.opening import CannotOpen, Why, open_delivery
from tests.privacy.builders import (
    CARD,
    DELIVERY,
    MIDDLESBROUGH,
    NOTIFICATION,
    ORIGINAL,
    REFERENCE,
    STOCKTON,
    a_delivery,
    a_gateway_key,
    a_recipient,
    a_view,
    sealed,
)

GATEWAY = a_gateway_key()
WORKING = a_recipient()
RECOVERY = a_recipient(purpose=RecipientPurpose.RECOVERY, suite=Suite.MLKEM768_X25519)
DOCUMENT = a_delivery(GATEWAY, WORKING.public(), RECOVERY.public())


def why(document: Any) -> Why:
    with pytest.raises(CannotOpen) as caught:
        open_delivery(document, WORKING, GATEWAY.public())
    return caught.value.why


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    return document


@pytest.mark.parametrize("key", [WORKING, RECOVERY], ids=["working", "recovery"])
def test_either_key_opens_the_card_and_the_original(key: Any) -> None:
    opened = open_delivery(DOCUMENT, key, GATEWAY.public())
    assert opened.card == Card(CARD)
    assert opened.original == ORIGINAL
    assert (opened.delivery_id, opened.notification_id, opened.reference) == (DELIVERY, NOTIFICATION, REFERENCE)
    assert (opened.authority, opened.event, opened.view) == (STOCKTON, "new", json.loads(a_view().content))


def test_the_card_opens_without_the_original() -> None:
    document = changed(lambda it: it["envelopes"].pop("original"))
    assert open_delivery(document, WORKING, GATEWAY.public()).original is None


def test_what_is_opened_does_not_print() -> None:
    shown = repr(open_delivery(DOCUMENT, WORKING, GATEWAY.public()))
    assert "Zephyrine" not in shown
    assert "Card withheld" in shown


def swap_envelopes(it: dict[str, Any]) -> None:
    it["envelopes"]["card"], it["envelopes"]["original"] = it["envelopes"]["original"], it["envelopes"]["card"]


OTHER_VIEW = a_view(reference=REFERENCE, sender_ods="RYY")


def exchange_view(it: dict[str, Any]) -> None:
    it["view"], it["view_digest"] = dict(OTHER_VIEW.fields), OTHER_VIEW.digest.hex()


def exchange_original(it: dict[str, Any]) -> None:
    envelope, inner = sealed(b"{}", WORKING.public(), kind="original", view_digest=a_view().digest, signer=GATEWAY)
    it["envelopes"]["original"] = {
        "header": to_base64(envelope.header),
        "signature": to_base64(envelope.signature),
        "sealed": to_base64(inner),
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda it: it.update(gateway_key="gateway-other"), Why.UNKNOWN_GATEWAY_KEY),
        (lambda it: it["view"].update(parent_view="objects"), Why.CHANGED_VIEW),
        (lambda it: it.update(view_digest="0" * 64), Why.CHANGED_VIEW),
        (exchange_view, Why.CHANGED_VIEW),
        (lambda it: it.update(reference="SEN-00000000-0"), Why.NOT_THIS_DELIVERY),
        (lambda it: it.update(authority=MIDDLESBROUGH), Why.NOT_THIS_DELIVERY),
        (lambda it: it.update(notification_id=str(DELIVERY)), Why.NOT_THIS_DELIVERY),
        (swap_envelopes, Why.NOT_THIS_DELIVERY),
        (lambda it: it["envelopes"]["card"].update(signature=to_base64(bytes(64))), Why.BAD_SIGNATURE),
        (lambda it: it["envelopes"]["card"].update(header=to_base64(b"{}")), Why.BAD_SIGNATURE),
        (lambda it: it["envelopes"]["card"].update(sealed=it["envelopes"]["original"]["sealed"]), Why.CHANGED_CONTENT),
        (exchange_original, Why.CHANGED_ORIGINAL),
        (lambda it: it["envelopes"].pop("card"), Why.NOT_A_DELIVERY),
        (lambda it: it["envelopes"]["card"].update(sealed="not base64"), Why.NOT_A_DELIVERY),
        (lambda it: it.update(version=2), Why.NOT_A_DELIVERY),
        (lambda it: it.update(format="other"), Why.NOT_A_DELIVERY),
        (lambda it: it.update(delivery_id="x"), Why.NOT_A_DELIVERY),
        (lambda it: it["view"].update(half=0.5), Why.NOT_A_DELIVERY),
    ],
)
def test_no_part_can_be_changed_or_exchanged(change: Callable[[dict[str, Any]], object], reason: Why) -> None:
    assert why(changed(change)) is reason


def test_a_delivery_to_another_authority_stays_closed() -> None:
    with pytest.raises(CannotOpen, match="not-for-this-key"):
        open_delivery(DOCUMENT, a_recipient(authority=MIDDLESBROUGH), GATEWAY.public())


@pytest.mark.parametrize("name", sorted(DOCUMENT))
@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], True])
def test_any_other_value_in_any_field_is_refused_as_ours(name: str, value: Any) -> None:
    if value != DOCUMENT[name]:
        assert isinstance(why({**DOCUMENT, name: value}), Why)


@given(st.dictionaries(st.sampled_from(sorted(DOCUMENT)), st.text() | st.integers() | st.none()))
def test_any_mapping_is_refused_as_ours(document: dict[str, Any]) -> None:
    assert why(document) is Why.NOT_A_DELIVERY


@pytest.mark.parametrize("document", [None, [], "x", 1])
def test_what_is_no_mapping_is_refused_as_ours(document: Any) -> None:
    assert why(document) is Why.NOT_A_DELIVERY


def test_a_card_carries_the_digest_of_the_message_as_received() -> None:
    told = read_card(card_plaintext(Card({"child": {}}), PrivateBytes(b"as received")))
    assert told.original_digest == sha256_hex(b"as received")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", canonical_json({"format": "notify-gateway/card", "version": 1, "card": []})])
def test_other_bytes_are_not_a_card(content: bytes) -> None:
    with pytest.raises(ValueError, match="not"):
        read_card(content)
