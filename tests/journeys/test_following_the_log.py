# SPDX-License-Identifier: MIT
"""Anybody follows the log over HTTP: checkpoint, tiles and proofs of consistency are public; entries are not."""

from __future__ import annotations

from base64 import b64decode

from audit.merkle import leaf_hash, root_from_leaves, verify_consistency
from audit.note import Checkpoint, open_checkpoint
from audit.tiles import WIDTH, Tile
from tests.support.answers import Acceptance, issue_codes
from tests.support.messages import a_message
from tests.support.service import RunningService


def checkpoint(service: RunningService) -> Checkpoint:
    answer = service.clients[0].get("/log/checkpoint")
    assert answer.status_code == 200
    return open_checkpoint(answer.text, service.runtime.public.log)


def hashes(service: RunningService, size: int) -> list[bytes]:
    found = b""
    for index in range(-(-size // WIDTH)):
        tile = Tile(0, index, min(WIDTH, size - index * WIDTH))
        answer = service.clients[0].get(f"/log/tile/{tile.path}")
        assert answer.status_code == 200, tile
        assert "immutable" in answer.headers["Cache-Control"]
        found += answer.content
    return [found[start : start + 32] for start in range(0, len(found), 32)]


def accepted_and_signed(service: RunningService) -> bytes:
    """Have a message accepted and return the hash of its leaf, once it is in the signed log."""
    said = Acceptance.of(service.post(a_message(), headers={"Prefer": "wait=5"}))
    service.receipt(said.task_id)
    return leaf_hash(said.leaf)


def test_a_follower_needs_only_what_is_public(service: RunningService) -> None:
    first = accepted_and_signed(service)
    earlier = checkpoint(service)
    second = accepted_and_signed(service)
    later = checkpoint(service)
    seen = hashes(service, later.size)
    assert first in seen[: earlier.size]
    assert second in seen[earlier.size :]
    assert root_from_leaves(seen) == later.root
    assert root_from_leaves(seen[: earlier.size]) == earlier.root
    answer = service.clients[0].get("/log/consistency", params={"from": earlier.size, "to": later.size})
    proof = [b64decode(line) for line in answer.text.split()]
    verify_consistency(old=earlier.size, new=later.size, old_root=earlier.root, new_root=later.root, proof=proof)


def test_entries_are_not_public_and_what_is_not_there_is_said_to_be_not_there(service: RunningService) -> None:
    accepted_and_signed(service)
    get = service.clients[0].get
    assert [get(f"/log/tile/entries/{path}").status_code for path in ("000.p/1", "000", "nonsense")] == [401, 401, 401]
    for path in ("0/x999/999", "0/000.p/0", "0/..%2f000", "9/000", "0/000.p/1/x"):
        answer = get(f"/log/tile/{path}")
        assert (answer.status_code, issue_codes(answer)) == (404, ["NG-8001"]), path
    for sizes in (
        {},
        {"from": "0", "to": "1"},
        {"from": "1", "to": "99999999"},
        {"from": "-1", "to": "1"},
        {"from": "1" * 5000, "to": "\u0661"},
    ):
        answer = get("/log/consistency", params=sizes)
        assert (answer.status_code, issue_codes(answer)) == (400, ["NG-8002"]), sizes
