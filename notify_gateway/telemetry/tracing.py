# SPDX-License-Identifier: MIT
"""Spans of the service's own acts, where an operator wants them: which act, how long, with which codes and counts. Off by default.

A span is named by ``Act`` and says nothing but what ``Note`` has: no text, no address, no message of an error. Nothing instruments HTTP,
SQL or the broker, and no provider is made known to libraries, so that none of them can add spans of its own. While it is off, no part of
OpenTelemetry's SDK is loaded and a span costs a look at one name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict, Unpack
from uuid import UUID

from notify_gateway.telemetry.metrics import code_of

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer


class Act(StrEnum):
    """What a span is of."""

    ACCEPT = "accept"
    EXAMINE = "examine"
    SPLIT = "split"
    COMMIT = "commit"
    COMMIT_GROUP = "commit-group"
    DELIVER = "deliver"
    ATTEMPT = "attempt"
    RECORD = "record"
    SEQUENCE = "sequence"


class Note(TypedDict, total=False):
    """All that a span may say."""

    code: str
    count: int
    channel: str
    authority: str
    notification: UUID
    delivery: UUID


ATTRIBUTES = tuple(f"notify.{name}" for name in (*Note.__annotations__, "error"))
"""The names of all attributes; ``notify.error`` is the kind of the exception that ended the act."""


class Silent:
    """A span of which nobody hears."""

    __slots__ = ()

    def note(self, **said: Unpack[Note]) -> None:
        """Say nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None


class Told:
    """A span that is told of."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def note(self, **said: Unpack[Note]) -> None:
        """Add to what the span says."""
        for name, value in said.items():
            self._span.set_attribute(f"notify.{name}", value if isinstance(value, int) else str(value))


_SILENT = Silent()
_tracer: Tracer | None = None


def begin(tracer: Tracer | None) -> None:
    """From now on spans go to ``tracer``, or nowhere."""
    global _tracer
    _tracer = tracer


def span(act: Act, **said: Unpack[Note]) -> AbstractContextManager[Silent | Told]:
    """Give the span of an act, which lasts as long as the ``with`` block; an error in it is told by its kind and code alone."""
    return _SILENT if _tracer is None else _told(_tracer, act, said)


@contextmanager
def _told(tracer: Tracer, act: Act, said: Note) -> Iterator[Told]:
    from opentelemetry.trace import Status, StatusCode

    with tracer.start_as_current_span(act.value, record_exception=False, set_status_on_exception=False) as started:
        told = Told(started)
        told.note(**said)
        try:
            yield told
        except BaseException as error:
            # The text of an error, its trace and the variables in it may quote a message.
            started.set_attribute("notify.error", type(error).__name__)
            if isinstance(error, Exception):
                told.note(code=code_of(error))
            started.set_status(Status(StatusCode.ERROR))
            raise


def tell(act: Act, *, began_ns: int, **said: Unpack[Note]) -> None:
    """Tell afterwards of an act that began at ``began_ns`` (nanoseconds since 1970) and ends now."""
    if _tracer is not None:
        started = _tracer.start_span(act.value, start_time=began_ns)
        Told(started).note(**said)
        started.end()
