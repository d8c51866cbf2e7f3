# SPDX-License-Identifier: MIT
"""The signer's own memory, outside the database: the last checkpoint it signed, so that a rewound log is refused and never forked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from audit.durable import alone_in, replace_file
from audit.merkle import ProofInvalid, verify_consistency
from audit.note import Checkpoint, NoteRefused, split_note

ProveConsistency = Callable[[int, int], list[bytes]]
"""Gives the consistency proof between an older and a newer size from what is stored."""


class GuardRefused(Exception):
    """What is to be signed does not continue what was signed; nothing has been signed."""


class Guard:
    """One file that holds the last signed checkpoint.

    The file is believed without verifying its signature: whoever may write it may sign as well. A machine that takes over the
    signing takes over this file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def exclusive(self) -> AbstractContextManager[None]:
        """Within the block no other process on this machine signs under this guard."""
        return alone_in(self._path.parent)

    def last_signed(self) -> Checkpoint | None:
        """Return what was signed last, or None if nothing ever was; GuardRefused if the file is damaged."""
        try:
            text, _ = split_note(self._path.read_text("utf-8"))
            return Checkpoint.from_text(text)
        except FileNotFoundError:
            return None
        except (NoteRefused, UnicodeDecodeError) as error:
            raise GuardRefused("the guard file is damaged") from error

    def check(self, proposed: Checkpoint, prove: ProveConsistency, *, signed_before: bool) -> None:
        """``proposed`` continues what was signed last, or GuardRefused is raised.

        ``signed_before`` says that the database knows of signatures: then a missing guard file is a refusal too.
        """
        last = self.last_signed()
        if last is None:
            if signed_before:
                raise GuardRefused("the guard file is missing, although checkpoints have been signed")
            return
        if last.origin != proposed.origin:
            raise GuardRefused("the guard file belongs to another log")
        if last.size > proposed.size:
            raise GuardRefused("the log is shorter than when it was last signed")
        if last.size == 0:
            return
        try:
            proof = prove(last.size, proposed.size)
            verify_consistency(old=last.size, new=proposed.size, old_root=last.root, new_root=proposed.root, proof=proof)
        except ProofInvalid as error:
            raise GuardRefused("the log does not continue what was last signed") from error

    def remember(self, note: str) -> None:
        """The signed checkpoint is durable in the guard file: its bytes, its name and the directory are on disk."""
        replace_file(self._path, note.encode())
