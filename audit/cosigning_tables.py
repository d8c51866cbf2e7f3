# SPDX-License-Identifier: MIT
"""The witnesses' tables, beside the log's own: their cosignatures, and how each of them last answered."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, MetaData, Table, Text


@dataclass(frozen=True, slots=True)
class CosigningTables:
    """Nothing in them has to be believed: a cosignature is verified whenever it is used."""

    cosignature: Table
    witness: Table


def define(metadata: MetaData) -> CosigningTables:
    """Return the witnesses' tables, now part of ``metadata``. Instants are microseconds since 1970 in UTC; names are the policy's."""
    return CosigningTables(
        cosignature=Table(
            "audit_cosignature",
            metadata,
            Column("size", BigInteger, primary_key=True, autoincrement=False),
            Column("witness_name", Text, primary_key=True),
            Column("at", BigInteger, primary_key=True, autoincrement=False),
            Column("line", Text, nullable=False),
        ),
        witness=Table(
            "audit_witness",
            metadata,
            Column("name", Text, primary_key=True),
            Column("answer", Text, nullable=False),
            Column("since", BigInteger, nullable=False),
        ),
    )
