# SPDX-License-Identifier: MIT
"""Asking the trust a question in codes. The time to reply stands still until it answers, which it does by an update."""

from __future__ import annotations

from uuid import UUID

from notify_gateway.domain.staff import Person
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.done import Done


def ask_trust(gateway: Gateway, *, by: Person, reference: str, version: int, question: str, form: UUID | None = None) -> Done:
    """The trust sees the question (``domain.casework.Question``) at its Task, and the case waits for it.

    Raises ``NotAllowed``, ``NotFound``, ``Refused`` for an unknown code, and ``Conflict``, also while a question is open already.
    """
    raise NotImplementedError


def take_question_back(gateway: Gateway, *, by: Person, reference: str, version: int, form: UUID | None = None) -> Done:
    """No answer is waited for any more, the trust sees that, and the time to reply goes on. Raises ``NotFound``, ``Conflict``."""
    raise NotImplementedError
