# SPDX-License-Identifier: MIT
"""Which checkpoint to hand out where there are witnesses, and how each witness stands. A cosignature is verified whenever it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from sqlalchemy import Connection, select

from audit.cosignature import attach
from audit.cosigning_tables import CosigningTables
from audit.note import NoteRefused
from audit.policy import Policy
from audit.reading import Signed, latest_signed
from audit.tables import AuditTables

COSIGNED = "cosigned"
_LOOKED_AT = 64
"""Cosignatures that are looked at, the newest first, to find one checkpoint with enough of them."""


def published(
    connection: Connection, tables: AuditTables, cosigning: CosigningTables, policy: Policy, *, within: int | None = None
) -> Signed | None:
    """Return the checkpoint to hand out, with its cosignatures; None before the first.

    It is the newest that has a cosignature and enough of them for the policy, unless it was signed more than ``within``
    microseconds before the newest of all, or there is none: then it is the newest, with the cosignatures that it has.
    """
    newest = latest_signed(connection, tables)
    if newest is None:
        return None
    stored, held = cosigning.cosignature.c, tables.checkpoint.c
    query = (
        select(stored.size, stored.line, held.note, held.signed_at)
        .join(tables.checkpoint, held.size == stored.size)
        .order_by(stored.size.desc(), stored.at.desc())
        .limit(_LOOKED_AT)
    )
    found = newest
    for size, group in groupby(connection.execute(query), lambda row: int(row.size)):
        rows = list(group)
        if within is not None and rows[0].signed_at < newest.signed_at - within:
            break
        try:
            note = attach(rows[0].note, [row.line for row in rows])
            tally = policy.tally(note)
        except NoteRefused:
            continue  # who may write to the table may spoil a checkpoint's cosignatures, and not what is handed out
        if size == newest.size:
            found = Signed(size, note, newest.signed_at)
        if tally.cosigned and tally.enough:
            return Signed(size, note, rows[0].signed_at)
    return found


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """How a witness stands: its last answer, since when it has answered so (None: it was never asked), and what it last cosigned."""

    name: str
    answer: str | None
    since: datetime | None
    cosigned_size: int
    cosigned_at: datetime | None

    @property
    def well(self) -> bool:
        """Whether the witness cosigned when it was last asked."""
        return self.answer == COSIGNED

    def sentence(self) -> str:
        """Return the standing in plain English."""
        last = f"its last cosignature is of {self.cosigned_at:%Y-%m-%d %H:%M:%S} UTC" if self.cosigned_at else "it has cosigned nothing"
        if self.answer is None or self.since is None:
            return f"{self.name}: was not asked yet"
        if self.well:
            return f"{self.name}: cosigns; {last}"
        return f"{self.name}: {self.answer} since {self.since:%Y-%m-%d %H:%M:%S} UTC; {last}"


def standings(connection: Connection, cosigning: CosigningTables, policy: Policy) -> list[WitnessStanding]:
    """Return how each witness of the policy that has an address stands, in the policy's order."""
    stored, answers = cosigning.cosignature.c, cosigning.witness.c
    answered = {row.name: row for row in connection.execute(select(answers.name, answers.answer, answers.since))}
    found = []
    for witness in policy.witnesses:
        if witness.url is None:
            continue
        last = connection.execute(
            select(stored.size, stored.at)
            .where(stored.witness_name == witness.name)
            .order_by(stored.size.desc(), stored.at.desc())
            .limit(1)
        ).one_or_none()
        row = answered.get(witness.name)
        found.append(
            WitnessStanding(
                witness.name,
                row.answer if row else None,
                instant(row.since) if row else None,
                last.size if last else 0,
                instant(last.at) if last else None,
            )
        )
    return found


def instant(microseconds: int) -> datetime:
    """Return the instant that is kept as microseconds since 1970."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
