# SPDX-License-Identifier: MIT
"""Tiles of the tree, 256 hashes each, by which any tlog client follows the log (https://c2sp.org/tlog-tiles)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from audit.merkle import consistency_proof, consistency_ranges
from audit.reading import LogDamaged, latest_signed, node_reader
from audit.tables import AuditTables

WIDTH = 256
_HEIGHT = 8
_ENTRIES = "entries"
_TILE = re.compile(r"(?P<level>[0-9]|[1-5][0-9]|6[0-3]|entries)/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?")
_MOST_ENTRY = 0xFFFF


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of hashes at a level, or (level None) a bundle of entries; ``width`` is 256 unless the tile is the ragged last one."""

    level: int | None
    index: int
    width: int = WIDTH

    @classmethod
    def from_path(cls, path: str) -> Tile | None:
        """Return the tile that the path below ``tile/`` names in the one form that it has, or None."""
        match = _TILE.fullmatch(path)
        if match is None:
            return None
        level = None if match["level"] == _ENTRIES else int(match["level"])
        tile = cls(level, int(re.sub("[x/]", "", match["index"])), int(match["width"] or WIDTH))
        return tile if tile.path == path else None

    @property
    def path(self) -> str:
        """The path below ``tile/``; a number is written in groups of three digits, all but the last behind an x."""
        digits = f"{self.index:03}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        ragged = "" if self.width == WIDTH else f".p/{self.width}"
        return f"{_ENTRIES if self.level is None else self.level}/{number}{ragged}"


def read_tile(connection: Connection, tables: AuditTables, tile: Tile) -> bytes | None:
    """Return the tile's hashes, one after the other, or its entries, each behind its length in two bytes; None if it is not in the log.

    Nothing is shown that no checkpoint has signed. LogDamaged if the tables lack what was signed.
    """
    signed = latest_signed(connection, tables)
    start, end = tile.index * WIDTH, tile.index * WIDTH + tile.width
    if signed is None or tile.width > WIDTH or end > signed.size >> (_HEIGHT * (tile.level or 0)):
        return None
    leaf, node = tables.leaf.c, tables.node.c
    if tile.level is None:
        query = select(leaf.leaf).where(leaf.idx >= start, leaf.idx < end).order_by(leaf.idx)
    elif tile.level == 0:
        query = select(leaf.leaf_hash).where(leaf.idx >= start, leaf.idx < end).order_by(leaf.idx)
    else:
        query = select(node.hash).where(node.level == _HEIGHT * tile.level, node.pos >= start, node.pos < end).order_by(node.pos)
    parts = connection.scalars(query).all()
    if len(parts) != tile.width:
        raise LogDamaged("a part of the log is missing")
    return b"".join(parts) if tile.level is not None else _bundle(parts)


def prove_consistency(connection: Connection, tables: AuditTables, *, old: int, new: int) -> list[bytes] | None:
    """Return the proof that the log of ``new`` entries begins with that of ``old``; None unless both are sizes of the signed log."""
    signed = latest_signed(connection, tables)
    if signed is None or not 0 < old <= new <= signed.size:
        return None
    return consistency_proof(old, new, node_reader(connection, tables, consistency_ranges(old, new)))


def _bundle(entries: Sequence[bytes]) -> bytes:
    if any(len(entry) > _MOST_ENTRY for entry in entries):
        raise LogDamaged("an entry is longer than a bundle can hold")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
