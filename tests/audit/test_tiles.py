# SPDX-License-Identifier: MIT
"""Tiles: whoever holds them and a checkpoint holds the tree, and needs nobody's word for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import HASH_SIZE, ReadNode, consistency_proof, leaf_hash, node_hash, root_from_leaves, verify_consistency
from audit.note import Checkpoint, open_checkpoint
from audit.reading import LogDamaged
from audit.tiles import WIDTH, Tile, prove_consistency, read_tile
from tests.audit.builders import SIGNER, TABLES, LogUnderTest


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, 10**17 - 1), st.integers(1, WIDTH))
def test_a_path_leads_back_to_its_tile(level: int | None, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert Tile.from_path(tile.path) == tile


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "0/000"),
        (Tile(1, 1234067), "1/x001/x234/067"),
        (Tile(0, 273, 112), "0/273.p/112"),
        (Tile(None, 1000), "entries/x001/000"),
    ],
)
def test_paths_are_those_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "0/0",
        "0/x000/000",
        "64/000",
        "00/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "data/000",
        "0/001/000",
        "0/\u0661\u0662\u0663",
    ],
)
def test_a_path_in_any_other_form_names_no_tile(path: str) -> None:
    assert Tile.from_path(path) is None


@given(st.text(alphabet="0123456789x/.pentris", max_size=30))
def test_any_text_names_one_tile_or_none(path: str) -> None:
    tile = Tile.from_path(path)
    assert tile is None or tile.path == path


class Follower:
    """A tlog client: holds a checkpoint's size and fetches tiles."""

    def __init__(self, log: LogUnderTest, size: int) -> None:
        self._log, self._size = log, size

    def tile(self, level: int, index: int) -> list[bytes]:
        there = (self._size >> (8 * level)) - index * WIDTH
        with self._log.engine.begin() as connection:
            data = read_tile(connection, TABLES, Tile(level, index, min(there, WIDTH)))
        assert data is not None
        return [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]

    def node(self, level: int, position: int) -> bytes:
        """A node between two levels of tiles is made of the tile below it."""
        high, low = divmod(level, 8)
        first = position << low
        hashes = self.tile(high, first // WIDTH)[first % WIDTH :][: 1 << low]
        while len(hashes) > 1:
            hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]


def test_the_checkpoints_root_and_every_proof_can_be_made_from_tiles_alone(log: LogUnderTest) -> None:
    sequencer = log.sequencer()
    log.add(700)
    while sequencer.run_once():
        pass
    signed = open_checkpoint(log.checkpoint(), SIGNER.verifier)
    read: ReadNode = Follower(log, signed.size).node
    leaves = [hash_ for index in range(3) for hash_ in Follower(log, signed.size).tile(0, index)]
    assert leaves == [leaf_hash(leaf) for leaf in log.leaves()]
    assert root_from_leaves(leaves) == signed.root
    assert Follower(log, signed.size).tile(1, 0) == [root_from_leaves(leaves[:256]), root_from_leaves(leaves[256:512])]
    for old in (1, 255, 256, 300, 512, 699):
        proof = consistency_proof(old, signed.size, read)
        verify_consistency(old=old, new=signed.size, old_root=root_from_leaves(leaves[:old]), new_root=signed.root, proof=proof)
        with log.engine.begin() as connection:
            assert prove_consistency(connection, TABLES, old=old, new=signed.size) == proof


def test_a_bundle_holds_the_entries_each_behind_its_length(log: LogUnderTest) -> None:
    log.add(5)
    log.sequencer().run_once()
    with log.engine.begin() as connection:
        bundle = read_tile(connection, TABLES, Tile(None, 0, 5))
    assert bundle == b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in log.leaves())


def test_nothing_is_shown_that_no_checkpoint_has_signed(log: LogUnderTest) -> None:
    with log.engine.begin() as connection:
        assert read_tile(connection, TABLES, Tile(0, 0, 1)) is None
        assert prove_consistency(connection, TABLES, old=1, new=1) is None
    log.add(3)
    log.sequencer().run_once()
    with log.engine.begin() as connection:
        assert read_tile(connection, TABLES, Tile(0, 0, 3)) is not None
        for beyond in (Tile(0, 0, 4), Tile(0, 0), Tile(0, 1, 1), Tile(1, 0, 1), Tile(None, 0, 4)):
            assert read_tile(connection, TABLES, beyond) is None
        for old, new in ((0, 3), (3, 2), (3, 4), (4, 4)):
            assert prove_consistency(connection, TABLES, old=old, new=new) is None


def test_a_log_that_lacks_what_was_signed_says_so(log: LogUnderTest) -> None:
    log.add(3)
    log.sequencer().run_once()
    with log.engine.begin() as connection:
        connection.execute(TABLES.leaf.delete().where(TABLES.leaf.c.idx == 1))
    with log.engine.begin() as connection, pytest.raises(LogDamaged):
        read_tile(connection, TABLES, Tile(0, 0, 3))


def test_a_checkpoint_of_the_follower_is_what_was_signed(log: LogUnderTest) -> None:
    log.add(2)
    log.sequencer().run_once()
    assert open_checkpoint(log.checkpoint(), SIGNER.verifier) == Checkpoint(
        SIGNER.name, 2, root_from_leaves(leaf_hash(leaf) for leaf in log.leaves())
    )
