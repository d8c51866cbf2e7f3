# SPDX-License-Identifier: MIT
"""The family of errors: each carries catalogue codes and places, never a value from a message."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault: a code of the catalogue and the FHIRPath of the element at fault, where there is one."""

    code: str
    expression: str | None = None


class NotifyError(Exception):
    """Base of all errors that the service raises on purpose; the first issue decides the HTTP status."""

    def __init__(self, *issues: Issue) -> None:
        if not issues:
            raise ValueError("an error names at least one issue")
        self.issues = issues
        super().__init__(", ".join(issue.code for issue in issues))

    @classmethod
    def because(cls, code: str, expression: str | None = None) -> NotifyError:
        """Return the error with one issue."""
        return cls(Issue(code, expression))


class Refused(NotifyError):
    """The message is not acceptable as it stands; nothing of it is kept but the audit entry."""

    def __reduce__(self) -> tuple[type[Refused], tuple[Issue, ...]]:
        # The structure of large bodies is checked in another process, from which this comes back.
        return type(self), self.issues


class NotAllowed(NotifyError):
    """The caller is unknown, or may not do this."""


class NotFound(NotifyError):
    """There is no such thing, or none that this caller may know of."""


class Conflict(NotifyError):
    """The request contradicts what is held."""


class Duplicate(Conflict):
    """The very same message was accepted before; a success for its sender."""

    def __init__(self, code: str, *, notification_id: UUID) -> None:
        self.notification_id = notification_id
        super().__init__(Issue(code))


class Unavailable(NotifyError):
    """The service cannot keep its promises at the moment; the same request may be sent again later."""

    def __init__(self, code: str, *, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(Issue(code))
