# SPDX-License-Identifier: MIT
"""Tables of what the checks of the invariants found, and of when work that is done from time to time was last begun."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text, Uuid

from notify_gateway.store.engine import Instant


def define(metadata: MetaData) -> tuple[Table, Table]:
    """Return the tables of findings and of periodic work, now part of ``metadata``. References are ours (SEN-…) or ids, never a child's."""
    findings = Table(
        "invariant_findings",
        metadata,
        Column("run_id", Uuid, primary_key=True),
        Column("name", String(40), primary_key=True),
        Column("place", Integer, nullable=False),
        Column("at", Instant, nullable=False, index=True),
        Column("reach", String(8), nullable=False),
        Column("level", String(8), nullable=False),
        Column("count", BigInteger, nullable=False),
        Column("refs", Text, nullable=False),
        Column("said", String(400), nullable=False),
        Column("took_ms", Integer, nullable=False),
    )
    # One row for each kind of work: whoever moves its instant does the work, and nobody else until it is due again.
    periodic = Table(
        "periodic_work",
        metadata,
        Column("name", String(40), primary_key=True),
        Column("begun_at", Instant, nullable=False),
    )
    return findings, periodic
