# SPDX-License-Identifier: MIT
"""The signer's own memory, outside the database: the last checkpoint it signed, so that a rewound log is refused and never forked."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Within the block no other process on this machine signs under this guard."""
        # The directory is locked, because the file itself is replaced at each signature.
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

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
        fresh = self._path.with_name(self._path.name + ".new")
        with suppress(FileNotFoundError):
            fresh.unlink()
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(note.encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
