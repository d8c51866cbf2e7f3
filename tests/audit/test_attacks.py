# SPDX-License-Identifier: MIT
"""A database administrator against the log: each attack is made on a real database, and each detector looks.

What the table says is found is found; what it says is missed is shown to be missed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from audit.cosignature import WitnessSigner
from audit.export import ExportRefused, verify_export
from audit.guard import GuardRefused
from audit.log import Appended
from audit.merkle import ProofInvalid, consistency_proof, leaf_hash, root_from_leaves, verify_consistency
from audit.note import Checkpoint, Signer, open_checkpoint
from audit.receipts import Standing, judge_promise, make_promise, parse_receipt, verify_promise, verify_receipt
from audit.witness import NotCosigned, Request, Witness, make_state
from tests.audit.administrator import CHAIN, Administrator, Plan, Shown, chain_holds, put
from tests.audit.attack_table import FIVE, FOUND, Attack, Detector, Power, markdown
from tests.audit.builders import ORIGIN, SIGNER, START, Dump, LogUnderTest
from tests.support.services import ROOT, PostgresServer
from tests.support.templates import Templates

KEYS = [SIGNER.verifier]
GATEWAY = Signer.from_seed("gateway.example", b"g" * 32)
COSIGNER = WitnessSigner.from_seed("icb.example/witness", b"w" * 32)
LASTING_TABLES = 3
LATER = START + timedelta(minutes=2)
# security.md 2.2, of the first five attacks: without the key, with it.
EXPECTED = {
    Detector.CHAIN: (0, 0),
    Detector.CHECKPOINT: (5, 0),
    Detector.AUDITOR: (5, 0),
    Detector.RECEIPT: (5, 4),
    Detector.WITNESS: (5, 5),
}


@dataclass
class World:
    """An honest log, and what people outside have kept of it."""

    log: LogUnderTest
    plan: Plan
    folder: Path
    honest: Dump
    backup: Dump
    auditor: str
    receipt: str
    receipted: Appended
    promised: list[tuple[str, Appended]]

    def administrator(self, power: Power, *, superuser: bool = True) -> Administrator:
        key = SIGNER if power is Power.WITH_KEY else None
        return Administrator(self.log, self.plan, honest=self.honest, backup=self.backup, key=key, superuser=superuser)

    @contextmanager
    def attacked(self, attack: Attack, power: Power) -> Iterator[Shown]:
        """Lend the world after the attack; it is whole again afterwards."""
        try:
            yield self.administrator(power).attack(attack)
        finally:
            put(self.log, self.honest)

    def witness(self, name: str = "memory") -> Witness:
        return Witness(COSIGNER, KEYS, self.folder / name, lambda: START)

    def witnessed(self) -> str:
        seen = self.witness().seen(ORIGIN)
        assert seen is not None
        return seen.note


def grow(log: LogUnderTest, to: int) -> str:
    sequencer = log.sequencer()
    log.add(to - len(log.appended))
    while sequencer.run_once():
        pass
    sequencer.close()
    return log.checkpoint()


def promise(entry: Appended) -> tuple[str, Appended]:
    return make_promise(GATEWAY, origin=ORIGIN, leaf_hash=entry.leaf_hash, accepted_at=START), entry


def made(log: LogUnderTest, plan: Plan, folder: Path) -> World:
    CHAIN.create(log.engine)
    auditor = grow(log, plan.auditor)
    grow(log, plan.receipt)
    receipted = log.appended[plan.struck + 1]
    receipt = log.receipt(receipted)
    assert receipt is not None
    grow(log, plan.backup)
    backup = log.dump()
    make_state(folder / "memory", COSIGNER)
    Witness(COSIGNER, KEYS, folder / "memory", lambda: START).add_checkpoint(Request(0, (), grow(log, plan.witness)).to_bytes())
    grow(log, plan.whole)
    (pending,) = log.add(1)
    promised = [promise(log.appended[plan.struck]), promise(pending)]
    world = World(log, plan, folder, log.dump(), backup, auditor, receipt, receipted, promised)
    put(log, world.honest)
    return world


@pytest.fixture(
    scope="module",
    params=[pytest.param(10, id="a-hundred-entries"), pytest.param(100, id="a-thousand-entries", marks=pytest.mark.long)],
)
def world(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("attacked")
    with templates.postgres(postgres_server, "main") as url:
        log = LogUnderTest(url, folder)
        try:
            yield made(log, Plan(request.param), folder)
        finally:
            log.close()


def continues(shown: Shown, earlier: str) -> bool:
    """Whether the export verifies, and continues the checkpoint that somebody has kept."""
    try:
        verify_export(shown.lines, KEYS, earlier=open_checkpoint(earlier, *KEYS))
    except ExportRefused:
        return False
    return True


def chain_finds(world: World, shown: Shown) -> bool:
    with world.log.engine.begin() as connection:
        return not chain_holds(connection)


def triggers_find(world: World, shown: Shown) -> bool:
    """They have refused nothing, and stand afterwards as if they had never been off."""
    standing = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'audit_%_only_grows' AND tgenabled = 'O'"
    with world.log.engine.begin() as connection:
        return bool(connection.scalar(text(standing)) != LASTING_TABLES)


def checkpoint_finds(world: World, shown: Shown) -> bool:
    try:
        verify_export(shown.lines, KEYS)
    except ExportRefused:
        return True
    return False


def auditor_finds(world: World, shown: Shown) -> bool:
    return not continues(shown, world.auditor)


def receipt_finds(world: World, shown: Shown) -> bool:
    verify_receipt(world.receipt, world.receipted.leaf_hash, *KEYS)  # it holds for ever, whatever the operator does
    return not continues(shown, parse_receipt(world.receipt).checkpoint)


def promises_find(world: World, shown: Shown) -> bool:
    """An entry that still waits to be sequenced is on its way into the log: its promise is not asked about."""
    waits = bool(world.log.dump()["audit_pending"])
    standings = []
    for signed, entry in world.promised[:1] if waits else world.promised:
        given = verify_promise(signed, entry.leaf_hash, GATEWAY.verifier)
        try:
            in_log = verify_export(shown.lines, KEYS, seek=entry.leaf_hash).found is not None
        except ExportRefused:
            return True
        standings.append(judge_promise(given, in_log=in_log, at=LATER))
    return Standing.BROKEN in standings


def guard_finds(world: World, shown: Shown) -> bool:
    return refuses_to_go_on(world, copy_of_guard(world))


def refuses_to_go_on(world: World, guard: Path) -> bool:
    sequencer = world.log.sequencer(guard=guard)
    try:
        sequencer.run_once()
    except (GuardRefused, ProofInvalid):
        return True
    finally:
        sequencer.close()
    return False


def held_guard_finds(world: World, shown: Shown) -> bool:
    guard, leaves = copy_of_guard(world), world.log.leaves()
    head = Checkpoint(ORIGIN, len(leaves), root_from_leaves(map(leaf_hash, leaves))).to_text()
    guard.write_text(f"{head}\n\u2014 anybody AAAAAAAA\n", "utf-8")
    return refuses_to_go_on(world, guard)


def copy_of_guard(world: World) -> Path:
    folder = world.folder / "guard-copy"
    folder.mkdir(exist_ok=True)
    return Path(shutil.copyfile(world.log.guard, folder / "guard"))


def witness_finds(world: World, shown: Shown) -> bool:
    """It neither cosigns what is shown, nor does what it has cosigned fit to that."""
    shutil.rmtree(world.folder / "asked", ignore_errors=True)
    shutil.copytree(world.folder / "memory", world.folder / "asked")
    witness, old = world.witness("asked"), world.plan.witness
    new = open_checkpoint(shown.note, *KEYS).size
    hashes = [leaf_hash(leaf) for leaf in shown.leaves]
    proof: tuple[bytes, ...] = ()
    if old <= new <= len(hashes):
        proof = tuple(consistency_proof(old, new, lambda level, at: root_from_leaves(hashes[at << level : (at + 1) << level])))
    try:
        witness.add_checkpoint(Request(old, proof, shown.note).to_bytes())
    except NotCosigned:
        refused = True
    else:
        refused = False
    assert refused is not continues(shown, world.witnessed())
    return refused


LOOK: dict[Detector, Callable[[World, Shown], bool]] = {
    Detector.CHAIN: chain_finds,
    Detector.TRIGGERS: triggers_find,
    Detector.CHECKPOINT: checkpoint_finds,
    Detector.AUDITOR: auditor_finds,
    Detector.PROMISES: promises_find,
    Detector.RECEIPT: receipt_finds,
    Detector.WITNESS: witness_finds,  # the guards are asked last: a sequencer that finds nothing wrong goes on
    Detector.GUARD: guard_finds,
    Detector.GUARD_HELD: held_guard_finds,
}


@pytest.mark.parametrize("power", Power)
@pytest.mark.parametrize("attack", Attack)
def test_what_is_found_is_found_and_what_is_missed_is_missed(world: World, attack: Attack, power: Power) -> None:
    with world.attacked(attack, power) as shown:
        found = {detector for detector, look in LOOK.items() if look(world, shown)}
    assert found == {detector for detector in Detector if attack in FOUND[detector][power]}


def test_nobody_cries_wolf_over_an_honest_log(world: World) -> None:
    shown = world.administrator(Power.WITHOUT_KEY).shown()
    try:
        assert [detector for detector, look in LOOK.items() if look(world, shown)] == []
    finally:
        put(world.log, world.honest)


@pytest.mark.parametrize("attack", [attack for attack in Attack if attack not in (Attack.SPLIT, Attack.UNLOG)])
def test_who_cannot_take_the_triggers_off_cannot_even_begin(world: World, attack: Attack) -> None:
    with pytest.raises(ProgrammingError, match="never changed"):
        world.administrator(Power.WITH_KEY, superuser=False).attack(attack)
    assert world.log.dump() == world.honest


def test_two_readers_who_compare_find_the_split_view_and_hold_the_proof_of_it(world: World) -> None:
    with world.attacked(Attack.SPLIT, Power.WITH_KEY) as shown:
        one, other = open_checkpoint(shown.note, *KEYS), open_checkpoint(world.log.checkpoint(), *KEYS)
    assert (one.origin, one.size) == (other.origin, other.size)
    with pytest.raises(ProofInvalid):
        verify_consistency(old=one.size, new=other.size, old_root=one.root, new_root=other.root, proof=())


def test_of_the_first_five_as_many_are_found_as_was_measured_before_it_was_built() -> None:
    for detector, expected in EXPECTED.items():
        assert tuple(len(FOUND[detector][power].intersection(FIVE)) for power in Power) == expected


def test_the_documentation_prints_this_table() -> None:
    assert markdown() in (ROOT / "docs" / "audit.md").read_text("utf-8"), markdown()
