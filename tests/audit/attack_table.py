# SPDX-License-Identifier: MIT
"""What a database administrator may try, who finds it and who misses it. A test tries it all; ``docs/audit.md`` prints this table."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum


class Attack(StrEnum):
    """What is done to a log of a thousand entries; whatever can be computed anew without a key is computed anew."""

    EDIT = "edits entry 700"
    DELETE = "deletes entry 700"
    INSERT = "inserts one at 700"
    TRUNCATE = "cuts the last 100 off"
    REWRITE = "rewrites from 700 on"
    RESTORE = "restores a backup of 900"
    SPLIT = "shows one reader another log from 700 on"
    UNLOG = "deletes an entry before it is in the log"


class Detector(StrEnum):
    """Who looks."""

    CHAIN = "a hash chain in the same database"
    TRIGGERS = "the database's own triggers"
    CHECKPOINT = "the signed checkpoint in the same database"
    AUDITOR = "an auditor's own checkpoint of 600"
    PROMISES = "the promises for entry 700 and for one not yet in the log"
    RECEIPT = "a receipt under a checkpoint of 800"
    GUARD = "the guard file on the sequencer's machine"
    GUARD_HELD = "the same, if he writes there too"
    WITNESS = "a witness that has cosigned 950"


class Power(StrEnum):
    """Whether the administrator, a superuser of the database, holds the log's key as well."""

    WITHOUT_KEY = "without the log's key"
    WITH_KEY = "with the log's key"


FIVE = (Attack.EDIT, Attack.DELETE, Attack.INSERT, Attack.TRUNCATE, Attack.REWRITE)
_BEFORE = {*FIVE, Attack.SPLIT}
_ALL_BUT_LOST = {*_BEFORE, Attack.RESTORE}

FOUND: dict[Detector, dict[Power, set[Attack]]] = {
    Detector.CHAIN: {Power.WITHOUT_KEY: set(), Power.WITH_KEY: set()},
    Detector.TRIGGERS: {Power.WITHOUT_KEY: set(), Power.WITH_KEY: set()},
    Detector.CHECKPOINT: {Power.WITHOUT_KEY: _BEFORE, Power.WITH_KEY: set()},
    Detector.AUDITOR: {Power.WITHOUT_KEY: _BEFORE, Power.WITH_KEY: set()},
    Detector.PROMISES: {
        Power.WITHOUT_KEY: {*_ALL_BUT_LOST, Attack.UNLOG},
        Power.WITH_KEY: {Attack.EDIT, Attack.DELETE, Attack.REWRITE, Attack.RESTORE, Attack.SPLIT, Attack.UNLOG},
    },
    Detector.RECEIPT: {Power.WITHOUT_KEY: _BEFORE, Power.WITH_KEY: _BEFORE - {Attack.TRUNCATE}},
    Detector.GUARD: {Power.WITHOUT_KEY: {*FIVE, Attack.RESTORE}, Power.WITH_KEY: {*FIVE, Attack.RESTORE}},
    Detector.GUARD_HELD: {Power.WITHOUT_KEY: set(), Power.WITH_KEY: set()},
    Detector.WITNESS: {Power.WITHOUT_KEY: _ALL_BUT_LOST, Power.WITH_KEY: _ALL_BUT_LOST},
}


def markdown() -> str:
    """Return the table as documentation prints it."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "| the administrator: | " + " | ".join(Attack) + " |"
    yield "|---|" + "---|" * len(Attack)
    for detector, found in FOUND.items():
        yield f"| {detector} | " + " | ".join(_cell(found, attack) for attack in Attack) + " |"


def _cell(found: dict[Power, set[Attack]], attack: Attack) -> str:
    with_key, without = (attack in found[power] for power in (Power.WITH_KEY, Power.WITHOUT_KEY))
    assert without or not with_key
    return "**found**" if with_key else "unless he signs" if without else "missed"
