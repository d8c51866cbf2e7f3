# SPDX-License-Identifier: MIT
"""The outbox's policy: what a failure means, when a delivery is tried again, when people have to look, when an authority is left in peace.

Pure: the clock and the dice (``chance``, from 0 to 1) are passed in. A failure is of one of three meanings, and one table says of which;
the channels' codes stand in it, exactly or by their beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID


class Owner(StrEnum):
    """Who has to act so that a parked delivery goes on."""

    OPERATOR = "operator"
    AUTHORITY = "authority"
    TRUST = "trust"


class Meaning(StrEnum):
    """What a failure says of the receiver."""

    AWAY = "away"
    """It cannot be reached, or serves nobody, so that the next delivery would fail as well. Counts against the circuit."""
    ANSWERED = "answered"
    """It works, and would not take this delivery. Closes the circuit."""
    SILENT = "silent"
    """Of the receiver it says nothing: the fault is in this house, on the way, or in this delivery alone."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a code means, and who has to act once it has parked a delivery."""

    meaning: Meaning
    owner: Owner


_AWAY: Final = Verdict(Meaning.AWAY, Owner.AUTHORITY)
_UNUSABLE: Final = Verdict(Meaning.AWAY, Owner.OPERATOR)
_REFUSED: Final = Verdict(Meaning.ANSWERED, Owner.AUTHORITY)
_SILENT: Final = Verdict(Meaning.SILENT, Owner.OPERATOR)


def _each(verdict: Verdict, *codes: str) -> dict[str, Verdict]:
    return dict.fromkeys(codes, verdict)


CODES: Final[Mapping[str, Verdict]] = MappingProxyType(
    {
        **_each(_AWAY, "timeout", "refused", "unreachable", "unresolved", "reset", "tls", "redirect", "bad-answer", "http-5*"),
        # What a receiver says to everybody whom it does not let in: it fails for all until somebody there, or here, mends it.
        **_each(_AWAY, "http-401", "http-403", "http-404", "http-405", "http-407", "http-408", "http-410", "http-429"),
        **_each(_REFUSED, "http-*", "digest-mismatch"),
        **_each(_UNUSABLE, "egress-*", "route-unusable"),
        **_each(_AWAY, "sftp-*"),
        **_each(_UNUSABLE, "sftp-host-key", "sftp-no-key"),
        **_each(_REFUSED, "sftp-not-written"),
        **_each(_UNUSABLE, "mesh-timeout", "mesh-unreachable", "mesh-tls", "mesh-unavailable", "mesh-unauthorised", "mesh-bad-answer"),
        **_each(_UNUSABLE, "mesh-rests", "mesh-slow", "mesh-not-configured", "mesh-certificate", "mesh-route", "mesh-recipient"),
        **_each(_UNUSABLE, "mesh-workflow"),
        **_each(_SILENT, "mesh-*", "stopping", "no-result", "channel-unknown", "channel-failed", "document-unreadable", "unexpected"),
        # The sealed bytes are not those that were kept: only the trust has the message still.
        **_each(Verdict(Meaning.SILENT, Owner.TRUST), "envelope-damaged", "trust-asked"),
        **_each(Verdict(Meaning.SILENT, Owner.AUTHORITY), "authority-asked"),
    }
)
"""Codes, or with a star the beginnings of codes, and what they mean; the longest that fits holds. The last are of people who parked."""

SPARED: Final = frozenset({"stopping", "mesh-rests"})
"""Codes of attempts that were never made to the end: they do not count towards the most attempts."""


def judge(code: str) -> Verdict:
    """Return what the code means; one that is in no table is ours to look at, and says nothing of the receiver."""
    fitting = [known for known in CODES if code == known or (known[-1] == "*" and code.startswith(known[:-1]))]
    return CODES[max(fitting, key=len)] if fitting else _SILENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the settings say of attempts and circuits."""

    most_attempts: int
    longest_age: timedelta
    retry_first: timedelta
    retry_most: timedelta
    circuit_after: int
    circuit_first: timedelta
    circuit_most: timedelta


@dataclass(frozen=True, slots=True)
class Retry:
    """The delivery is due again at that instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Park:
    """The delivery waits for people; ``limit`` is ``attempts`` or ``age``."""

    owner: Owner
    limit: str


Step: TypeAlias = Retry | Park


def next_step(
    *, code: str, attempts: int, age: timedelta, now: datetime, limits: Limits, chance: float, retry_after: float | None = None
) -> Step:
    """Return what follows a failed attempt: ``attempts`` have counted, the last included; ``retry_after`` is in seconds.

    A receiver's ``Retry-After`` is honoured up to the longest delay between two attempts.
    """
    if attempts >= limits.most_attempts:
        return Park(judge(code).owner, "attempts")
    if age >= limits.longest_age:
        return Park(judge(code).owner, "age")
    delay = back_off(attempts, first=limits.retry_first, most=limits.retry_most, chance=chance)
    if retry_after is not None:
        delay = max(delay, min(timedelta(seconds=retry_after), limits.retry_most))
    return Retry(now + delay)


def back_off(times: int, *, first: timedelta, most: timedelta, chance: float) -> timedelta:
    """Return the delay after so many failures: doubled each time up to ``most``, then by chance from the upper half of that."""
    longest = min(first * 2 ** min(max(times - 1, 0), 20), most)
    return timedelta(seconds=longest.total_seconds() * (0.5 + chance / 2))


@dataclass(frozen=True, slots=True)
class Circuit:
    """How an authority has answered lately. Closed unless ``opened_at``; open, it lets ``probe`` through alone after ``paused_until``.

    A closed one with ``paused_until`` rests because the receiver asked for it (``Retry-After``).
    """

    failures: int = 0
    opened_at: datetime | None = None
    pauses: int = 0
    paused_until: datetime | None = None
    probe: UUID | None = None
    last_code: str | None = None
    failed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether the authority is left in peace but for one probe after each pause."""
        return self.opened_at is not None


CLOSED: Final = Circuit()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch showed of an authority: whether it answered, how often it was away, with which code, and the seconds it asked for."""

    answered: bool
    away: int = 0
    code: str | None = None
    retry_after: float | None = None


def after(circuit: Circuit, seen: Seen, *, probed: bool, now: datetime, limits: Limits, chance: float) -> Circuit:
    """Return the circuit after a batch. One answer closes it; ``circuit_after`` failures without an answer between them open it.

    While it is open, each probe that fails (``probed``) lengthens the pause before the next; what was still under way when it opened does
    not. What the receiver asks for is kept to, up to the longest delay between two attempts.
    """
    asked = None if seen.retry_after is None else now + min(timedelta(seconds=seen.retry_after), limits.retry_most)
    if seen.answered:
        return replace(CLOSED, paused_until=asked)
    if not seen.away:
        return circuit
    failures = circuit.failures + seen.away
    failed = replace(circuit, failures=failures, last_code=seen.code, failed_at=now)
    if circuit.is_open and not probed:
        return failed
    if not circuit.is_open and failures < limits.circuit_after:
        return replace(failed, paused_until=asked)
    pauses = circuit.pauses + 1
    until = now + back_off(pauses, first=limits.circuit_first, most=limits.circuit_most, chance=chance)
    return replace(failed, opened_at=circuit.opened_at or now, pauses=pauses, paused_until=max(until, asked or until), probe=None)
