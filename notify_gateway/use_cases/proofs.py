# SPDX-License-Identifier: MIT
"""Proofs of the log for those who were promised them, and whether the log keeps up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, select

from audit.cosigned import WitnessStanding, instant, published, standings
from audit.events import micros
from audit.reading import Signed, latest_checkpoint, oldest_pending_age, receipt_for, signed_of_size
from audit.succession import current_origin
from audit.tiles import Tile, prove_consistency, read_tile
from audit.timestamped import Stamped, due_since, stamped
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, Refused, Unavailable
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, cosigning_tables, succession_tables, timestamps
from notify_gateway.use_cases.gateway import Core, Gateway
from notify_gateway.use_cases.shards import proof_in_closed

_STAMPED_WITHIN = timedelta(minutes=5)
"""Time that a stamp may take before a warning says that it is due."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A leaf, word for word, and the receipt that proves its place in the log; both are needed to verify offline."""

    leaf: bytes
    receipt: str


def proof_of(gateway: Gateway, event_id: UUID) -> Proof:
    """Return the proof of an event; raises ``Unavailable`` while it waits to be signed, ``NotFound`` when there is no such event, or its
    closed log's entries were deleted."""
    with reading(gateway.engine).begin() as connection:
        held, pending = audit_tables.leaf.c, audit_tables.pending.c
        # In the order in which events move: whoever looked at the log first could miss one that is sequenced between the two looks.
        waiting = connection.scalar(select(pending.event_id).where(pending.event_id == event_id))
        leaf = connection.scalar(select(held.leaf).where(held.event_id == event_id))
        cosigned = _cosigned(connection, gateway)
        receipt = receipt_for(connection, audit_tables, event_id, preferred=cosigned)
        if leaf is None and waiting is None:
            leaf, receipt = proof_in_closed(connection, event_id)
    if leaf is not None and receipt is not None:
        return Proof(leaf, receipt)
    if leaf is None and waiting is None:
        raise NotFound(Issue(Code.TASK_UNKNOWN))
    raise Unavailable(Code.LOG_BEHIND, retry_after=1)


def proofs_of(gateway: Gateway, events: Mapping[str, UUID]) -> dict[str, Proof]:
    """Return the proof of each event, without those whose entries were deleted with a closed log; raises what ``proof_of`` raises, and
    ``NotFound`` when there were some and all were deleted."""
    found: dict[str, Proof] = {}
    for name, event in events.items():
        try:
            found[name] = proof_of(gateway, event)
        except NotFound as error:
            if error.issues[0].code != Code.LOG_ENTRIES_DELETED:
                raise
    if events and not found:
        raise NotFound(Issue(Code.LOG_ENTRIES_DELETED))
    return found


def checkpoint(gateway: Gateway) -> str | None:
    """Return the checkpoint to hand out, or None before the first.

    Without witnesses it is the latest. With them it is the latest that they have cosigned as the policy asks, with their cosignatures,
    as long as it is not older than the promise allows; a witness that is away holds nothing back.
    """
    with reading(gateway.engine).begin() as connection:
        if gateway.witnesses is None:
            return latest_checkpoint(connection, audit_tables)
        found = _cosigned(connection, gateway, within=gateway.settings.promise_within // timedelta(microseconds=1))
    return found.note if found else None


def _cosigned(connection: Connection, gateway: Gateway, *, within: int | None = None) -> Signed | None:
    if gateway.witnesses is None:
        return None
    return published(connection, audit_tables, cosigning_tables, gateway.witnesses, within=within)


def checkpoint_of(gateway: Gateway, size: int) -> str:
    """Return the signed checkpoint of exactly this size, without cosignatures; raises ``NotFound`` where none was signed."""
    with reading(gateway.engine).begin() as connection:
        found = signed_of_size(connection, audit_tables, size)
    if found is None:
        raise NotFound(Issue(Code.LOG_CHECKPOINT_UNKNOWN))
    return found.note


def timestamp(gateway: Gateway, size: int | None = None) -> Stamped:
    """Return the log's newest time stamp, or that of the checkpoint of ``size``; raises ``NotFound`` where there is none."""
    with reading(gateway.engine).begin() as connection:
        found = stamped(connection, audit_tables, timestamps, size=size)
    if found is None:
        raise NotFound(Issue(Code.LOG_TIMESTAMP_UNKNOWN))
    return found


def timestamp_standing(gateway: Gateway) -> tuple[bool, str]:
    """Return whether the log is time-stamped as often as is set, and what there is to say of it."""
    now = micros(gateway.clock.now())
    with reading(gateway.engine).begin() as connection:
        last = stamped(connection, audit_tables, timestamps)
        due = due_since(connection, audit_tables, timestamps, gateway.settings.timestamp_every // timedelta(microseconds=1))
    said = f"the last is of {instant(last.requested_at):%Y-%m-%d %H:%M:%S} UTC" if last else "there is none yet"
    if due is None or now - due < _STAMPED_WITHIN // timedelta(microseconds=1):
        return True, said
    return False, f"{said}; a further one is due since {instant(due):%Y-%m-%d %H:%M:%S} UTC: the sequencer's log says what hinders it"


def witnesses(gateway: Gateway) -> list[WitnessStanding]:
    """Return how each witness that is asked stands."""
    if gateway.witnesses is None:
        return []
    with reading(gateway.engine).begin() as connection:
        return standings(connection, cosigning_tables, gateway.witnesses)


def tile(gateway: Gateway, wanted: Tile) -> bytes:
    """Return a tile of the signed log; raises ``NotFound`` where the log has not grown to."""
    with reading(gateway.engine).begin() as connection:
        found = read_tile(connection, audit_tables, wanted)
    if found is None:
        raise NotFound(Issue(Code.LOG_TILE_UNKNOWN))
    return found


def consistency(gateway: Gateway, *, old: int, new: int) -> list[bytes]:
    """Return the proof that the log of ``new`` entries begins with that of ``old``; raises ``Refused`` for sizes that it cannot be of."""
    with reading(gateway.engine).begin() as connection:
        proof = prove_consistency(connection, audit_tables, old=old, new=new)
    if proof is None:
        raise Refused(Issue(Code.LOG_SIZES))
    return proof


def require_log_in_time(gateway: Gateway) -> None:
    """Raise ``Unavailable`` when the oldest pending event is older than the promise allows, or the log is not signed at all.

    Nothing more is accepted or disclosed then.
    """
    if stopped(gateway) is not None:
        raise Unavailable(Code.LOG_STOPPED, retry_after=60)
    age = pending_age(gateway)
    if age is not None and age > gateway.settings.promise_within.total_seconds():
        raise Unavailable(Code.LOG_BEHIND, retry_after=10)


def stopped(core: Core) -> str | None:
    """Return why the log is not signed, or None when nothing hinders it."""
    with reading(core.engine).begin() as connection:
        reason: str | None = connection.scalar(select(succession_tables.stop.c.reason))
        origin = current_origin(connection, succession_tables)
    if reason is None and origin is not None and origin != core.settings.log_origin:
        return "the log was closed, and the next one has another name than the one that is set"
    return reason


def pending_age(gateway: Gateway) -> float | None:
    """Return the age in seconds of the oldest event that is not in the log yet, or None when there is none."""
    with reading(gateway.engine).begin() as connection:
        return oldest_pending_age(connection, audit_tables, gateway.clock.now())
