# SPDX-License-Identifier: MIT
"""What the log is told of an acceptance: that it was accepted, split, queued, and what it changed of what was held."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from audit.events import Event, Value
from audit.log import Appended, prepare_leaf
from notify_gateway.domain.model import Withdrawal
from notify_gateway.store.amendment import Held
from notify_gateway.store.parties import Receiver
from notify_gateway.use_cases.examine import Examined
from notify_gateway.use_cases.split import Split


def of_acceptance(examined: Examined, split: Split, *, sender: str, message_id: UUID) -> Appended:
    """Return the leaf that says that the message was accepted: the one that the sender is promised."""
    return _leaf(
        "notification:accepted",
        examined.at,
        sender,
        split.notification_id,
        authority=examined.routing.authority,
        event=examined.submission.reason.value,
        sender=sender,
        message=str(message_id),
        reference=split.reference,
        view_digest=split.view.digest.hex(),
        legal_basis=examined.judgement.legal_basis.value,
        edition=_term(examined.routing.edition),
        pseudonym=split.audit_pseudonym,
    )


def of_consequences(examined: Examined, split: Split, held: Held | None, *, sender: str, delivery_id: UUID) -> tuple[Appended, ...]:
    """Return the leaves that say what the acceptance did: the split, to whose keys; the change of what was held; the delivery queued."""
    at, authority, receiver = examined.at, examined.routing.authority, examined.receiver
    subject = split.notification_id
    card, original = split.envelopes
    done = _leaf(
        "notification:split",
        at,
        "gateway",
        subject,
        authority=authority,
        view_digest=split.view.digest.hex(),
        card_digest=sha256(card.header).hexdigest(),
        original_digest=sha256(original.header).hexdigest(),
        keys=_keys(receiver),
    )
    changes: list[Appended] = []
    if held is not None:
        changes.append(_leaf("notification:amended", at, sender, subject, authority=authority, sender=sender))
        if held.authority != authority:
            changes.append(_leaf("notification:transferred", at, sender, subject, authority=authority, previous=held.authority))
    queued = queued_delivery(delivery_id, notification_id=subject, authority=authority, channel=receiver.channel, at=at)
    return (done, *changes, queued)


def of_withdrawal(withdrawal: Withdrawal, held: Held, *, sender: str, message_id: UUID, at: datetime) -> tuple[Appended, Appended]:
    """Return the leaf of the acceptance, and the one that says that the notification was withdrawn."""
    accepted = _leaf(
        "notification:accepted",
        at,
        sender,
        held.notification_id,
        authority=held.authority,
        event="delete",
        sender=sender,
        message=str(message_id),
        reference=held.reference,
        reason=withdrawal.status.value,
    )
    reason = withdrawal.status.value
    return accepted, _leaf("notification:withdrawn", at, sender, held.notification_id, authority=held.authority, reason=reason)


def queued_delivery(delivery_id: UUID, *, notification_id: UUID, authority: str, channel: str, at: datetime) -> Appended:
    """Return the leaf that says that a delivery waits for its channel."""
    fields: dict[str, Value] = {"notification": str(notification_id), "authority": authority, "channel": channel}
    return prepare_leaf(Event("delivery:queued", at=at, actor="gateway", subject=str(delivery_id), fields=fields))


def _leaf(tag: str, at: datetime, actor: str, notification_id: UUID, **fields: Value) -> Appended:
    return prepare_leaf(Event(tag, at=at, actor=actor, subject=str(notification_id), fields=fields))


def _keys(receiver: Receiver) -> str:
    """Return the ids of the keys that were sealed to, as many as a field of the log holds."""
    kids: list[str] = []
    for key in receiver.live_keys:
        if len(",".join([*kids, key.kid])) > 200:
            break
        kids.append(key.kid)
    return ",".join(kids)


def _term(text: str) -> str:
    """Return a name in the characters that the log's vocabulary allows."""
    return "".join(character if character.isalnum() or character in "._-" else "-" for character in text)[:200] or "unknown"
