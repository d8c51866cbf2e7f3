# SPDX-License-Identifier: MIT
"""The table of time stamps, beside the log's own."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table


def define(metadata: MetaData) -> Table:
    """Return the table, now part of ``metadata``: what a time-stamping authority answered, byte for byte, by epoch of the log and size.

    Instants are microseconds since 1970 in UTC. Nothing in it has to be believed: whoever relies on a token verifies it.
    """
    return Table(
        "audit_timestamp",
        metadata,
        Column("epoch", Integer, primary_key=True, autoincrement=False),
        Column("size", BigInteger, primary_key=True, autoincrement=False),
        Column("requested_at", BigInteger, nullable=False),
        Column("reply", LargeBinary, nullable=False),
    )
