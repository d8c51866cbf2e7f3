# SPDX-License-Identifier: MIT
"""A dry run: the front door's own judgement of a message, carried to the end, with all that is wrong; nothing is kept.

Like ``prepare`` it sees a message in the clear; what it returns names codes, places, and the authority, and nothing else of it. It looks
at no notification, child or identifier that is held, so its answer cannot tell what others sent, and it commits nothing: there is no
event, for nothing is changed and nothing disclosed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ParamSpec, TypeVar
from uuid import UUID

from mappings.needs import NeedTables
from notify_gateway.domain import advice
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, NotAllowed, Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import Judgement, Routing, Submission, Withdrawal
from notify_gateway.domain.refs import new_reference
from notify_gateway.fhir.structure import check_structure
from notify_gateway.store.parties import Client
from notify_gateway.use_cases.examine import CannotGoOn, CheckStructure, Examined, Layer, examine
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.split import Addressed, outgoing_view

P = ParamSpec("P")
T = TypeVar("T")

_NOBODY = UUID(int=0)
"""Stands where a notification's id would: nothing is kept under it."""


class Verdict(StrEnum):
    """What one layer came to."""

    PASSED = "passed"
    FAULTS = "faults"
    NOT_JUDGED = "not-judged"


@dataclass(frozen=True, slots=True)
class LayerReport:
    """How far one layer came; ``because`` says why it was not judged."""

    layer: Layer
    verdict: Verdict
    issues: tuple[Issue, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a message would go, and how that was found."""

    authority: str
    name: str
    how: str
    edition: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the front door would make of a message, as far as the message itself decides it."""

    layers: tuple[LayerReport, ...]
    remarks: tuple[advice.Remark, ...]
    destination: Destination | None
    event: str | None
    """``new``, ``update`` or ``delete``, once the message could be read."""
    authorities_version: str
    needs_version: str
    postcodes_edition: str

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Everything that is wrong, in the order of the layers."""
        return tuple(issue for layer in self.layers for issue in layer.issues)


def dry_run(gateway: Gateway, body: PrivateBytes, client: Client, *, check: CheckStructure = check_structure) -> Report:
    """Return what would become of ``body`` if ``client`` sent it now; raises only what is no fault of the message (``Unavailable``)."""
    to_the_end = ToTheEnd()
    try:
        found = examine(gateway, body, client, check=check, attempt=to_the_end)
        if isinstance(found, Examined):
            to_the_end(Layer.MESSAGE, _require_pseudonymous, gateway, found, client)
    except CannotGoOn:
        pass
    return _report(gateway, to_the_end)


class ToTheEnd:
    """Takes each step of an examination, notes its result or its faults, and goes on (``examine.Attempt``)."""

    def __init__(self) -> None:
        self._issues: dict[Layer, list[Issue]] = {}
        self._results: list[object] = []

    def __call__(self, layer: Layer, step: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Take ``step``; return its result, or ``None`` when it refuses."""
        issues = self._issues.setdefault(layer, [])
        try:
            result = step(*args, **kwargs)
        except (Refused, NotAllowed) as error:
            issues.extend(error.issues)
            return None
        self._results.append(result)
        return result

    def found(self, kind: type[T]) -> T | None:
        """Return the step's result that is of ``kind``, if one is."""
        return next((each for each in self._results if isinstance(each, kind)), None)

    def layer(self, layer: Layer) -> LayerReport:
        """Return how ``layer`` came out."""
        if layer not in self._issues:
            return LayerReport(layer, Verdict.NOT_JUDGED, because=self._because())
        issues = tuple(dict.fromkeys(self._issues[layer]))
        return LayerReport(layer, Verdict.FAULTS if issues else Verdict.PASSED, issues)

    def _because(self) -> str:
        if self.found(Withdrawal) is not None:
            return "a withdrawal is never refused for its content"
        last = list(self._issues)[-1]
        return f"what does not pass {last.value} cannot be read any further"


def _require_pseudonymous(gateway: Gateway, examined: Examined, client: Client) -> None:
    """Make the view that would go out, for the tripwire; it goes nowhere."""
    addressed = Addressed(
        judgement=examined.judgement,
        routing=examined.routing,
        receiver=examined.receiver,
        sender_ods=client.code,
        notification_id=_NOBODY,
        needs=examined.needs,
        reference=None,
    )
    outgoing_view(gateway, examined.submission, addressed, new_reference())


def _report(gateway: Gateway, done: ToTheEnd) -> Report:
    submission, withdrawal, judgement = done.found(Submission), done.found(Withdrawal), done.found(Judgement)
    message = submission or withdrawal
    remarks: tuple[advice.Remark, ...] = ()
    if submission is not None:
        remarks = (*(advice.of_law(submission, judgement) if judgement else ()), *advice.of_needs(submission))
    return Report(
        layers=tuple(map(done.layer, Layer)),
        remarks=remarks,
        destination=_destination(gateway, done.found(Routing)),
        event=message.reason.value if message is not None else None,
        authorities_version=gateway.directory.version,
        needs_version=NeedTables.load().version,
        postcodes_edition=gateway.postcodes.edition,
    )


def _destination(gateway: Gateway, routing: Routing | None) -> Destination | None:
    if routing is None:
        return None
    known = gateway.directory.by_gss(routing.authority, london_day(gateway.clock.now()))
    return Destination(routing.authority, known.name if known else "", routing.how, routing.edition)
