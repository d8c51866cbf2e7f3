# SPDX-License-Identifier: MIT
"""Trying to reach the family. The trust hears of it only where the officer ticks that, and then the day alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done

EDIT_WITHIN = timedelta(hours=24)
LONGEST_NOTE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt as the officer describes it, in codes of ``domain.casework``: ``How``, ``Whom``, ``Result``. ``note`` is sealed."""

    how: str
    whom: str
    result: str
    on: date
    interpreter: bool = False
    next_try_on: date | None = None
    tell_trust: bool = False
    note: bytes | None = None
    related_seen: bool = False
    """The officer has read that the family was, or will be, contacted about another notification of the same child."""


def record_contact(gateway: Gateway, *, by: Person, reference: str, version: int, attempt: Attempt, form: UUID | None = None) -> Done:
    """The attempt stands in the case; the first in which somebody was spoken to makes it *family contacted*.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for a code, a day or a note that cannot be, and ``Conflict``: ``CASE_CHANGED``,
    ``DELIVERY_STATE`` before it is acknowledged, ``CONTACT_RELATED`` without ``related_seen`` where another notification of the same child
    has a contact, made or planned, ``CONTACT_TOO_EARLY`` before the day the trust named.
    """
    raise NotImplementedError


def correct_contact(
    gateway: Gateway, *, by: Person, reference: str, version: int, contact: UUID, attempt: Attempt, form: UUID | None = None
) -> Done:
    """The attempt is as now described, and the old one is kept, struck through. Its own author may, for 24 hours.

    What the trust was told stays told. Raises as ``record_contact``, and ``Conflict`` (``EDIT_TOO_LATE``).
    """
    raise NotImplementedError
