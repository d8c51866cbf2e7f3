# SPDX-License-Identifier: MIT
"""A witness's judgement: each rule of add-checkpoint, its memory, and forks that it never signs."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.cosignature import WitnessSigner, attach, cosignatures
from audit.merkle import EMPTY_ROOT
from audit.note import Checkpoint, Signer, open_checkpoint, sign_note, split_note
from audit.witness import NotCosigned, Request, StateRefused, Why, Witness, make_state, parse_request
from tests.audit.trees import Tree

LOG = Signer.from_seed("log.example/2026", b"1" * 32)
ROTATED = Signer.from_seed("log.example/2026", b"2" * 32)
OTHER_LOG = Signer.from_seed("log.example/other", b"3" * 32)
STRANGER = Signer.from_seed("log.example/2026", b"4" * 32)
ICB = WitnessSigner.from_seed("icb.example/witness", b"5" * 32)
NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)

HONEST, FORKED = Tree(LOG, "entry"), Tree(LOG, "entry", forked_at=5)


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    make_state(tmp_path / "state", ICB)
    return tmp_path / "state"


@pytest.fixture
def witness(state: Path, clock: Clock) -> Witness:
    return Witness(ICB, [LOG.verifier, OTHER_LOG.verifier], state, clock)


def why(witness: Witness, body: bytes) -> tuple[Why, int | None]:
    with pytest.raises(NotCosigned) as refused:
        witness.add_checkpoint(body)
    return refused.value.why, refused.value.known_size


def test_a_first_checkpoint_is_cosigned_and_each_that_continues_it(witness: Witness, clock: Clock) -> None:
    for old, new in ((0, 3), (3, 3), (3, 8), (8, 13)):
        clock.time += timedelta(seconds=30)
        note = HONEST.note(new)
        (found,) = cosignatures(attach(note, [witness.add_checkpoint(HONEST.request(old, new))]), [ICB.verifier])
        assert found.at == clock.time
        seen = witness.seen(LOG.name)
        assert seen is not None
        assert (seen.checkpoint, seen.at) == (open_checkpoint(note, LOG.verifier), clock.time)
        assert seen.note == note + found.line


def test_an_empty_log_is_cosigned_and_then_continued_without_a_proof(witness: Witness) -> None:
    witness.add_checkpoint(HONEST.request(0, 0))
    witness.add_checkpoint(HONEST.request(0, 0))
    witness.add_checkpoint(HONEST.request(0, 5))
    assert why(witness, HONEST.request(0, 0)) == (Why.OTHER_SIZE, 5)


def test_each_log_has_a_memory_of_its_own(witness: Witness) -> None:
    other = Tree(OTHER_LOG, "other")
    witness.add_checkpoint(HONEST.request(0, 5))
    witness.add_checkpoint(other.request(0, 2))
    witness.add_checkpoint(HONEST.request(5, 6))
    assert why(witness, other.request(0, 3)) == (Why.OTHER_SIZE, 2)


def test_an_unknown_log_is_refused_before_its_signature_is_looked_at(witness: Witness) -> None:
    unknown = Tree(Signer.from_seed("log.example/unknown", b"1" * 32), "entry")
    assert why(witness, unknown.request(0, 3)) == (Why.UNKNOWN_LOG, None)


@pytest.mark.parametrize(
    "note",
    [
        sign_note(HONEST.text(3), STRANGER),
        sign_note(HONEST.text(3), OTHER_LOG),
        f"{HONEST.text(3)}\n{LOG.line(HONEST.text(4))}",
        f"{HONEST.text(3)}\n{LOG.line(HONEST.text(3))}{LOG.line(HONEST.text(4))}",
        f"{HONEST.text(3)}\n{ICB.line(HONEST.text(3), 1)}",
    ],
    ids=["a stranger", "another log", "a false signature", "a false one beside a true one", "a cosignature alone"],
)
def test_what_the_log_has_not_signed_is_refused(witness: Witness, note: str) -> None:
    assert why(witness, Request(0, (), note).to_bytes()) == (Why.NOT_SIGNED, None)
    assert witness.seen(LOG.name) is None


def test_signatures_of_keys_that_are_not_known_are_ignored_and_not_kept(witness: Witness) -> None:
    note = sign_note(HONEST.text(3), STRANGER, LOG, OTHER_LOG)
    line = witness.add_checkpoint(Request(0, (), note).to_bytes())
    seen = witness.seen(LOG.name)
    assert seen is not None
    assert seen.note == sign_note(HONEST.text(3), LOG) + line


def test_a_log_may_have_two_keys_while_one_gives_way_to_the_other(state: Path) -> None:
    before, after = Witness(ICB, [LOG.verifier], state, Clock()), Witness(ICB, [LOG.verifier, ROTATED.verifier], state, Clock())
    before.add_checkpoint(HONEST.request(0, 3))
    rotated = Request(3, HONEST.proof(3, 5), sign_note(HONEST.text(5), ROTATED))
    assert why(before, rotated.to_bytes()) == (Why.NOT_SIGNED, None)
    after.add_checkpoint(rotated.to_bytes())
    with_both = Request(5, HONEST.proof(5, 6), sign_note(HONEST.text(6), LOG, ROTATED))
    after.add_checkpoint(with_both.to_bytes())


GOOD = HONEST.request(0, 3).decode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 0\n",
        GOOD[:-1],
        GOOD.replace("old 0", "old"),
        GOOD.replace("old 0", "new 0"),
        GOOD.replace("old 0", "old  0"),
        GOOD.replace("old 0", "old 00"),
        GOOD.replace("old 0", "old -1"),
        GOOD.replace("old 0", "old 0x0"),
        GOOD.replace("old 0\n", "old 0\n\n"),
        GOOD.replace("old 0\n", "old 0\r\n"),
        GOOD.replace("old 0\n", "old 0\nAAAA\n"),
        GOOD.replace("old 0\n", f"old 0\n{'A' * 44}\n"),
        GOOD.replace("old 0\n", "old 0\n" + f"{'A' * 43}=\n" * 64),
        GOOD.replace("\u2014", "-"),
        GOOD + "x\n",
        HONEST.request(0, 3).replace(b"old 0", b"old 4").decode(),
        "old 0\n\n" + sign_note(f"{LOG.name}\nthree\nAAAA\n", LOG),
        "old 0\n\n" + sign_note(f"{LOG.name}\n3\n", LOG),
        GOOD + f"\u2014 x {'A' * 70_000}\n",
    ],
)
def test_what_is_malformed_is_refused(witness: Witness, body: str) -> None:
    assert why(witness, body.encode()) == (Why.MALFORMED, None)
    assert witness.seen(LOG.name) is None


def test_what_is_not_utf8_is_malformed(witness: Witness) -> None:
    assert why(witness, GOOD.encode() + b"\xff\n") == (Why.MALFORMED, None)


def test_sixty_three_hashes_and_sixteen_signatures_are_read() -> None:
    note = sign_note(HONEST.text(3), *(Signer.from_seed(f"{'n' * 60}{i}.example", bytes([i]) * 32) for i in range(15)), LOG)
    assert len(parse_request(Request(3, (b"h" * 32,) * 63, note).to_bytes()).proof) == 63


@pytest.mark.parametrize(("old", "new"), [(0, 8), (2, 8), (7, 8), (6, 13)])
def test_another_old_size_than_the_known_one_is_told_the_known_one(witness: Witness, old: int, new: int) -> None:
    witness.add_checkpoint(HONEST.request(0, 5))
    assert why(witness, HONEST.request(old, new)) == (Why.OTHER_SIZE, 5)


def test_a_log_that_was_never_seen_is_known_at_size_zero(witness: Witness) -> None:
    assert why(witness, HONEST.request(3, 8)) == (Why.OTHER_SIZE, 0)


@pytest.mark.parametrize(
    "request_",
    [
        Request(0, (b"h" * 32,), HONEST.note(3)),
        Request(0, (), sign_note(Checkpoint(LOG.name, 0, b"r" * 32).to_text(), LOG)),
    ],
    ids=["a proof from nothing", "an empty tree of another root"],
)
def test_a_first_checkpoint_that_cannot_be_is_inconsistent(witness: Witness, request_: Request) -> None:
    assert why(witness, request_.to_bytes()) == (Why.INCONSISTENT, None)
    assert witness.seen(LOG.name) is None


def test_the_empty_tree_has_the_root_of_the_specification(witness: Witness) -> None:
    assert HONEST.root(0) == EMPTY_ROOT
    witness.add_checkpoint(HONEST.request(0, 0))


def _altered(proof: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    whole = tuple(proof)
    return [(), whole[:-1], (*whole, whole[0]), whole[::-1], (bytes(32), *whole[1:])]


def test_a_proof_that_does_not_hold_is_inconsistent(witness: Witness) -> None:
    witness.add_checkpoint(HONEST.request(0, 6))
    for proof in _altered(HONEST.proof(6, 13)):
        assert why(witness, Request(6, proof, HONEST.note(13)).to_bytes()) == (Why.INCONSISTENT, None)
    assert why(witness, Request(6, (b"h" * 32,), HONEST.note(6)).to_bytes()) == (Why.INCONSISTENT, None)
    witness.add_checkpoint(HONEST.request(6, 13))


def test_of_two_trees_of_one_size_one_is_refused(witness: Witness) -> None:
    witness.add_checkpoint(HONEST.request(0, 8))
    assert why(witness, FORKED.request(0, 8)) == (Why.OTHER_SIZE, 8)
    assert why(witness, FORKED.request(8, 8)) == (Why.INCONSISTENT, None)
    assert why(witness, FORKED.request(8, 13)) == (Why.INCONSISTENT, None)
    witness.add_checkpoint(HONEST.request(8, 13))


def test_who_holds_the_logs_key_cannot_cut_its_end_off(witness: Witness) -> None:
    """Threat row 29: the database's administrator removes the last entries, signs the shorter tree, and lets it grow again."""
    witness.add_checkpoint(HONEST.request(0, 8))
    assert why(witness, HONEST.request(0, 6)) == (Why.OTHER_SIZE, 8)
    assert why(witness, HONEST.request(6, 6)) == (Why.OTHER_SIZE, 8)
    assert why(witness, HONEST.request(6, 6).replace(b"old 6", b"old 8")) == (Why.MALFORMED, None)
    regrown = Tree(LOG, "entry", forked_at=6)
    assert why(witness, regrown.request(6, 13)) == (Why.OTHER_SIZE, 8)
    assert why(witness, regrown.request(8, 13)) == (Why.INCONSISTENT, None)


def test_a_clock_that_is_put_back_does_not_turn_the_order_of_cosignatures(witness: Witness, clock: Clock) -> None:
    witness.add_checkpoint(HONEST.request(0, 3))
    clock.time -= timedelta(hours=1)
    line = witness.add_checkpoint(HONEST.request(3, 5))
    (found,) = cosignatures(attach(HONEST.note(5), [line]), [ICB.verifier])
    assert found.at == NOW


def test_the_memory_outlives_the_witness(state: Path) -> None:
    Witness(ICB, [LOG.verifier], state, Clock()).add_checkpoint(HONEST.request(0, 8))
    assert why(Witness(ICB, [LOG.verifier], state, Clock()), FORKED.request(8, 8)) == (Why.INCONSISTENT, None)


def test_a_memory_that_was_lost_or_is_of_another_witness_is_not_begun_anew(state: Path, tmp_path: Path) -> None:
    another = WitnessSigner.from_seed(ICB.name, b"6" * 32)
    renamed = WitnessSigner.from_seed("other.example", b"5" * 32)
    for signer, folder in ((ICB, tmp_path / "empty"), (another, state), (renamed, state)):
        with pytest.raises(StateRefused):
            Witness(signer, [LOG.verifier], folder, Clock())
    with pytest.raises(FileExistsError):
        make_state(state, another)


@pytest.mark.parametrize("damage", ["", "log.example/2026\n", HONEST.note(3), attach(HONEST.note(3), [ICB.line(HONEST.text(4), 1)])])
def test_from_a_damaged_memory_nothing_is_cosigned(state: Path, witness: Witness, damage: str) -> None:
    witness.add_checkpoint(HONEST.request(0, 3))
    (kept,) = state.glob("*.checkpoint")
    kept.write_text(damage)
    with pytest.raises(StateRefused):
        witness.add_checkpoint(HONEST.request(3, 5))


def test_one_logs_memory_does_not_serve_another(state: Path, witness: Witness) -> None:
    witness.add_checkpoint(HONEST.request(0, 3))
    (kept,) = state.glob("*.checkpoint")
    witness.add_checkpoint(Tree(OTHER_LOG, "other").request(0, 2))
    (other,) = set(state.glob("*.checkpoint")) - {kept}
    kept.write_text(other.read_text())
    with pytest.raises(StateRefused, match="another"):
        witness.add_checkpoint(HONEST.request(2, 5))


def test_of_many_at_once_none_rolls_the_memory_back(state: Path) -> None:
    """The race that the specification describes: a smaller size must never be persisted after a larger one was cosigned."""
    witnesses = [Witness(ICB, [LOG.verifier], state, Clock()) for _ in range(4)]
    cosigned: list[int] = []
    lock = threading.Lock()

    def ask(witness: Witness) -> None:
        for new in range(1, 40):
            with suppress(NotCosigned):
                seen = witness.seen(LOG.name)
                witness.add_checkpoint(HONEST.request(seen.checkpoint.size if seen else 0, new))
                with lock:
                    cosigned.append(new)

    threads = [threading.Thread(target=ask, args=(witness,)) for witness in witnesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = witnesses[0].seen(LOG.name)
    assert seen is not None
    assert seen.checkpoint.size == max(cosigned)


def test_a_witness_that_is_killed_between_persisting_and_answering_signs_no_fork(state: Path) -> None:
    """Killed at every system call that persisting makes, and asked for the other branch afterwards."""
    for step in ("fsync:1", "replace:1", "fsync:2", "answer:1"):
        for kept in state.glob("*.checkpoint*"):
            kept.unlink()
        ended = subprocess.run([sys.executable, "-m", "tests.audit.dying_witness", str(state), step], capture_output=True, timeout=30)
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert ended.stdout == b""  # no cosignature had left the witness
        again = Witness(ICB, [LOG.verifier], state, Clock())
        seen = again.seen(LOG.name)
        if seen is None:
            again.add_checkpoint(FORKED.request(0, 8))  # nobody has seen the first branch, so the second is the only one
            assert why(again, HONEST.request(8, 8)) == (Why.INCONSISTENT, None)
        else:
            assert seen.checkpoint.root == HONEST.root(8)
            assert why(again, FORKED.request(0, 8)) == (Why.OTHER_SIZE, 8)
            assert why(again, FORKED.request(8, 8)) == (Why.INCONSISTENT, None)
            again.add_checkpoint(HONEST.request(8, 8))  # the answer that was lost can be had again
        assert (seen is not None) == (step in ("fsync:2", "answer:1"))


@given(st.binary())
def test_any_bytes_are_a_request_or_malformed(body: bytes) -> None:
    for each in (body, b"old 0\n" + body, GOOD.encode() + body, b"old 1\n\n" + body):
        try:
            asked = parse_request(each)
        except NotCosigned as refused:
            assert refused.why is Why.MALFORMED  # noqa: PT017 - most bytes are
        else:
            assert asked.to_bytes() == each
            split_note(asked.note)


@given(st.integers(0, 10**18 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.integers(0, 30))
def test_what_is_sent_is_what_is_read(old: int, proof: list[bytes], size: int) -> None:
    asked = Request(old, tuple(proof), HONEST.note(size))
    assert parse_request(asked.to_bytes()) == asked
