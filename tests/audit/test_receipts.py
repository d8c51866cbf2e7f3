# SPDX-License-Identifier: MIT
"""Receipts and promises: the good ones hold, every other one is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import inclusion_proof, leaf_hash
from audit.note import Checkpoint, Signer, sign_note
from audit.receipts import Receipt, ReceiptRefused, Standing, judge_promise, make_promise, parse_receipt, verify_promise, verify_receipt
from tests.audit.builders import ORIGIN, OTHER_SIGNER, SIGNER
from tests.audit.test_merkle import LARGEST, TREE

GATEWAY = Signer.from_seed("gateway.example", b"g" * 32)
ACCEPTED = datetime(2026, 9, 1, 9, 0, 0, 999_999, tzinfo=UTC)
LEAF = leaf_hash(b"the entry")


def receipt(index: int = 5, size: int = 11, *, signer: Signer = SIGNER, origin: str = ORIGIN, extra: bytes | None = None) -> str:
    note = sign_note(Checkpoint(origin, size, TREE.roots[size]).to_text(), signer)
    return Receipt(index, tuple(inclusion_proof(index, size, TREE.read)), note, extra).to_text()


GOOD = receipt()


def test_a_good_receipt_proves_the_place_of_the_leaf() -> None:
    verdict = verify_receipt(GOOD, TREE.leaves[5], SIGNER.verifier)
    assert (verdict.index, verdict.checkpoint.size) == (5, 11)
    assert verdict.sentence() == f"The entry has index 5 among the 11 entries of the log {ORIGIN}."


def test_every_leaf_of_every_small_tree_has_its_receipt() -> None:
    for size in range(1, 20):
        for index in range(size):
            assert verify_receipt(receipt(index, size), TREE.leaves[index], SIGNER.verifier).index == index


def test_a_receipt_is_read_as_it_was_written() -> None:
    for extra in (None, b"", b"the notification's reference"):
        text = receipt(extra=extra)
        assert parse_receipt(text).extra == extra
        assert parse_receipt(text).to_text() == text


def test_either_key_of_a_rotation_will_do() -> None:
    verify_receipt(GOOD, TREE.leaves[5], OTHER_SIGNER.verifier, SIGNER.verifier)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (receipt(signer=OTHER_SIGNER), "no known key"),
        (receipt(origin="other.example"), "another log"),
        (GOOD.replace("index 5", "index 6"), "another root"),
        (GOOD.replace("index 5", "index 11"), "outside the tree"),
        (GOOD.replace("index 5", "index 05"), "plain decimal"),
        (GOOD.replace("index 5", "index -5"), "plain decimal"),
        (GOOD.replace("index 5", "extra !\nindex 5"), "Base64"),
        (GOOD.replace("index 5\n", ""), "names no index"),
        (GOOD.replace("proof@v1", "proof@v2"), "not of the form"),
        (GOOD.replace("\n11\n", "\n12\n"), "not valid"),
        (GOOD.split("\n\n", maxsplit=1)[0], "cut off"),
        ("", "cut off"),
    ],
)
def test_a_receipt_that_proves_something_else_is_refused(text: str, why: str) -> None:
    with pytest.raises(ReceiptRefused, match=why):
        verify_receipt(text, TREE.leaves[5], SIGNER.verifier)


def test_a_receipt_for_an_altered_leaf_is_refused() -> None:
    with pytest.raises(ReceiptRefused, match="another root"):
        verify_receipt(GOOD, leaf_hash(b"entry 5 altered"), SIGNER.verifier)


def test_a_proof_of_too_many_or_too_short_hashes_is_refused() -> None:
    for proof in ((bytes(32),) * 64, (bytes(31),)):
        with pytest.raises(ReceiptRefused, match="hashes of 32 bytes"):
            parse_receipt(Receipt(0, proof, "x").to_text())


def test_a_receipt_under_an_older_checkpoint_cannot_show_a_newer_leaf() -> None:
    older = parse_receipt(receipt(5, 11)).checkpoint
    newer = parse_receipt(receipt(12, 20))
    with pytest.raises(ReceiptRefused, match="outside the tree"):
        verify_receipt(Receipt(12, newer.proof, older).to_text(), TREE.leaves[12], SIGNER.verifier)


@given(st.integers(0, len(GOOD) - 1))
def test_a_receipt_cut_anywhere_is_refused(at: int) -> None:
    with pytest.raises(ReceiptRefused):
        verify_receipt(GOOD[:at], TREE.leaves[5], SIGNER.verifier)


@given(st.integers(0, len(GOOD) - 1), st.characters(exclude_categories=["Cs"]))
def test_a_receipt_with_any_character_changed_is_refused(at: int, character: str) -> None:
    changed = GOOD[:at] + character + GOOD[at + 1 :]
    if changed != GOOD:
        with pytest.raises(ReceiptRefused):
            verify_receipt(changed, TREE.leaves[5], SIGNER.verifier)


@given(st.text() | st.text().map(lambda text: "c2sp.org/tlog-proof@v1\n" + text) | st.text("index extra01=\n").map(GOOD.__add__))
def test_any_text_is_a_receipt_or_refused(text: str) -> None:
    with suppress(ReceiptRefused):
        assert parse_receipt(text).to_text() == text


@given(st.integers(0, LARGEST - 1), st.integers(0, LARGEST - 1))
def test_a_receipt_is_good_for_its_own_leaf_alone(index: int, other: int) -> None:
    if index != other:
        with pytest.raises(ReceiptRefused):
            verify_receipt(receipt(index, LARGEST), TREE.leaves[other], SIGNER.verifier)


def promise(**changed: object) -> str:
    return make_promise(GATEWAY, **{"origin": ORIGIN, "leaf_hash": LEAF, "accepted_at": ACCEPTED, **changed})  # type: ignore[arg-type]


def test_a_promise_names_log_leaf_instant_and_term() -> None:
    kept = verify_promise(promise(), LEAF, GATEWAY.verifier)
    assert (kept.origin, kept.leaf_hash, kept.accepted_at, kept.seconds) == (ORIGIN, LEAF, ACCEPTED.replace(microsecond=0), 60)
    assert kept.due_at == datetime(2026, 9, 1, 9, 1, tzinfo=UTC)
    assert promise().split("\n")[0] == f"{ORIGIN}/promise"


def test_a_promise_is_given_in_utc() -> None:
    assert promise(accepted_at=ACCEPTED.astimezone(timezone(timedelta(hours=1)))) == promise()


def test_a_promise_about_another_leaf_is_refused() -> None:
    with pytest.raises(ReceiptRefused, match="another entry"):
        verify_promise(promise(), leaf_hash(b"another"), GATEWAY.verifier)


def test_a_promise_of_another_key_or_altered_is_refused() -> None:
    for text in (promise().replace("\n60\n", "\n61\n"), promise().replace("T09:00", "T08:00"), promise()[:-3]):
        with pytest.raises(ReceiptRefused):
            verify_promise(text, LEAF, GATEWAY.verifier)
    with pytest.raises(ReceiptRefused, match="no known key"):
        verify_promise(promise(), LEAF, SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "a\n",
        f"{ORIGIN}\nAAAA\n2026-09-01T09:00:00Z\n60\n",
        f"{ORIGIN}/promise\nAAAA\n2026-09-01T09:00:00Z\n60\nmore\n",
        f"{ORIGIN}/promise\nAAAA\nyesterday\n60\n",
        f"{ORIGIN}/promise\nAAAA\n9999-12-31T23:59:59Z\n60\n",
        f"{ORIGIN}/promise\nAAAA\n2026-09-01T09:00:00Z\n999999999999999999\n",
        f"{ORIGIN}/promise\n!\n2026-09-01T09:00:00Z\n60\n",
    ],
)
def test_a_signed_note_that_is_no_promise_is_refused(text: str) -> None:
    with pytest.raises(ReceiptRefused):
        verify_promise(sign_note(text, GATEWAY), LEAF, GATEWAY.verifier)


def test_a_promise_is_made_about_a_hash_and_an_instant_alone() -> None:
    for wrong in ({"leaf_hash": b"short"}, {"accepted_at": ACCEPTED.replace(tzinfo=None)}):
        with pytest.raises(ValueError, match="32 bytes"):
            promise(**wrong)


def test_a_checkpoint_cannot_pass_for_a_promise_nor_a_promise_for_a_checkpoint() -> None:
    note = parse_receipt(GOOD).checkpoint
    with pytest.raises(ReceiptRefused, match="not a promise"):
        verify_promise(note, LEAF, SIGNER.verifier)
    forged = make_promise(SIGNER, origin=ORIGIN, leaf_hash=LEAF, accepted_at=ACCEPTED)
    with pytest.raises(ReceiptRefused):
        verify_receipt(Receipt(0, (), forged).to_text(), LEAF, SIGNER.verifier)


@pytest.mark.parametrize(
    ("in_log", "seconds", "standing"),
    [
        (True, 10, Standing.KEPT),
        (True, 100, Standing.KEPT),
        (None, 60, Standing.OPEN),
        (False, 60, Standing.OPEN),
        (None, 61, Standing.OVERDUE),
        (False, 61, Standing.BROKEN),
    ],
)
def test_a_promise_is_kept_open_overdue_or_broken(in_log: bool | None, seconds: int, standing: Standing) -> None:
    given_promise = verify_promise(promise(), LEAF, GATEWAY.verifier)
    assert judge_promise(given_promise, in_log=in_log, at=given_promise.accepted_at + timedelta(seconds=seconds)) is standing
