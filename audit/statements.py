# SPDX-License-Identifier: MIT
"""The statements of a sequencer's turn, made once: a turn comes many times a second, and making a statement costs as much as sending it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import Delete, Select, Update, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert

from audit.tables import AuditTables


@dataclass(frozen=True, slots=True)
class Statements:
    """What is asked in a turn, and what is changed.

    ``look``: the head, and whether anything is pending; ``waits``: that alone. ``move`` copies at most ``most`` pending rows, in their
    order, behind the index ``last``, and returns them; ``clear`` takes what was copied from index ``size`` on out of what is pending.
    ``advance`` moves the head if it is still the old one. ``state``: the head, and the size that was signed last.
    """

    look: Select[tuple[int, bytes, int, bool]]
    waits: Select[tuple[bool]]
    move: ReturningInsert[tuple[int, bytes, bytes]]
    clear: Delete
    advance: Update
    state: Select[tuple[int, bytes, int, int]]


@cache
def statements_of(tables: AuditTables) -> Statements:
    """Return the statements for one log's tables."""
    head, leaf, pending, checkpoint = tables.head.c, tables.leaf.c, tables.pending.c, tables.checkpoint.c
    waits = exists(select(pending.event_id))
    first = select(tables.pending).order_by(pending.arrival).limit(bindparam("most")).subquery()
    columns = ["event_id", "leaf", "leaf_hash", "created_at", "subject", "tag"]
    place = bindparam("last", type_=leaf.idx.type) + func.row_number().over(order_by=first.c.arrival)
    placed = insert(tables.leaf).from_select(["idx", *columns], select(place, *(first.c[name] for name in columns)))
    copied = select(leaf.event_id).where(leaf.idx >= bindparam("size"))
    same = (head.id == 1, head.size == bindparam("old_size"), head.root == bindparam("old_root"), head.epoch == bindparam("old_epoch"))
    newest = select(func.max(checkpoint.size)).scalar_subquery()
    return Statements(
        look=select(head.size, head.root, head.epoch, waits.label("waiting")),
        waits=select(waits),
        move=placed.returning(leaf.idx, leaf.leaf, leaf.leaf_hash),
        clear=delete(tables.pending).where(pending.event_id.in_(copied)),
        advance=update(tables.head).where(*same).values(size=bindparam("new_size"), root=bindparam("new_root")),
        state=select(head.size, head.root, head.epoch, newest.label("newest")),
    )
