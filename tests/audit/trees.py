# SPDX-License-Identifier: MIT
"""A log without a database, for the tests of witnesses: signed checkpoints of any size, with proofs, on an honest or a forked branch."""

from __future__ import annotations

from audit.merkle import Frontier, consistency_proof, leaf_hash, root_from_leaves
from audit.note import Checkpoint, Signer, sign_note
from audit.witness import Request


class Tree:
    """Entries are named after their index, and otherwise from ``forked_at`` on."""

    def __init__(self, signer: Signer, word: str, *, forked_at: int = 10**9) -> None:
        self.signer = signer
        self._leaves = [leaf_hash(f"{word} {i}{' forked' if i >= forked_at else ''}".encode()) for i in range(64)]
        completed: list[tuple[int, int, bytes]] = []
        frontier = Frontier()
        for leaf in self._leaves:
            frontier.append(leaf, completed)
        self._nodes = {(0, i): leaf for i, leaf in enumerate(self._leaves)} | {(level, at): node for level, at, node in completed}

    def root(self, size: int) -> bytes:
        return root_from_leaves(self._leaves[:size])

    def text(self, size: int) -> str:
        return Checkpoint(self.signer.name, size, self.root(size)).to_text()

    def note(self, size: int) -> str:
        return sign_note(self.text(size), self.signer)

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        return tuple(consistency_proof(old, new, lambda level, at: self._nodes[level, at])) if 0 < old <= new else ()

    def request(self, old: int, new: int) -> bytes:
        """Return the request that a log would send to a witness which it believes to be at ``old``."""
        return Request(old, self.proof(old, new), self.note(new)).to_bytes()
