# SPDX-License-Identifier: MIT
"""Preparing an acceptance: bytes in, sealed rows out, nothing written. ``prepare`` is the plaintext perimeter, the only one."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from audit.events import Event
from audit.log import Appended, prepare_leaf
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, NotAllowed, NotFound, NotifyError, Refused
from notify_gateway.domain.identity import NhsNumber, PrivateBytes
from notify_gateway.domain.model import BusinessIdentifier, MessageReason, OrganisationType, Submission, Withdrawal
from notify_gateway.domain.routing import route
from notify_gateway.domain.school_age import compulsory_school_age_begins
from notify_gateway.domain.section23 import judge
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.parsing import parse
from notify_gateway.fhir.structure import check_structure
from notify_gateway.privacy.view import age_in_months
from notify_gateway.settings import Deployment
from notify_gateway.store.acceptance import Acceptance
from notify_gateway.store.amendment import Held, find_held
from notify_gateway.store.engine import reading
from notify_gateway.store.parties import Client, Receiver
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.needs import needs_of
from notify_gateway.use_cases.split import Addressed, split_identity

CheckStructure = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came in at the door."""

    body: PrivateBytes
    client: Client
    request_id: UUID
    correlation_id: UUID


class WithdrawalOfNothing(NotFound):
    """A withdrawal of what never came; it is remembered, so that an older ``new`` that comes late is stopped."""

    def __init__(self, withdrawal: Withdrawal, business_key: bytes) -> None:
        self.version_at = withdrawal.version_at
        self.business_key = business_key
        super().__init__(Issue(Code.DELETE_UNKNOWN, withdrawal.places.get("focus")))


def prepare(gateway: Gateway, received: Received, *, check: CheckStructure = check_structure) -> Acceptance:
    """Check a message against FHIR, the law and the tables; split it; seal it. The caller commits what comes out.

    No plaintext leaves this function: what it returns is pseudonymous or sealed, and what it raises names codes and places only.
    Raises ``Refused`` with all that is wrong at the step that was reached, ``NotAllowed`` when the sender is not who it says, and
    ``WithdrawalOfNothing``.
    """
    document = parse(received.body.reveal(), max_bytes=gateway.settings.max_body)
    check(document)
    message = read_message(document)
    _require_own_sender(message, received.client)
    if isinstance(message, Withdrawal):
        return _withdraw(gateway, received, message)
    return _notify(gateway, received, message)


def _notify(gateway: Gateway, received: Received, submission: Submission) -> Acceptance:
    now = gateway.clock.now()
    today = london_day(now)
    child = submission.child
    _require_right_population(child.nhs_number, submission, gateway.settings.deployment)
    judgement = judge(submission, sender_basis=OrganisationType(received.client.organisation_type).legal_basis, received_on=today)
    needs = needs_of(submission.opinions)
    area = gateway.postcodes.lookup(child.postcode.reveal()) if child.postcode else None
    routing = route(submission, area, gateway.directory, today, edition=gateway.postcodes.edition)
    receiver = _receiver(gateway, routing.authority, submission)

    business_key = business_digest(gateway, submission.business_identifier)
    child_key = stable_digest(gateway, "child", child.nhs_number.reveal().encode()) if child.nhs_number else None
    held = _held(gateway, received.client, business_key) if submission.reason is MessageReason.UPDATE else None
    _require_same_child(held, child_key, submission)

    split = split_identity(
        gateway,
        submission,
        received.body,
        Addressed(
            judgement=judgement,
            routing=routing,
            receiver=receiver,
            sender_ods=received.client.code,
            notification_id=held.notification_id if held else uuid4(),
            needs=needs,
            reference=held.reference if held else None,
        ),
    )
    message_id = uuid4()
    born = child.birth_date
    return Acceptance(
        notification_id=split.notification_id,
        reference=split.reference,
        client_id=received.client.id,
        business_key=business_key,
        message_id=message_id,
        message_key=stable_digest(gateway, "message-id", submission.message_id.encode()),
        request_id=received.request_id,
        body_digest=stable_digest(gateway, "body", received.body.reveal()),
        event=submission.reason.value,
        version_at=submission.version_at,
        authority=routing.authority,
        channel=receiver.channel,
        delivery_id=uuid4(),
        view=split.view.content,
        view_digest=split.view.digest,
        age_months_at_opinion=age_in_months(born, judgement.opinion_formed_on or today),
        compulsory_school_age_on=compulsory_school_age_begins(born.reveal()),
        child_key=child_key,
        thread_values=split.thread_values,
        proposed_thread=uuid4(),
        envelopes=split.envelopes,
        shred_key=split.shred_key,
        leaf=prepare_leaf(
            Event(
                "notification:accepted",
                at=now,
                actor=received.client.code,
                subject=str(split.notification_id),
                fields={
                    "authority": routing.authority,
                    "event": submission.reason.value,
                    "sender": received.client.code,
                    "message": str(message_id),
                    "reference": split.reference,
                    "view_digest": split.view.digest.hex(),
                    "legal_basis": judgement.legal_basis.value,
                    "edition": _term(routing.edition),
                    "pseudonym": split.audit_pseudonym,
                },
            )
        ),
        at=now,
        amends=held,
    )


def _withdraw(gateway: Gateway, received: Received, withdrawal: Withdrawal) -> Acceptance:
    """A withdrawal is never refused for its content; it tells the authority, by the view that it knows, and seals nothing."""
    now = gateway.clock.now()
    business_key = business_digest(gateway, withdrawal.business_identifier)
    held = _held(gateway, received.client, business_key)
    if held is None:
        raise WithdrawalOfNothing(withdrawal, business_key)
    message_id = uuid4()
    fields = {
        "authority": held.authority,
        "event": "delete",
        "sender": received.client.code,
        "message": str(message_id),
        "reference": held.reference,
        "reason": withdrawal.status.value,
    }
    return Acceptance(
        notification_id=held.notification_id,
        reference=held.reference,
        client_id=received.client.id,
        business_key=business_key,
        message_id=message_id,
        message_key=stable_digest(gateway, "message-id", withdrawal.message_id.encode()),
        request_id=received.request_id,
        body_digest=stable_digest(gateway, "body", received.body.reveal()),
        event="delete",
        version_at=withdrawal.version_at,
        authority=held.authority,
        channel="",
        delivery_id=uuid4(),
        view=held.view,
        view_digest=held.view_digest,
        age_months_at_opinion=None,
        compulsory_school_age_on=None,
        child_key=None,
        thread_values=(),
        proposed_thread=uuid4(),
        envelopes=(),
        shred_key=None,
        leaf=prepare_leaf(
            Event("notification:accepted", at=now, actor=received.client.code, subject=str(held.notification_id), fields=fields)
        ),
        at=now,
        amends=held,
    )


def refusal(gateway: Gateway, received: Received, error: NotifyError) -> Appended:
    """Return the audit entry of a refused message: who sent it, why it was refused and a keyed digest of it; nothing else of it is kept."""
    digest = stable_digest(gateway, "body", received.body.reveal())
    codes = ",".join(dict.fromkeys(issue.code for issue in error.issues))[:200].rstrip(",")
    return prepare_leaf(
        Event(
            "notification:refused",
            at=gateway.clock.now(),
            actor=received.client.code,
            subject=str(received.request_id),
            fields={"codes": codes, "digest": digest.hex(), "sender": received.client.code},
        )
    )


def stable_digest(gateway: Gateway, purpose: str, data: bytes) -> bytes:
    """Return the keyed digest by which a thing is recognised again, under the oldest live root, so that a rotation forgets nothing."""
    return gateway.pseudonyms.keyed_digest(purpose, data, gateway.pseudonyms.versions[-1])


def business_digest(gateway: Gateway, identifier: BusinessIdentifier) -> bytes:
    """Return the keyed digest of a trust's own identifier, which may itself say something about a child."""
    return stable_digest(gateway, "business-identifier", f"{identifier.system}\x00{identifier.value}".encode())


def _require_own_sender(message: Submission | Withdrawal, client: Client) -> None:
    if not secrets.compare_digest(message.sender.value.encode(), client.code.encode()):
        raise NotAllowed(Issue(Code.SENDER_MISMATCH, message.places.get("sender")))


def _require_right_population(number: NhsNumber | None, submission: Submission, deployment: Deployment) -> None:
    if number is None:
        return
    if number.is_synthetic and deployment is Deployment.LIVE:
        raise Refused(Issue(Code.NHS_NUMBER_NOT_LIVE, submission.places.get("nhs-number")))
    if not number.is_synthetic and deployment is not Deployment.LIVE:
        raise Refused(Issue(Code.NHS_NUMBER_NOT_TEST, submission.places.get("nhs-number")))


def _require_same_child(held: Held | None, child_key: bytes | None, submission: Submission) -> None:
    if held is not None and held.child_key is not None and child_key is not None and held.child_key != child_key:
        raise Refused(Issue(Code.UPDATE_OTHER_CHILD, submission.places.get("nhs-number")))


def _receiver(gateway: Gateway, authority: str, submission: Submission) -> Receiver:
    receiver = gateway.receivers.get().get(authority)
    if receiver is None or receiver.closed_at is not None:
        raise Refused(Issue(Code.AUTHORITY_NOT_SERVED, submission.places.get("receiver")))
    if not receiver.live_keys:
        raise Refused(Issue(Code.AUTHORITY_WITHOUT_KEY, submission.places.get("receiver")))
    return receiver


def _held(gateway: Gateway, client: Client, business_key: bytes) -> Held | None:
    with reading(gateway.engine).begin() as connection:
        return find_held(connection, client_id=client.id, business_key=business_key)


def _term(text: str) -> str:
    """Return a name in the characters that the log's vocabulary allows."""
    return "".join(character if character.isalnum() or character in "._-" else "-" for character in text)[:200] or "unknown"
