# SPDX-License-Identifier: MIT
"""A database administrator who turns against the log: a superuser, who takes every trigger off and computes anew what needs no key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, Table, delete, insert, select, text

from audit.events import micros
from audit.export import head_line, leaf_line
from audit.log import prepare_leaf
from audit.merkle import Frontier, Node, leaf_hash, root_from_leaves
from audit.note import Checkpoint, Signer, sign_note
from audit.reading import export_lines
from tests.audit.attack_table import Attack
from tests.audit.builders import ALL_TABLES, ORIGIN, START, TABLES, Dump, LogUnderTest, events

CHAIN = Table("naive_chain", MetaData(), Column("idx", BigInteger, primary_key=True), Column("link", LargeBinary(32), nullable=False))
"""Each entry's hash over the one before, as other products store it: our log has none, and loses nothing by it."""


@dataclass(frozen=True)
class Plan:
    """Where the attacks strike, and what people outside hold, in entries of the log."""

    scale: int

    @property
    def whole(self) -> int:
        return 10 * self.scale

    @property
    def struck(self) -> int:
        return 7 * self.scale

    @property
    def auditor(self) -> int:
        return 6 * self.scale

    @property
    def receipt(self) -> int:
        return 8 * self.scale

    @property
    def backup(self) -> int:
        return 9 * self.scale

    @property
    def witness(self) -> int:
        return self.whole - self.scale // 2


@dataclass(frozen=True)
class Shown:
    """What somebody who asks is given: an export, with its checkpoint and its entries."""

    lines: list[bytes]
    note: str
    leaves: list[bytes]


class Administrator:
    """``key`` is the log's, or None."""

    def __init__(self, log: LogUnderTest, plan: Plan, *, honest: Dump, backup: Dump, key: Signer | None, superuser: bool = True) -> None:
        self._log, self._plan, self._honest, self._backup, self._key = log, plan, honest, backup, key
        self._superuser = superuser
        self._leaves = [bytes(row["leaf"]) for row in honest["audit_leaf"]]

    def attack(self, attack: Attack) -> Shown:
        """The attack is done; return what a reader is shown from now on."""
        old, at = self._leaves, self._plan.struck
        forged = [prepare_leaf(event).leaf for event in events(self._plan.whole, first=5000)]
        rewritten = [*old[:at], *forged[at:]]
        if attack is Attack.SPLIT:
            return self._export(rewritten)
        if attack is Attack.UNLOG:
            with self._log.engine.begin() as connection:
                self._take_off_guards(connection)
                connection.execute(delete(TABLES.pending))
            return self.shown()
        if attack is Attack.RESTORE:
            self._restore(forged)
            return self.shown()
        self._rebuild(
            {
                Attack.EDIT: [*old[:at], forged[0], *old[at + 1 :]],
                Attack.DELETE: [*old[:at], *old[at + 1 :]],
                Attack.INSERT: [*old[:at], forged[0], *old[at:]],
                Attack.TRUNCATE: old[: self._plan.backup],
                Attack.REWRITE: rewritten,
            }[attack]
        )
        return self.shown()

    def shown(self) -> Shown:
        """Return what the database gives whoever asks."""
        with self._log.engine.begin() as connection:
            lines = list(export_lines(connection, TABLES))
        return Shown(lines, self._log.checkpoint(), self._log.leaves())

    def _export(self, leaves: Sequence[bytes]) -> Shown:
        """An export made beside the database, which is not touched."""
        note = self._sign(leaves) or self._log.checkpoint()
        return Shown([head_line(note), *(leaf_line(index, leaf) for index, leaf in enumerate(leaves))], note, list(leaves))

    def _restore(self, forged: Sequence[bytes]) -> None:
        put(self._log, self._backup, superuser=self._superuser)
        if self._key is not None:  # the log goes on from there, with other entries than those that were lost
            self._rebuild([*self._leaves[: self._plan.backup], *forged[self._plan.backup :]])

    def _rebuild(self, leaves: Sequence[bytes]) -> None:
        """The tables tell these leaves, and contradict themselves nowhere; without the key the checkpoints stay as they are."""
        frontier, nodes = Frontier(), list[Node]()
        hashes = [leaf_hash(leaf) for leaf in leaves]
        frontier.extend(hashes, nodes)
        known = {bytes(row["leaf"]): row for row in self._honest["audit_leaf"]}
        fresh = iter(append_nowhere(len(leaves)))
        rows = [
            {**(known.get(leaf) or next(fresh)), "idx": index, "leaf": leaf, "leaf_hash": hashes[index]}
            for index, leaf in enumerate(leaves)
        ]
        note = self._sign(leaves)
        with self._log.engine.begin() as connection:
            self._take_off_guards(connection)
            for table in (TABLES.leaf, TABLES.node, TABLES.head):
                connection.execute(delete(table))
            connection.execute(insert(TABLES.leaf), rows)
            connection.execute(insert(TABLES.node), [{"level": level, "pos": pos, "hash": node} for level, pos, node in nodes])
            connection.execute(insert(TABLES.head).values(id=1, size=len(leaves), root=frontier.root(), epoch=0))
            if note:
                same = next((at for at, leaf in enumerate(leaves) if leaf not in known), len(leaves))
                connection.execute(delete(TABLES.checkpoint).where(TABLES.checkpoint.c.size > min(same, len(leaves) - 1)))
                row = {"size": len(leaves), "root": frontier.root(), "note": note, "signed_at": micros(START)}
                connection.execute(insert(TABLES.checkpoint), row)
            chain(connection, leaves)

    def _sign(self, leaves: Sequence[bytes]) -> str | None:
        if self._key is None:
            return None
        return sign_note(Checkpoint(ORIGIN, len(leaves), root_from_leaves(map(leaf_hash, leaves))).to_text(), self._key)

    def _take_off_guards(self, connection: Connection) -> None:
        if self._superuser:
            take_off_guards(connection)


def take_off_guards(connection: Connection) -> None:
    """Within this transaction no trigger of PostgreSQL runs, which only a superuser can bring about."""
    connection.execute(text("SET LOCAL session_replication_role = replica"))


def put(log: LogUnderTest, dump: Dump, *, superuser: bool = True) -> None:
    """The tables hold these rows, as after the restoring of a backup."""
    with log.engine.begin() as connection:
        if superuser:
            take_off_guards(connection)
        for table in ALL_TABLES:
            connection.execute(delete(table))
            if dump[table.name]:
                connection.execute(insert(table), dump[table.name])
        chain(connection, [bytes(row["leaf"]) for row in dump["audit_leaf"]])


def chain(connection: Connection, leaves: Sequence[bytes]) -> None:
    """The stored hash chain is computed anew over these leaves."""
    connection.execute(delete(CHAIN))
    connection.execute(insert(CHAIN), [{"idx": index, "link": link} for index, link in enumerate(links(leaves))])


def chain_holds(connection: Connection) -> bool:
    """Tell whether every stored link is what its entry and the link before it make."""
    leaves = [bytes(leaf) for leaf in connection.scalars(select(TABLES.leaf.c.leaf).order_by(TABLES.leaf.c.idx))]
    return links(leaves) == [bytes(link) for link in connection.scalars(select(CHAIN.c.link).order_by(CHAIN.c.idx))]


def links(leaves: Sequence[bytes]) -> list[bytes]:
    found, link = [], bytes(32)
    for leaf in leaves:
        link = sha256(link + leaf).digest()
        found.append(link)
    return found


def append_nowhere(count: int) -> list[dict[str, Any]]:
    """Rows of entries that never happened."""
    made = [prepare_leaf(event) for event in events(count, first=9000)]
    return [{"event_id": each.event_id, "created_at": each.created_at, "subject": each.subject, "tag": each.tag} for each in made]
