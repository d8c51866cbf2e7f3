# SPDX-License-Identifier: MIT
"""Preparing an acceptance: bytes in, sealed rows out, nothing written. It, ``examine`` and ``dry_run`` are the plaintext perimeter."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from audit.events import Event
from audit.log import Appended, prepare_leaf
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, NotifyError, Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import BusinessIdentifier, MessageReason, Submission, Withdrawal
from notify_gateway.domain.school_age import compulsory_school_age_begins
from notify_gateway.fhir.structure import check_structure
from notify_gateway.privacy.view import age_in_months
from notify_gateway.store.acceptance import Acceptance
from notify_gateway.store.amendment import Held, find_held
from notify_gateway.store.engine import reading
from notify_gateway.store.parties import Client
from notify_gateway.telemetry.tracing import Act, span
from notify_gateway.use_cases import tell
from notify_gateway.use_cases.examine import CheckStructure, Examined, examine
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.prints import prints_of
from notify_gateway.use_cases.split import Addressed, split_identity


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
    with span(Act.EXAMINE):
        found = examine(gateway, received.body, received.client, check=check)
    if isinstance(found, Withdrawal):
        return _withdraw(gateway, received, found)
    return _notify(gateway, received, found)


def _notify(gateway: Gateway, received: Received, examined: Examined) -> Acceptance:
    submission, routing = examined.submission, examined.routing
    child = submission.child
    business_key = business_digest(gateway, submission.business_identifier)
    child_key = stable_digest(gateway, "child", child.nhs_number.reveal().encode()) if child.nhs_number else None
    held = _held(gateway, received.client, business_key) if submission.reason is MessageReason.UPDATE else None
    _require_same_child(held, child_key, submission)

    with span(Act.SPLIT, authority=routing.authority):
        split = split_identity(
            gateway,
            submission,
            received.body,
            Addressed(
                judgement=examined.judgement,
                routing=routing,
                receiver=examined.receiver,
                sender_ods=received.client.code,
                notification_id=held.notification_id if held else uuid4(),
                needs=examined.needs,
                reference=held.reference if held else None,
            ),
        )
    message_id, delivery_id = uuid4(), uuid4()
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
        channel=examined.receiver.channel,
        delivery_id=delivery_id,
        view=split.view.content,
        view_digest=split.view.digest,
        age_months_at_opinion=age_in_months(born, examined.judgement.opinion_formed_on or examined.today),
        compulsory_school_age_on=compulsory_school_age_begins(born.reveal()),
        child_key=child_key,
        prints=prints_of(gateway, submission.card, split.notification_id),
        thread_values=split.thread_values,
        proposed_thread=uuid4(),
        envelopes=split.envelopes,
        shred_key=split.shred_key,
        leaf=tell.of_acceptance(examined, split, sender=received.client.code, message_id=message_id),
        further=tell.of_consequences(examined, split, held, sender=received.client.code, delivery_id=delivery_id),
        at=examined.at,
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
    leaf, withdrawn = tell.of_withdrawal(withdrawal, held, sender=received.client.code, message_id=message_id, at=now)
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
        leaf=leaf,
        further=(withdrawn,),
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


def _require_same_child(held: Held | None, child_key: bytes | None, submission: Submission) -> None:
    if held is not None and held.child_key is not None and child_key is not None and held.child_key != child_key:
        raise Refused(Issue(Code.UPDATE_OTHER_CHILD, submission.places.get("nhs-number")))


def _held(gateway: Gateway, client: Client, business_key: bytes) -> Held | None:
    with reading(gateway.engine).begin() as connection:
        return find_held(connection, client_id=client.id, business_key=business_key)
