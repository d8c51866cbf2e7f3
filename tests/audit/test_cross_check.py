# SPDX-License-Identifier: MIT
"""Our tree, proofs, notes and receipts against two implementations that owe us nothing: pymerkle, and Go's own sumdb packages.

What is good is accepted by all; what was tampered with is refused by all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from random import Random

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import ProofInvalid, consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion
from audit.note import Checkpoint, NoteRefused, Verifier, open_checkpoint, open_note, sign_note, split_note
from audit.receipts import Receipt, ReceiptRefused, parse_receipt, verify_receipt
from tests.audit.builders import ORIGIN, OTHER_SIGNER, SIGNER
from tests.audit.oracle import BUILD_WITHIN, Oracle, Refused
from tests.audit.test_merkle import REFERENCE_LEAVES, REFERENCE_ROOTS, Tree, tampered
from tests.audit.test_note import EXAMPLE_KEY, EXAMPLE_NOTE

pytestmark = pytest.mark.timeout(BUILD_WITHIN)  # the first test of a clean checkout builds the oracle

LARGEST = 300
ALL_PROOFS = 40
"""Up to this size every proof there is is compared; above, those of some leaves and some earlier sizes."""
LARGEST_LONG, ALL_PROOFS_LONG = 1100, 300
# https://c2sp.org/tlog-checkpoint, whose key the specification does not give.
EXAMPLE_CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
VKEYS = [SIGNER.verifier.vkey]


def entry(index: int) -> bytes:
    return b"entry %d" % index  # as the trees of test_merkle have them


@cache
def ours(largest: int) -> Tree:
    return Tree(largest)


@cache
def theirs(largest: int) -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for index in range(largest):
        tree.append_entry(entry(index))
    return tree


def chosen(size: int, all_up_to: int) -> Iterator[int]:
    """All places of a small tree, and of a larger one its edges, those beside powers of two, and a few at random."""
    if size <= all_up_to:
        yield from range(size)
        return
    near = {power + step for power in (1 << level for level in range(size.bit_length())) for step in (-1, 0, 1)}
    yield from sorted({place for place in {0, size - 1, *near, *Random(size).choices(range(size), k=3)} if place < size})


@pytest.fixture(scope="module")
def go() -> Iterator[Oracle]:
    oracle = Oracle()
    yield oracle
    oracle.close()


EXTENTS = [
    pytest.param(LARGEST, ALL_PROOFS, id="short"),
    pytest.param(LARGEST_LONG, ALL_PROOFS_LONG, id="long", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("largest", "all_up_to"), EXTENTS)
def test_pymerkle_comes_to_the_same_roots_and_the_same_proofs_of_inclusion(largest: int, all_up_to: int) -> None:
    tree, other = ours(largest), theirs(largest)
    for size in range(largest + 1):
        assert other.get_root(size) == tree.roots[size]
    for size in range(1, largest + 1):
        for index in chosen(size, all_up_to):
            proof = other.prove_inclusion(index + 1, size)
            assert proof.path[0] == tree.leaves[index]
            assert proof.path[1:] == inclusion_proof(index, size, tree.read)
            pymerkle.verify_inclusion(tree.leaves[index], tree.roots[size], proof, index=index + 1, size=size)


@pytest.mark.parametrize(("largest", "all_up_to"), EXTENTS)
def test_pymerkle_finds_the_same_trees_consistent(largest: int, all_up_to: int) -> None:
    """Its proofs are cut otherwise than those of the RFC, so each side judges its own proof by the other side's roots."""
    tree, other = ours(largest), theirs(largest)
    for new in range(1, largest + 1):
        for old in (place + 1 for place in chosen(new, all_up_to)):
            proof = other.prove_consistency(old, new)
            pymerkle.verify_consistency(tree.roots[old], tree.roots[new], proof, prior_size=old, later_size=new)
            verify_consistency(
                old=old,
                new=new,
                old_root=other.get_root(old),
                new_root=other.get_root(new),
                proof=consistency_proof(old, new, tree.read),
            )
            if old < new:
                with pytest.raises(pymerkle.InvalidProof):
                    pymerkle.verify_consistency(tree.roots[old - 1], tree.roots[new], proof)


def test_go_builds_the_reference_roots_and_ours(go: Oracle) -> None:
    leaves = [bytes.fromhex(text) for text in REFERENCE_LEAVES]
    for size in range(1, len(leaves) + 1):
        go.require("root", proof=leaves[:size], root=bytes.fromhex(REFERENCE_ROOTS[size - 1]))
    for size in (1, 2, 3, 255, 256, 257, LARGEST):
        go.require("root", proof=[entry(index) for index in range(size)], root=ours(LARGEST).roots[size])


@pytest.mark.parametrize(("largest", "all_up_to"), EXTENTS)
def test_go_accepts_every_proof_of_ours_and_none_of_a_neighbour(go: Oracle, largest: int, all_up_to: int) -> None:
    tree = ours(largest)
    for size in range(1, largest + 1):
        good, wrong = [], []
        for place in chosen(size, all_up_to):
            root, before = tree.roots[size], tree.roots[place + 1]
            holds = {"leaf": entry(place), "index": place, "size": size, "root": root, "proof": inclusion_proof(place, size, tree.read)}
            path = consistency_proof(place + 1, size, tree.read)
            follows = {"old": place + 1, "size": size, "old_root": before, "root": root, "proof": path}
            good += [holds | {"kind": "inclusion"}, follows | {"kind": "consistency"}]
            wrong += [good[-2] | {"leaf": entry(place + 1)}, good[-2] | {"index": place + 1}, good[-2] | {"root": tree.roots[size - 1]}]
            wrong += [good[-1] | {"old_root": tree.roots[place]}, good[-1] | {"root": tree.roots[size - 1]}]
        assert not any(go.judge(good)), size
        assert all(go.judge(wrong)), size


def test_the_examples_of_the_specifications_are_read_alike(go: Oracle) -> None:
    go.require("note", note=EXAMPLE_NOTE, vkeys=[EXAMPLE_KEY])
    open_note(EXAMPLE_NOTE, Verifier.from_vkey(EXAMPLE_KEY))
    text, ((name, key_id, signature),) = split_note(EXAMPLE_CHECKPOINT)
    checkpoint = Checkpoint.from_text(text)
    assert (checkpoint.origin, checkpoint.size, name) == ("example.com/behind-the-sofa", 20852163, "example.com/behind-the-sofa")
    assert (len(key_id), len(signature), f"{checkpoint.to_text()}") == (4, 64, text)
    with pytest.raises(Refused, match="no verifiable signatures"):
        go.require("note", note=EXAMPLE_CHECKPOINT, vkeys=[EXAMPLE_KEY])


def receipt(index: int, size: int, **changed: object) -> str:
    tree = ours(LARGEST)
    note = sign_note(Checkpoint(ORIGIN, size, tree.roots[size]).to_text(), SIGNER)
    parts: dict[str, object] = {"index": index, "proof": tuple(inclusion_proof(index, size, tree.read)), "checkpoint": note}
    return Receipt(**(parts | changed)).to_text()  # type: ignore[arg-type]


def test_go_accepts_our_receipts_and_agrees_about_keys_and_logs(go: Oracle) -> None:
    for index, size in itertools.chain([(0, 1), (0, 2), (1, 2)], ((i, LARGEST) for i in chosen(LARGEST, 0))):
        go.require("receipt", receipt=receipt(index, size), leaf=entry(index), vkeys=VKEYS)
    go.require("receipt", receipt=receipt(7, 9, extra=b"beside"), leaf=entry(7), vkeys=[OTHER_SIGNER.verifier.vkey, *VKEYS])
    for leaf, vkeys in ((entry(8), VKEYS), (entry(7), [OTHER_SIGNER.verifier.vkey]), (entry(7), [EXAMPLE_KEY])):
        with pytest.raises(Refused):
            go.require("receipt", receipt=receipt(7, 9), leaf=leaf, vkeys=vkeys)


def test_go_follows_our_checkpoints_from_one_to_the_next(go: Oracle) -> None:
    tree = ours(LARGEST)
    notes = {size: sign_note(Checkpoint(ORIGIN, size, tree.roots[size]).to_text(), SIGNER) for size in range(1, LARGEST + 1)}
    for new in (1, 2, 64, 65, LARGEST):
        for old in chosen(new, 0):
            if old:
                proof = consistency_proof(old, new, tree.read)
                go.require("checkpoints", note=notes[old], later=notes[new], proof=proof, vkeys=VKEYS)
                if old < new:
                    with pytest.raises(Refused):
                        go.require("checkpoints", note=notes[old - 1 or new], later=notes[new], proof=proof, vkeys=VKEYS)


PLACES = st.integers(1, LARGEST).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))


@given(PLACES, st.data())
def test_all_refuse_a_tampered_proof(go: Oracle, place: tuple[int, int], data: st.DataObject) -> None:
    (index, size), tree = place, ours(LARGEST)
    proof = data.draw(tampered(inclusion_proof(index, size, tree.read)))
    with pytest.raises(ProofInvalid):
        verify_inclusion(leaf=tree.leaves[index], index=index, size=size, proof=proof, root=tree.roots[size])
    with pytest.raises(Refused):
        go.require("inclusion", leaf=entry(index), index=index, size=size, root=tree.roots[size], proof=proof)
    their = theirs(LARGEST).prove_inclusion(index + 1, size)
    their.path = [their.path[0], *proof]
    with pytest.raises(pymerkle.InvalidProof):
        pymerkle.verify_inclusion(tree.leaves[index], tree.roots[size], their, index=index + 1, size=size)

    old, path = index + 1, data.draw(tampered(consistency_proof(index + 1, size, tree.read)))
    with pytest.raises(ProofInvalid):
        verify_consistency(old=old, new=size, old_root=tree.roots[old], new_root=tree.roots[size], proof=path)
    with pytest.raises(Refused):
        go.require("consistency", old=old, size=size, old_root=tree.roots[old], root=tree.roots[size], proof=path)


GOOD = receipt(7, 11)
# Go reads the Base64 of a signature leniently: in the last character of one that is padded, some bits mean nothing to it.
LENIENT = {at for at, character in enumerate(GOOD) if GOOD[at + 1 : at + 2] == "=" and character != "="}


@given(st.integers(0, len(GOOD) - 1), st.characters(exclude_categories=["Cs"]), st.sampled_from(["change", "insert", "cut", "drop"]))
def test_all_refuse_a_tampered_receipt(go: Oracle, at: int, character: str, how: str) -> None:
    begin, end = GOOD[:at], GOOD[at + 1 :]
    changed = {"change": begin + character + end, "insert": begin + character + GOOD[at:], "cut": begin, "drop": begin + end}[how]
    if changed == GOOD or (at in LENIENT and how == "change") or (character in "\r\n" and how == "insert"):
        return
    with pytest.raises(ReceiptRefused):
        verify_receipt(changed, leaf_hash(entry(7)), SIGNER.verifier)
    with pytest.raises(Refused):
        go.require("receipt", receipt=changed, leaf=entry(7), vkeys=VKEYS)


@given(st.sampled_from(["leaf", "index", "size", "root", "origin", "key", "signature", "proof"]), PLACES, st.data())
def test_all_refuse_a_receipt_with_another_value_in_it(go: Oracle, what: str, place: tuple[int, int], data: st.DataObject) -> None:
    (index, size), tree = place, ours(LARGEST)
    other = data.draw(st.integers(0, LARGEST))
    shown = index
    checkpoint, signer = Checkpoint(ORIGIN, size, tree.roots[size]), SIGNER
    proof = inclusion_proof(index, size, tree.read)
    if what == "leaf":
        shown = other if other != index else index + 1
    elif what == "index":
        index = other if other != index else index + 1
    elif what == "size":
        checkpoint = Checkpoint(ORIGIN, index, tree.roots[size])  # too small to hold the entry
    elif what == "root":
        checkpoint = Checkpoint(ORIGIN, size, tree.roots[other if other != size else size - 1])
    elif what == "origin":
        checkpoint = Checkpoint(ORIGIN + "/other", size, tree.roots[size])
    elif what == "key":
        signer = OTHER_SIGNER
    elif what == "proof":
        proof = data.draw(tampered(proof))
    note = sign_note(checkpoint.to_text(), signer)
    if what == "signature":
        note = sign_note(Checkpoint(ORIGIN, size + 1, tree.roots[size]).to_text(), SIGNER).replace(f"\n{size + 1}\n", f"\n{size}\n")
    text = Receipt(index, tuple(proof), note).to_text()
    with pytest.raises(ReceiptRefused):
        verify_receipt(text, leaf_hash(entry(shown)), SIGNER.verifier)
    with pytest.raises(Refused):
        go.require("receipt", receipt=text, leaf=entry(shown), vkeys=VKEYS)


@given(st.text() | st.text(alphabet="log.exm/017=+-\u2014 \n\tAcnJyI").map(lambda text: text + "\n\n" + GOOD.rpartition("\n\n")[2]))
def test_whatever_text_comes_go_accepts_no_note_that_we_refuse(go: Oracle, text: str) -> None:
    try:
        go.require("note", note=text, vkeys=VKEYS)
    except Refused:
        with suppress(NoteRefused):
            pytest.fail(f"we opened what Go refuses: {open_note(text, SIGNER.verifier)}")
        return
    open_note(text, SIGNER.verifier)


def test_a_cosigned_receipt_is_the_same_to_go(go: Oracle) -> None:
    cosigned = parse_receipt(GOOD).checkpoint + OTHER_SIGNER.line("a line of a key that the reader does not know\n")
    open_checkpoint(cosigned, SIGNER.verifier)
    text = GOOD.partition("\n\n")[0] + "\n\n" + cosigned
    verify_receipt(text, leaf_hash(entry(7)), SIGNER.verifier)
    go.require("receipt", receipt=text, leaf=entry(7), vkeys=VKEYS)
