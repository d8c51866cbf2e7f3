# SPDX-License-Identifier: MIT
"""All cases of a run, in their order, and the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from notify_gateway.cli.conformance.case import Case
from notify_gateway.cli.conformance.cases import (
    accepted,
    again,
    bulk,
    dry_run,
    enclosed,
    law,
    message,
    routing,
    sign_in,
    structure,
    tracking,
    transport,
)
from notify_gateway.cli.examples.children import Sender
from notify_gateway.cli.failures import CommandFailed

ELSEWHERE: Final = ("E06000001", "E06000003")
"""Authorities that exist; the first that is not the sender's home stands for another."""


def all_cases(sender: Sender, unserved: str, *, with_key: bool) -> list[Case]:
    """Return the cases as they are played for a sender, ``with_key`` those of signing in too. Messages are fresh: a list is for one run."""
    elsewhere = next(gss for gss in ELSEWHERE if gss != sender.home.gss)
    return [
        *accepted.stories(sender),
        *accepted.cases(),
        *again.cases(),
        *transport.cases(),
        *structure.cases(),
        *message.cases(),
        *law.cases(),
        *routing.cases(sender, elsewhere, unserved),
        *enclosed.cases(),
        *bulk.cases(),
        *dry_run.cases(),
        *tracking.cases(),
        *(sign_in.cases() if with_key else ()),
    ]


def chosen(cases: Sequence[Case], only: Sequence[str]) -> list[Case]:
    """Return the cases whose name is, or begins with, one of ``only``; all if there is none. Raises ``CommandFailed`` where none fits."""
    found = [case for case in cases if not only or case.name.startswith(tuple(only))]
    if not found:
        raise CommandFailed("There is no such case", "No name is or begins so.", "See notify-gateway conformance run --list.")
    return found
