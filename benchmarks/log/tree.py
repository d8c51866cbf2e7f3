# SPDX-License-Identifier: MIT
"""The tree alone, in memory, beside pymerkle in the same run: appending, proving and verifying, both able to prove at any size."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pymerkle

from audit.log import BATCH
from audit.merkle import (
    Frontier,
    Node,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from benchmarks.log.tables import event

Result = TypeVar("Result")
SALT = bytes(16)
SAMPLE = 2000


@dataclass(frozen=True)
class Rates:
    """Operations a second in a tree of ``size`` entries, one thread."""

    size: int
    append: float
    append_in_batches: float
    prove_inclusion: float
    prove_consistency: float
    verify_inclusion: float
    verify_consistency: float


def measure_tree(size: int) -> tuple[Rates, Rates]:
    """Return our rates and pymerkle's, over the same entries and the same proofs."""
    leaves = [event(number).to_leaf(SALT) for number in range(size)]
    chance = random.Random(6962)
    places = [chance.randrange(size - 1) for _ in range(SAMPLE)]
    return _ours(leaves, places), _pymerkle(leaves, places)


class _Kept:
    """All complete subtrees, a list for each level: the least that proves anything at any size."""

    def __init__(self) -> None:
        self.levels: list[list[bytes]] = [[] for _ in range(64)]
        self.frontier = Frontier()

    def append(self, leaf: bytes) -> None:
        completed: list[Node] = []
        digest = leaf_hash(leaf)
        self.levels[0].append(digest)
        self.frontier.append(digest, completed)
        for level, _, node in completed:
            self.levels[level].append(node)

    def extend(self, leaves: list[bytes]) -> None:
        completed: list[Node] = []
        digests = [leaf_hash(leaf) for leaf in leaves]
        self.levels[0] += digests
        self.frontier.extend(digests, completed)
        for level, _, node in completed:
            self.levels[level].append(node)

    def read(self, level: int, position: int) -> bytes:
        return self.levels[level][position]


def _ours(leaves: list[bytes], places: list[int]) -> Rates:
    size, kept, batched = len(leaves), _Kept(), _Kept()

    def append() -> None:
        for leaf in leaves:
            kept.append(leaf)

    def append_batches() -> None:
        for first in range(0, size, BATCH):
            batched.extend(leaves[first : first + BATCH])

    appended, _ = _timed(append)
    at_once, _ = _timed(append_batches)
    root, read, digests = kept.frontier.root(), batched.read, kept.levels[0]
    if batched.frontier.root() != root or batched.levels != kept.levels:
        raise RuntimeError("one by one and in batches are two trees")
    proving, proofs = _timed(lambda: [inclusion_proof(place, size, read) for place in places])
    joining, paths = _timed(lambda: [consistency_proof(place + 1, size, read) for place in places])
    roots = _roots(digests, {place + 1 for place in places})

    def verify() -> None:
        for place, proof in zip(places, proofs, strict=True):
            verify_inclusion(leaf=digests[place], index=place, size=size, proof=proof, root=root)

    def join() -> None:
        for place, path in zip(places, paths, strict=True):
            verify_consistency(old=place + 1, new=size, old_root=roots[place + 1], new_root=root, proof=path)

    return _rates(size, appended, at_once, proving, joining, _timed(verify)[0], _timed(join)[0])


def _pymerkle(leaves: list[bytes], places: list[int]) -> Rates:
    size, tree = len(leaves), pymerkle.InmemoryTree(algorithm="sha256")

    def append() -> None:
        for leaf in leaves:
            tree.append_entry(leaf)

    appended, _ = _timed(append)
    root = tree.get_root()
    proving, proofs = _timed(lambda: [tree.prove_inclusion(place + 1, size) for place in places])
    joining, paths = _timed(lambda: [tree.prove_consistency(place + 1, size) for place in places])
    bases = [tree.get_leaf(place + 1) for place in places]
    roots = {place + 1: tree.get_root(place + 1) for place in places}

    def verify() -> None:
        for place, base, proof in zip(places, bases, proofs, strict=True):
            pymerkle.verify_inclusion(base, root, proof, index=place + 1, size=size)

    def join() -> None:
        for place, path in zip(places, paths, strict=True):
            pymerkle.verify_consistency(roots[place + 1], root, path, prior_size=place + 1, later_size=size)

    return _rates(size, appended, appended, proving, joining, _timed(verify)[0], _timed(join)[0])


def _roots(digests: list[bytes], sizes: set[int]) -> dict[int, bytes]:
    frontier, roots = Frontier(), {}
    for digest in digests:
        frontier.append(digest)
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root()
    return roots


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    began = time.thread_time()
    result = work()
    return time.thread_time() - began, result


def _rates(size: int, append: float, at_once: float, *sampled: float) -> Rates:
    return Rates(size, size / append, size / at_once, *(SAMPLE / seconds for seconds in sampled))
