# SPDX-License-Identifier: MIT
"""Preparing an acceptance: bytes in, sealed rows out, nothing written. ``prepare`` is the plaintext perimeter, the only one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID, uuid4

from audit.events import Event
from audit.log import Appended, prepare_leaf
from mappings.needs import translate
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Issue, NotAllowed, NotifyError, Refused
from notify_gateway.domain.identity import NhsNumber, PrivateBytes
from notify_gateway.domain.model import MessageReason, Opinion, OrganisationType, Submission
from notify_gateway.domain.refs import new_reference
from notify_gateway.domain.routing import route
from notify_gateway.domain.school_age import compulsory_school_age_begins
from notify_gateway.domain.section23 import judge
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.parsing import parse
from notify_gateway.fhir.structure import check_structure
from notify_gateway.privacy.cards import card_plaintext
from notify_gateway.privacy.keys import RecipientPublicKey, RecipientPurpose, Suite
from notify_gateway.privacy.pseudonyms import authority_domain
from notify_gateway.privacy.sealing import new_shred_key, seal
from notify_gateway.privacy.tripwire import TripwireHit, search
from notify_gateway.privacy.view import ViewNeed, age_in_months, build_view
from notify_gateway.settings import Deployment
from notify_gateway.store.acceptance import Acceptance, Envelope
from notify_gateway.store.parties import Client, Receiver
from notify_gateway.use_cases.gateway import Gateway

CheckStructure = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came in at the door."""

    body: PrivateBytes
    client: Client
    request_id: UUID
    correlation_id: UUID


@dataclass(frozen=True, slots=True)
class Prepared:
    """An acceptance ready to be committed, and the words for its sender."""

    acceptance: Acceptance
    reference: str
    authority: str
    flags: tuple[str, ...]


def prepare(gateway: Gateway, received: Received, *, check: CheckStructure = check_structure) -> Prepared:
    """Check a message against FHIR, the law and the tables; split it; seal it. The caller commits what comes out.

    No plaintext leaves this function: what it returns is pseudonymous or sealed, and what it raises names codes and places only.
    Raises ``Refused`` with all that is wrong at the step that was reached, or ``NotAllowed`` when the sender is not who it says.
    """
    now = gateway.clock.now()
    body = received.body.reveal()
    document = parse(body, max_bytes=gateway.settings.max_body)
    check(document)
    submission = read_message(document)
    if not isinstance(submission, Submission) or submission.reason is not MessageReason.NEW:
        raise Refused(Issue(Code.REASON_UNKNOWN, "Bundle.entry[0].resource.reason"))
    _require_own_sender(submission, received.client)
    _require_right_population(submission, gateway.settings.deployment)

    basis = OrganisationType(received.client.organisation_type).legal_basis
    today = london_day(now)
    judgement = judge(submission, sender_basis=basis, received_on=today)
    postcode = submission.child.postcode
    area = gateway.postcodes.lookup(postcode.reveal()) if postcode else None
    routing = route(submission, area, gateway.directory, today, edition=gateway.postcodes.edition)
    receiver = _receiver(gateway.receivers.get(), routing.authority, submission)

    notification_id, delivery_id, reference = uuid4(), uuid4(), new_reference()
    nhs_number = submission.child.nhs_number
    domain = authority_domain(routing.authority)
    values = gateway.pseudonyms.all_live(domain, nhs_number) if nhs_number else []
    view = build_view(
        submission,
        judgement,
        routing,
        reference=reference,
        pseudonym=values[0][1] if values else gateway.pseudonyms.unlinked(),
        linked=bool(values),
        needs=_needs(submission.opinions, today),
        sender_ods=received.client.code,
    )
    _trip(view.content, submission)

    shred_key = new_shred_key()
    card = card_plaintext(submission.card, received.body)
    recipients = [
        RecipientPublicKey(k.kid, k.authority, Suite(k.suite), k.public_key, RecipientPurpose(k.purpose)) for k in receiver.live_keys
    ]

    def sealed(plaintext: bytes, kind: Literal["card", "original"]) -> Envelope:
        envelope = seal(
            plaintext,
            kind=kind,
            authority=routing.authority,
            notification_id=notification_id,
            view_digest=view.digest,
            recipients=recipients,
            shred_key=shred_key,
            signer=gateway.signing_key,
        )
        return Envelope(kind, envelope.header, envelope.signature, envelope.stored)

    opinion_on = judgement.opinion_formed_on or today
    acceptance = Acceptance(
        notification_id=notification_id,
        reference=reference,
        client_id=received.client.id,
        business_key=stable_digest(gateway, "business-identifier", _joined(submission.business_identifier)),
        message_id=notification_id,
        message_key=stable_digest(gateway, "message-id", submission.message_id.encode()),
        request_id=received.request_id,
        body_digest=stable_digest(gateway, "body", body),
        event=submission.reason.value,
        version_at=submission.version_at,
        authority=routing.authority,
        channel=receiver.channel,
        delivery_id=delivery_id,
        view=view.content,
        view_digest=view.digest,
        age_months_at_opinion=age_in_months(submission.child.birth_date, opinion_on),
        compulsory_school_age_on=compulsory_school_age_begins(submission.child.birth_date.reveal()),
        thread_values=tuple(values),
        proposed_thread=uuid4(),
        envelopes=(sealed(card, "card"), sealed(body, "original")),
        shred_key=shred_key,
        leaf=prepare_leaf(
            Event(
                "notification:accepted",
                at=now,
                actor=received.client.code,
                subject=str(notification_id),
                fields={
                    "authority": routing.authority,
                    "event": submission.reason.value,
                    "sender": received.client.code,
                    "reference": reference,
                    "view_digest": view.digest.hex(),
                    "legal_basis": judgement.legal_basis.value,
                    "edition": _term(routing.edition),
                    "pseudonym": gateway.pseudonyms.pseudonym("audit", nhs_number) if nhs_number else gateway.pseudonyms.unlinked(),
                },
            )
        ),
        at=now,
    )
    return Prepared(acceptance, reference, routing.authority, tuple(sorted(judgement.flags)))


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


def _require_own_sender(submission: Submission, client: Client) -> None:
    if not secrets.compare_digest(submission.sender.value.encode(), client.code.encode()):
        raise NotAllowed(Issue(Code.SENDER_MISMATCH, submission.places.get("sender")))


def _require_right_population(submission: Submission, deployment: Deployment) -> None:
    number: NhsNumber | None = submission.child.nhs_number
    if number is None:
        return
    if number.is_synthetic and deployment is Deployment.LIVE:
        raise Refused(Issue(Code.NHS_NUMBER_NOT_LIVE, submission.places.get("nhs-number")))
    if not number.is_synthetic and deployment is not Deployment.LIVE:
        raise Refused(Issue(Code.NHS_NUMBER_NOT_TEST, submission.places.get("nhs-number")))


def _receiver(receivers: Mapping[str, Receiver], authority: str, submission: Submission) -> Receiver:
    receiver = receivers.get(authority)
    if receiver is None or receiver.closed_at is not None:
        raise Refused(Issue(Code.AUTHORITY_NOT_SERVED, submission.places.get("receiver")))
    if not receiver.live_keys:
        raise Refused(Issue(Code.AUTHORITY_WITHOUT_KEY, submission.places.get("receiver")))
    return receiver


def _needs(opinions: Iterable[Opinion], on: date) -> list[ViewNeed]:
    needs: list[ViewNeed] = []
    for opinion in opinions:
        found = [answer for coding in opinion.codings if (answer := translate(coding.system, coding.code, on)) is not None]
        named = [(sen_type, answer) for answer in found for sen_type in answer.sen_types]
        for sen_type, answer in named:
            area = answer.areas[0] if answer.areas else None
            needs.append(ViewNeed(sen_type, area, opinion.certainty, opinion.kinds, answer.strength.value, answer.table_version))
        if not named:
            needs.append(ViewNeed(None, None, opinion.certainty, opinion.kinds, found[0].strength.value if found else None, None))
    return needs


def _trip(view: bytes, submission: Submission) -> None:
    try:
        search(view, submission.traces)
    except TripwireHit as hit:
        raise Refused(Issue(Code.QUARANTINED)) from hit


def _joined(identifier: Any) -> bytes:
    return f"{identifier.system}\x00{identifier.value}".encode()


def _term(text: str) -> str:
    return "".join(character if character.isalnum() or character in "._-" else "-" for character in text)[:200] or "unknown"
