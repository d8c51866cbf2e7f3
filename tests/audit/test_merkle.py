# SPDX-License-Identifier: MIT
"""The tree: reference roots, and proofs over all sizes with every tampering refused."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    Node,
    ProofInvalid,
    consistency_proof,
    consistency_ranges,
    inclusion_proof,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    root_from_leaves,
    subtrees,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 70
# The leaves and roots with which Certificate Transparency implementations test themselves.
REFERENCE_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Tree:
    """A tree with all complete subtrees kept."""

    def __init__(self, size: int) -> None:
        self.leaves = [leaf_hash(b"entry %d" % i) for i in range(size)]
        self.nodes = {(0, position): leaf for position, leaf in enumerate(self.leaves)}
        self.roots = [EMPTY_ROOT]
        frontier, completed = Frontier(), list[Node]()
        for leaf in self.leaves:
            frontier.append(leaf, completed)
            self.roots.append(frontier.root())
        self.nodes |= {(level, position): digest for level, position, digest in completed}

    def read(self, level: int, position: int) -> bytes:
        return self.nodes[level, position]


TREE = Tree(LARGEST)


def recursive_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(recursive_root(leaves[:half]), recursive_root(leaves[half:]))


def test_the_reference_leaves_lead_to_the_reference_roots() -> None:
    hashes = [leaf_hash(bytes.fromhex(text)) for text in REFERENCE_LEAVES]
    assert [root_from_leaves(hashes[: n + 1]).hex() for n in range(8)] == REFERENCE_ROOTS


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_from_leaves([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_every_root_is_that_of_the_recursive_definition() -> None:
    assert TREE.roots == [recursive_root(TREE.leaves[:size]) for size in range(LARGEST + 1)]


def test_a_frontier_taken_up_at_any_size_grows_to_the_same_root() -> None:
    for size in range(LARGEST):
        frontier = Frontier(size, [TREE.read(level, position) for level, position in subtrees(0, size)])
        for leaf in TREE.leaves[size:]:
            frontier.append(leaf)
        assert frontier.root() == TREE.roots[LARGEST]


def test_a_frontier_refuses_peaks_that_do_not_fit_its_size() -> None:
    with pytest.raises(ValueError, match="one peak"):
        Frontier(3, [EMPTY_ROOT])


def test_every_leaf_is_proved_in_every_tree_and_nowhere_else() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = inclusion_proof(index, size, TREE.read)
            verify_inclusion(leaf=TREE.leaves[index], index=index, size=size, proof=proof, root=TREE.roots[size])
            for other in {0, index - 1, index + 1, size - 1, size} - {index}:
                with pytest.raises(ProofInvalid):
                    verify_inclusion(leaf=TREE.leaves[index], index=other, size=size, proof=proof, root=TREE.roots[size])


def test_every_tree_is_proved_to_continue_every_smaller_one() -> None:
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, TREE.read)
            verify_consistency(old=old, new=new, old_root=TREE.roots[old], new_root=TREE.roots[new], proof=proof)
            if old < new:
                with pytest.raises(ProofInvalid):
                    verify_consistency(old=old, new=new, old_root=TREE.roots[old - 1], new_root=TREE.roots[new], proof=proof)


@st.composite
def tampered(draw: st.DrawFn, proof: list[bytes]) -> list[bytes]:
    """A proof with one thing wrong: a bit, a missing, an added or a repeated hash, or another order."""
    kinds = ["add"] + (["flip", "drop", "repeat"] if proof else [])
    kind, changed = draw(st.sampled_from(kinds)), list(proof)
    at = draw(st.integers(0, max(0, len(proof) - 1)))
    if kind == "add":
        changed.insert(draw(st.integers(0, len(proof))), draw(st.binary(min_size=32, max_size=32)))
    elif kind == "drop":
        del changed[at]
    elif kind == "repeat":
        changed.insert(at, changed[at])
    else:
        bit = draw(st.integers(0, 255))
        changed[at] = (int.from_bytes(changed[at]) ^ (1 << bit)).to_bytes(32)
    return changed


@given(st.data())
def test_a_tampered_inclusion_proof_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    proof = data.draw(tampered(inclusion_proof(index, size, TREE.read)))
    with pytest.raises(ProofInvalid):
        verify_inclusion(leaf=TREE.leaves[index], index=index, size=size, proof=proof, root=TREE.roots[size])


@given(st.data())
def test_a_tampered_consistency_proof_is_refused(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, LARGEST))
    old = data.draw(st.integers(1, new))
    proof = data.draw(tampered(consistency_proof(old, new, TREE.read)))
    with pytest.raises(ProofInvalid):
        verify_consistency(old=old, new=new, old_root=TREE.roots[old], new_root=TREE.roots[new], proof=proof)


@given(
    st.integers(-2, 80),
    st.integers(-2, 80),
    st.lists(st.binary(min_size=32, max_size=32), max_size=9),
    st.binary(min_size=32, max_size=32),
)
def test_an_invented_proof_is_refused_and_never_an_accident(first: int, second: int, proof: list[bytes], root: bytes) -> None:
    with pytest.raises(ProofInvalid):
        verify_inclusion(leaf=EMPTY_ROOT, index=first, size=second, proof=proof, root=root)
    with pytest.raises(ProofInvalid):
        verify_consistency(old=first, new=second, old_root=EMPTY_ROOT, new_root=root, proof=proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 4), (4, 4)])
def test_no_proof_is_made_of_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="own leaves"):
        inclusion_ranges(index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 4), (5, 4), (-1, 4)])
def test_no_proof_is_made_between_trees_that_cannot_be_compared(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="consistency holds"):
        consistency_ranges(old, new)


def test_a_proof_in_a_tree_of_a_billion_leaves_reads_few_nodes() -> None:
    size = 1_000_000_007
    reads = [address for span in inclusion_ranges(123_456_789, size) for address in subtrees(*span)]
    reads_between = [address for span in consistency_ranges(123_456_789, size) for address in subtrees(*span)]
    assert len(reads) <= 60
    assert len(reads_between) <= 60


def test_appending_is_fast_enough_for_any_day() -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(50_000)]
    frontier, completed = Frontier(), list[Node]()
    start = time.process_time()
    for leaf in leaves:
        frontier.append(leaf, completed)
    # A tenth of what is measured on a quiet machine: the bound is there to catch a change of order, not a busy neighbour.
    assert len(leaves) / (time.process_time() - start) > 40_000
