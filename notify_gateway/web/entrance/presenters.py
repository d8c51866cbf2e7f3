# SPDX-License-Identifier: MIT
"""What the pages of the entrance show."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Way:
    """An identity provider to choose."""

    name: str
    address: str
    practice: bool


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The choice of providers, and why somebody is here."""

    ways: tuple[Way, ...]
    kept: bool
    ended: bool
    signed_out: bool


@dataclass(frozen=True, slots=True)
class RefusedPage:
    """Why somebody did not get further, and what to do; ``way``: the address of the next page and the words of the button to it."""

    title: str
    why: str
    fix: str
    code: str
    way: tuple[str, str] | None
    roles: tuple[str, ...] = ()
    grantors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContinuePage:
    """What somebody had typed before they signed in again; the fields go back as they were."""

    path: str
    form_token: str = field(repr=False)
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    words: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One of somebody's sessions."""

    began: str
    seen: str
    ends: str
    this_one: bool


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Who is signed in, as what, and where else."""

    name: str
    organisation: str
    roles: tuple[str, ...]
    sessions: tuple[SessionRow, ...]
    form_token: str = field(repr=False)
    may_read_inbox: bool
