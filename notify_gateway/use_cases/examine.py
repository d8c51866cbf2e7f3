# SPDX-License-Identifier: MIT
"""Examining a message: the steps that judge it, in their order, once for all who ask. The front door stops at the first that fails.

What is known of a child, or held of a notification, is not looked at here: the same message gets the same judgement whoever was notified
before.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ParamSpec, Protocol, TypeVar

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, NotAllowed, Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import Judgement, OrganisationType, Routing, Submission, Withdrawal
from notify_gateway.domain.routing import route
from notify_gateway.domain.section23 import judge
from notify_gateway.fhir.lifting import take_in
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.structure import SMALL_MESSAGE, check_structure
from notify_gateway.privacy.view import ViewNeed
from notify_gateway.settings import Deployment
from notify_gateway.store.parties import Client, Receiver
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.needs import needs_of

P = ParamSpec("P")
T = TypeVar("T")

CheckStructure = Callable[[dict[str, Any]], None]


class Layer(StrEnum):
    """What a message is held against, in the order in which it is."""

    JSON = "JSON"
    FHIR = "FHIR"
    MESSAGE = "Message"
    LAW = "Law"
    ROUTING = "Routing"


class Attempt(Protocol):
    """How a step is taken. What has no result to go on with may be ``None`` only where faults do not stop the examination."""

    def __call__(self, layer: Layer, step: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Take ``step``, which belongs to ``layer``."""
        ...


class CannotGoOn(Exception):
    """A later step needs what an earlier one could not give; only raised where faults do not stop the examination by themselves."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A submission with nothing against it, and what it was judged by."""

    submission: Submission
    judgement: Judgement
    needs: tuple[ViewNeed, ...]
    routing: Routing
    receiver: Receiver
    at: datetime
    today: date
    """The London day of ``at``."""


def strictly(_layer: Layer, step: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Take a step as the front door does: the first fault ends the examination."""
    return step(*args, **kwargs)


def examine(
    gateway: Gateway, body: PrivateBytes, client: Client, *, check: CheckStructure, attempt: Attempt = strictly
) -> Examined | Withdrawal:
    """Return what a message that may be accepted says, and where it goes; a withdrawal is not judged beyond its sender.

    ``check`` is for the structure of what is large even without its attachments.

    Raises what ``attempt`` lets out: for ``strictly`` that is ``Refused`` with all that is wrong at the step that was reached, or
    ``NotAllowed`` when the sender is not who it says.
    """
    limits = gateway.settings
    taken = _sure(attempt(Layer.JSON, take_in, body.reveal(), max_bytes=limits.max_body, max_message=limits.max_message))
    nearby = taken.size <= SMALL_MESSAGE
    document = _sure(attempt(Layer.FHIR, _checked, check_structure if nearby else check, taken.document))
    message = attempt(Layer.MESSAGE, read_message, document, taken.lifted)
    if message is None:
        raise CannotGoOn
    attempt(Layer.MESSAGE, _require_own_sender, message, client)
    return message if isinstance(message, Withdrawal) else _examine_submission(gateway, message, client, attempt)


def _examine_submission(gateway: Gateway, submission: Submission, client: Client, attempt: Attempt) -> Examined:
    now = gateway.clock.now()
    today = london_day(now)
    basis = OrganisationType(client.organisation_type).legal_basis
    attempt(Layer.MESSAGE, _require_right_population, submission, gateway.settings.deployment)
    needs = attempt(Layer.MESSAGE, needs_of, submission.opinions)
    judgement = attempt(Layer.LAW, judge, submission, sender_basis=basis, received_on=today)
    routing = _sure(attempt(Layer.ROUTING, _route, gateway, submission, today))
    receiver = attempt(Layer.ROUTING, _receiver, gateway, routing.authority, submission)
    return Examined(submission, _sure(judgement), _sure(needs), routing, _sure(receiver), now, today)


def _sure(value: T | None) -> T:
    if value is None:
        raise CannotGoOn
    return value


def _checked(check: CheckStructure, document: dict[str, Any]) -> dict[str, Any]:
    check(document)
    return document


def _require_own_sender(message: Submission | Withdrawal, client: Client) -> None:
    if not secrets.compare_digest(message.sender.value.encode(), client.code.encode()):
        raise NotAllowed(Issue(Code.SENDER_MISMATCH, message.places.get("sender")))


def _require_right_population(submission: Submission, deployment: Deployment) -> None:
    number = submission.child.nhs_number
    if number is None:
        return
    if number.is_synthetic and deployment is Deployment.LIVE:
        raise Refused(Issue(Code.NHS_NUMBER_NOT_LIVE, submission.places.get("nhs-number")))
    if not number.is_synthetic and deployment is not Deployment.LIVE:
        raise Refused(Issue(Code.NHS_NUMBER_NOT_TEST, submission.places.get("nhs-number")))


def _route(gateway: Gateway, submission: Submission, today: date) -> Routing:
    postcode = submission.child.postcode
    area = gateway.postcodes.lookup(postcode.reveal()) if postcode else None
    return route(submission, area, gateway.directory, today, edition=gateway.postcodes.edition)


def _receiver(gateway: Gateway, authority: str, submission: Submission) -> Receiver:
    receiver = gateway.receivers.get().get(authority)
    if receiver is None or receiver.closed_at is not None:
        raise Refused(Issue(Code.AUTHORITY_NOT_SERVED, submission.places.get("receiver")))
    if not receiver.live_keys:
        raise Refused(Issue(Code.AUTHORITY_WITHOUT_KEY, submission.places.get("receiver")))
    return receiver
