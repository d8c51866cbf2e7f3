# SPDX-License-Identifier: MIT
"""Trust policies (https://c2sp.org/tlog-policy): which logs and witnesses are known, and how many of the witnesses must have cosigned."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from audit.cosignature import WitnessVerifier, cosignatures
from audit.note import Checkpoint, NoteRefused, Verifier, decimal, open_checkpoint

NONE = "none"
MAX_POLICY = 256 * 1024
MOST = 256
"""Logs, witnesses and groups, of each, that a policy may have; the specification asks for 32 at least."""

_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_BLANK = re.compile(r"[ \t]+")


class PolicyRefused(Exception):
    """The text is not a policy; the message names the line."""


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log whose checkpoints count."""

    key: Verifier
    url: str | None


@dataclass(frozen=True, slots=True)
class KnownWitness:
    """A witness under the name that the policy gives it; ``url`` is its submission prefix."""

    name: str
    key: WitnessVerifier
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """A group has cosigned when ``threshold`` of its members, witnesses or groups, have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Which witnesses of the policy have cosigned and when, which have not, and whether those who have are enough."""

    cosigned: tuple[tuple[str, datetime], ...]
    missing: tuple[str, ...]
    enough: bool

    def sentence(self) -> str:
        """Return the finding in plain English."""
        who = ", ".join(f"{name} at {at:%Y-%m-%d %H:%M:%S} UTC" for name, at in self.cosigned) or "no witness"
        without = f" Not cosigned by {', '.join(self.missing)}." if self.missing else ""
        met = "is what the policy asks for" if self.enough else "is NOT enough for the policy"
        return f"Cosigned by {who}, which {met}.{without}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A checkpoint that a log of the policy has signed, and how it stands with the witnesses."""

    checkpoint: Checkpoint
    tally: Tally


@dataclass(frozen=True, slots=True)
class Policy:
    """The logs and witnesses that are known, and the quorum: a witness, a group, or ``none``. Groups follow their members."""

    logs: tuple[KnownLog, ...]
    witnesses: tuple[KnownWitness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def enough(self, cosigned: AbstractSet[str]) -> bool:
        """Say whether the cosignatures of these witnesses, named as in the policy, make the quorum."""
        met = {witness.name for witness in self.witnesses if witness.name in cosigned} | {NONE}
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum in met

    def tally(self, note: str) -> Tally:
        """Return how a checkpoint stands with the witnesses; NoteRefused if it is no note or a known cosignature is false.

        That the log has signed it is not asked here: see ``judge``.
        """
        found = {each.witness: each.at for each in cosignatures(note, [witness.key for witness in self.witnesses])}
        cosigned = tuple((witness.name, found[witness.key]) for witness in self.witnesses if witness.key in found)
        missing = tuple(witness.name for witness in self.witnesses if witness.key not in found)
        return Tally(cosigned, missing, self.enough({name for name, _ in cosigned}))

    def judge(self, note: str, log_keys: Sequence[Verifier] = ()) -> Verdict:
        """Return what is to be said of a checkpoint; NoteRefused unless a log of the policy, or one of ``log_keys``, has signed it.

        ``log_keys`` are for a policy that lists no log, and are ignored where it lists some.
        """
        keys = [log.key for log in self.logs] or list(log_keys)
        return Verdict(open_checkpoint(note, *keys), self.tally(note))


def parse_policy(content: bytes) -> Policy:
    """Return the policy that the file holds; PolicyRefused, naming the line, unless the specification allows every line of it."""
    if len(content) > MAX_POLICY:
        raise PolicyRefused("the policy is too long to be one")
    lines = content.split(b"\n")
    if lines.pop():
        raise PolicyRefused(f"line {len(lines) + 1}: the last line has no line end; the file may be cut off")
    reader = _Reader()
    for number, line in enumerate(lines, start=1):
        try:
            if _FORBIDDEN.search(line):
                raise NoteRefused("a control character other than tab and line end")
            # Octets beyond ASCII are opaque: this decoding is reversible and takes no two of them for the same.
            words = _BLANK.split(line.decode("utf-8", "surrogateescape").strip(" \t"))
            if words != [""] and not words[0].startswith("#"):
                reader.read(words[0], words[1:])
        except NoteRefused as error:
            raise PolicyRefused(f"line {number}: {error}") from error
    return reader.policy()


class _Reader:
    def __init__(self) -> None:
        self._logs: list[KnownLog] = []
        self._witnesses: list[KnownWitness] = []
        self._groups: list[Group] = []
        self._defined: set[str] = {NONE}
        self._members: set[str] = set()
        self._quorum: str | None = None
        self._kinds: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._set_quorum,
        }

    def read(self, kind: str, words: list[str]) -> None:
        if kind not in self._kinds:
            raise NoteRefused("a line begins with log, witness, group, quorum or #")
        self._kinds[kind](words)
        if max(len(self._logs), len(self._witnesses), len(self._groups)) > MOST:
            raise NoteRefused(f"more than {MOST} logs, witnesses or groups")

    def policy(self) -> Policy:
        if self._quorum is None:
            raise PolicyRefused("the policy has no quorum line; write `quorum none` if no witness is needed")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _log(self, words: list[str]) -> None:
        if not 1 <= len(words) <= 2:
            raise NoteRefused("a log is written `log VKEY [URL]`")
        key = Verifier.from_vkey(words[0])
        if any(key.public == log.key.public for log in self._logs):
            raise NoteRefused("this log's key is listed already")
        self._logs.append(KnownLog(key, words[1] if words[1:] else None))

    def _witness(self, words: list[str]) -> None:
        if not 2 <= len(words) <= 3:
            raise NoteRefused("a witness is written `witness NAME VKEY [URL]`")
        key = WitnessVerifier.from_vkey(words[1])
        if any(key.public == witness.key.public for witness in self._witnesses):
            raise NoteRefused("this witness's key is listed already")
        self._define(words[0])
        self._witnesses.append(KnownWitness(words[0], key, words[2] if words[2:] else None))

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise NoteRefused("a group is written `group NAME any|all|NUMBER MEMBER...`")
        name, rule, *members = words
        for member in members:
            if member not in self._defined or member == NONE:
                raise NoteRefused("a member of a group is a witness or group of a line before")
            if member in self._members:
                raise NoteRefused("a name is a member of one group, and once")
            self._members.add(member)
        threshold = {"any": 1, "all": len(members)}.get(rule) or decimal(rule)
        if not 1 <= threshold <= len(members):
            raise NoteRefused("a group needs at least one of its members and at most all")
        self._define(name)
        self._groups.append(Group(name, threshold, tuple(members)))

    def _set_quorum(self, words: list[str]) -> None:
        if len(words) != 1:
            raise NoteRefused("the quorum is written `quorum NAME`")
        if self._quorum is not None:
            raise NoteRefused("there is one quorum line, and this is the second")
        if words[0] not in self._defined:
            raise NoteRefused("the quorum names a witness or group of a line before, or none")
        self._quorum = words[0]

    def _define(self, name: str) -> None:
        if name in self._defined:
            raise NoteRefused("this name is taken already")
        self._defined.add(name)
