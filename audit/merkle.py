# SPDX-License-Identifier: MIT
"""The Merkle tree of RFC 6962 section 2.1: roots, inclusion and consistency proofs, verified as RFC 9162 section 2.1 lays down.

The hash of a complete subtree never changes once it is full, so a store of those hashes (addressed by level and position) is
enough to prove anything about the tree at any size it ever had. https://www.rfc-editor.org/rfc/rfc9162#section-2.1
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
_BLOCK = 10

Address = tuple[int, int]
"""Level and position of a complete subtree: it covers the leaves from ``position << level`` up to the next position's first."""
Node = tuple[int, int, bytes]
"""Level, position and hash of a complete subtree."""
Range = tuple[int, int]
"""First leaf, and the leaf after the last."""
ReadNode = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree at a level and a position; level 0 holds the leaf hashes."""


class ProofInvalid(Exception):
    """The proof does not show what it is said to show."""


def leaf_hash(data: bytes) -> bytes:
    """Return the 32-byte hash of a leaf; its prefix keeps a leaf from passing for a node."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of the node above two others."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: all that is needed to append to it and to tell its root."""

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """Take up a tree of ``size`` leaves, whose ``peaks`` are the hashes at ``subtrees(0, size)``, else ValueError."""
        self.size = size
        self._peaks = list(peaks)
        if len(self._peaks) != size.bit_count():
            raise ValueError("a tree has one peak for each bit that is set in its size")

    def append(self, leaf: bytes, completed: list[Node] | None = None) -> None:
        """Add one leaf hash; the subtrees that it completes (level 1 and above) are added to ``completed``."""
        self._push(0, leaf, completed)

    def extend(self, leaves: Sequence[bytes], completed: list[Node] | None = None) -> None:
        """Add leaf hashes in their order, as ``append`` would one by one, several times faster."""
        done = 0
        while done < len(leaves):
            # The largest complete subtree that begins here and that the leaves fill.
            level = min(_BLOCK, (len(leaves) - done).bit_length() - 1)
            if self.size:
                level = min(level, (self.size & -self.size).bit_length() - 1)
            nodes = leaves[done : done + (1 << level)]
            for above in range(1, level + 1):
                pairs = iter(nodes)
                nodes = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
                if completed is not None:
                    completed.extend((above, position, node) for position, node in enumerate(nodes, self.size >> above))
            self._push(level, nodes[0], completed)
            done += 1 << level

    def _push(self, level: int, node: bytes, completed: list[Node] | None) -> None:
        """Add a complete subtree at the right edge, where one of its level fits."""
        position = self.size >> level
        self.size += 1 << level
        while position & 1:
            node = sha256(b"\x01" + self._peaks.pop() + node).digest()
            level, position = level + 1, position >> 1
            if completed is not None:
                completed.append((level, position, node))
        self._peaks.append(node)

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        return _fold(self._peaks)


def root_from_leaves(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over these leaf hashes, in their order."""
    frontier = Frontier()
    frontier.extend(list(leaf_hashes))
    return frontier.root()


def subtrees(start: int, end: int) -> Iterator[Address]:
    """Yield, from left to right, the largest complete subtrees that cover the leaves from ``start`` up to ``end``."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        yield level, start >> level
        start += 1 << level


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the ranges whose roots prove that leaf ``index`` is in the tree of ``size``; ValueError if it cannot be."""
    if not 0 <= index < size:
        raise ValueError("a tree proves the inclusion of its own leaves alone")
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = _middle(start, end)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Return the ranges whose roots prove that the tree of size ``new`` begins with that of ``old``; ValueError if it cannot be."""
    if not 0 < old <= new:
        raise ValueError("consistency holds between a tree that is not empty and one at least as large")
    ranges: list[Range] = []
    start, end = 0, new
    while end != old:
        middle = _middle(start, end)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_proof(index: int, size: int, read_node: ReadNode) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of ``size``, from the leaf's sibling upwards; reads O(log size) nodes."""
    if not 0 <= index < size:
        raise ValueError("a tree proves the inclusion of its own leaves alone")
    return _path_to_root(index, 0, size, read_node)


def consistency_proof(old: int, new: int, read_node: ReadNode) -> list[bytes]:
    """Return the proof that the tree of size ``new`` begins with that of size ``old``; reads O(log new) nodes."""
    if not 0 < old <= new:
        raise ValueError("consistency holds between a tree that is not empty and one at least as large")
    if old == new:
        return []
    # From the last complete subtree of the old tree up to the root of the new one; alone, it is the old root, which is known.
    level = (old & -old).bit_length() - 1
    own = [] if old == 1 << level else [read_node(level, (old >> level) - 1)]
    return own + _path_to_root(old - 1, level, new, read_node)


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Leaf hash ``leaf`` is at ``index`` in the tree of ``size`` under ``root``, or ProofInvalid is raised (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofInvalid("the index lies outside the tree")
    here, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if here & 1 or here == last:
            computed = node_hash(sibling, computed)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")
    if computed != root:
        raise ProofInvalid("the proof leads to another root")


def verify_consistency(*, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """The tree ``new`` begins with the tree ``old``, or ProofInvalid is raised (RFC 9162 section 2.1.4.2); ``old`` is at least 1."""
    if not 0 < old <= new:
        raise ProofInvalid("the sizes cannot be compared")
    if old == new:
        if proof or old_root != new_root:
            raise ProofInvalid("trees of one size are consistent only if they are the same")
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofInvalid("the proof is too short")
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    from_old = from_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if here & 1 or here == last:
            from_old, from_new = node_hash(sibling, from_old), node_hash(sibling, from_new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            from_new = node_hash(from_new, sibling)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")
    if from_old != old_root or from_new != new_root:
        raise ProofInvalid("the proof leads to another root")


def _middle(start: int, end: int) -> int:
    """Return where RFC 6962 splits a range of two or more leaves: after the largest power of two that is less than their number."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _path_to_root(index: int, level: int, size: int, read_node: ReadNode) -> list[bytes]:
    """Return the siblings on the way to the root of ``size`` from the complete subtree at ``level`` that holds leaf ``index``.

    In the peak that holds the leaf, whose level is that of the first bit in which index and size differ, they are complete subtrees;
    then come all peaks to the right of it as one, and those to the left one by one.
    """
    peak = (index ^ size).bit_length() - 1
    proof = [read_node(below, (index >> below) ^ 1) for below in range(level, peak)]
    beyond = size >> peak << peak
    if beyond < size:
        proof.append(_fold([read_node(below, position) for below, position in subtrees(beyond, size)]))
    left = size >> peak + 1 << peak + 1
    while left:
        above = (left & -left).bit_length() - 1
        proof.append(read_node(above, (left >> above) - 1))
        left &= left - 1
    return proof


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in peaks[-2::-1]:
        root = node_hash(peak, root)
    return root
