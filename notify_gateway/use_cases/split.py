# SPDX-License-Identifier: MIT
"""The split: one message becomes a pseudonymous view for the many and two sealed envelopes for the one (design: what is kept, for whom)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.domain.model import Judgement, Routing, Submission
from notify_gateway.domain.refs import new_reference
from notify_gateway.privacy.cards import card_plaintext
from notify_gateway.privacy.keys import RecipientPublicKey, RecipientPurpose, Suite
from notify_gateway.privacy.pseudonyms import authority_domain
from notify_gateway.privacy.sealing import new_shred_key, seal
from notify_gateway.privacy.tripwire import TripwireHit, search
from notify_gateway.privacy.view import View, ViewNeed, build_view
from notify_gateway.store.acceptance import Envelope
from notify_gateway.store.parties import Receiver
from notify_gateway.use_cases.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Addressed:
    """What is decided before the split: the law's judgement, the authority, and the ids of what is being notified or amended."""

    judgement: Judgement
    routing: Routing
    receiver: Receiver
    sender_ods: str
    notification_id: UUID
    needs: tuple[ViewNeed, ...]
    reference: str | None
    """The reference that the notification bears already; None for a new one."""


@dataclass(frozen=True, slots=True)
class Split:
    """The two halves, neither of which tells who the child is to anybody in between."""

    notification_id: UUID
    reference: str
    view: View
    thread_values: tuple[tuple[int, str], ...]
    audit_pseudonym: str
    envelopes: tuple[Envelope, Envelope]
    shred_key: bytes


def split_identity(gateway: Gateway, submission: Submission, body: PrivateBytes, addressed: Addressed) -> Split:
    """Return view and envelopes of a submission; ``body`` is the message exactly as received.

    Raises ``Refused`` (quarantined) when one of the child's own identifiers is found in the view that would go out.
    """
    routing, number = addressed.routing, submission.child.nhs_number
    reference = addressed.reference or new_reference()
    view, values = outgoing_view(gateway, submission, addressed, reference)
    shred_key = new_shred_key()
    recipients = [
        RecipientPublicKey(key.kid, key.authority, Suite(key.suite), key.public_key, RecipientPurpose(key.purpose))
        for key in addressed.receiver.live_keys
    ]

    def sealed(kind: Literal["card", "original"], plaintext: bytes) -> Envelope:
        envelope = seal(
            plaintext,
            kind=kind,
            authority=routing.authority,
            notification_id=addressed.notification_id,
            view_digest=view.digest,
            recipients=recipients,
            shred_key=shred_key,
            signer=gateway.signing_key,
        )
        return Envelope(kind, envelope.header, envelope.signature, envelope.stored)

    return Split(
        notification_id=addressed.notification_id,
        reference=reference,
        view=view,
        thread_values=values,
        audit_pseudonym=gateway.pseudonyms.pseudonym("audit", number) if number else gateway.pseudonyms.unlinked(),
        envelopes=(sealed("card", card_plaintext(submission.card, body)), sealed("original", body.reveal())),
        shred_key=shred_key,
    )


def outgoing_view(
    gateway: Gateway, submission: Submission, addressed: Addressed, reference: str
) -> tuple[View, tuple[tuple[int, str], ...]]:
    """Return the view under ``reference``, and the pseudonyms by which the authority may link the child.

    Raises ``Refused`` (quarantined) when one of the child's own identifiers is found in it.
    """
    routing, number = addressed.routing, submission.child.nhs_number
    values = tuple(gateway.pseudonyms.all_live(authority_domain(routing.authority), number)) if number else ()
    view = build_view(
        submission,
        addressed.judgement,
        routing,
        reference=reference,
        pseudonym=values[0][1] if values else gateway.pseudonyms.unlinked(),
        linked=bool(values),
        needs=addressed.needs,
        sender_ods=addressed.sender_ods,
    )
    try:
        search(view.content, submission.traces)
    except TripwireHit:
        raise Refused(Issue(Code.QUARANTINED)) from None
    return view, values
