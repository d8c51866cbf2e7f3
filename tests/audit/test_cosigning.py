# SPDX-License-Identifier: MIT
"""The log's side of witnessing, against real witnesses: what is asked, kept and handed out, and what a witness finds out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import MetaData, delete, insert, select, update

from audit.cosignature import WitnessSigner, cosignatures
from audit.cosigned import Signed, WitnessStanding, published, standings
from audit.cosigning import Answer, Publisher, Standing, Unreachable
from audit.cosigning_tables import define
from audit.guard import GuardRefused
from audit.policy import parse_policy
from audit.reading import receipt_for
from audit.receipts import verify_receipt
from audit.witness import NotCosigned, Witness, make_state
from notify_gateway.witness import STATUS, TREE_SIZE
from tests.audit.builders import SIGNER, START, TABLES, LogUnderTest
from tests.support.waiting import eventually

METADATA = MetaData()
COSIGNING = define(METADATA)
SIGNERS = {
    name: WitnessSigner.from_seed(f"{name}.example/witness", name.encode() * 8 + b"-" * (32 - 8 * len(name))) for name in ("icb", "la")
}
POLICY = parse_policy(
    (
        "".join(f"witness {name} {signer.verifier.vkey} https://{name}.example/\n" for name, signer in SIGNERS.items())
        + "group both all icb la\nquorum both\n"
    ).encode()
)


class Network:
    """The two witnesses, reached without sockets: what their servers do with a request stands in tests/cli/test_witness.py."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self.away: set[str] = set()
        self.garbled: set[str] = set()
        self.asked: list[str] = []
        self.witnesses = {}
        for name, signer in SIGNERS.items():
            make_state(folder / name, signer)
            self.witnesses[name] = Witness(signer, [SIGNER.verifier], folder / name, now)

    def ask(self, url: str, body: bytes) -> Answer:
        name = url.removeprefix("https://").removesuffix(".example/add-checkpoint")
        self.asked.append(name)
        if name in self.away:
            raise Unreachable
        if name in self.garbled:
            return Answer(200, "text/html", b"<p>Sign in to the guest network</p>")
        try:
            return Answer(200, "text/plain", self.witnesses[name].add_checkpoint(body).encode())
        except NotCosigned as refused:
            if refused.known_size is not None:
                return Answer(409, TREE_SIZE, f"{refused.known_size}\n".encode())
            return Answer(STATUS[refused.why], "text/plain", b"")


class House:
    """A log, its publisher and two witnesses."""

    def __init__(self, log: LogUnderTest, folder: Path) -> None:
        METADATA.create_all(log.engine)
        self.log, self.now, self.monotonic = log, START, 0.0
        self.network = Network(folder, lambda: self.now)
        self.sequencer = log.sequencer()
        self.publisher = self.new_publisher()

    def new_publisher(self) -> Publisher:
        return Publisher(
            engine=self.log.engine,
            tables=TABLES,
            cosigning=COSIGNING,
            policy=POLICY,
            origin=SIGNER.name,
            ask=self.network.ask,
            now=lambda: self.now,
            clock=lambda: self.monotonic,
        )

    def grow(self, count: int) -> None:
        self.log.add(count)
        self.sequencer.run_once()

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.monotonic += seconds

    def published(self, within: int | None = None) -> Signed:
        with self.log.engine.begin() as connection:
            found = published(connection, TABLES, COSIGNING, POLICY, within=within)
        assert found is not None
        return found

    def cosigners(self) -> tuple[int, set[str]]:
        found = self.published()
        held = cosignatures(found.note, [signer.verifier for signer in SIGNERS.values()])
        return found.size, {name for name, signer in SIGNERS.items() if signer.verifier in {each.witness for each in held}}

    def standing(self, name: str) -> WitnessStanding:
        with self.log.engine.begin() as connection:
            return next(each for each in standings(connection, COSIGNING, POLICY) if each.name == name)


ON_BOTH = pytest.mark.parametrize("database_url", ["postgresql", "sqlite"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite, but for the tests that ask for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/log.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def house(log: LogUnderTest, tmp_path: Path) -> Iterator[House]:
    made = House(log, tmp_path)
    yield made
    made.publisher.close()


BOTH = {"icb", "la"}


@ON_BOTH
def test_each_checkpoint_is_cosigned_by_both_and_handed_out_so(house: House) -> None:
    for count in (3, 5, 1):
        house.grow(count)
        assert house.publisher.run_once() == 2
    assert house.cosigners() == (9, BOTH)
    assert house.standing("icb").sentence() == "icb: cosigns; its last cosignature is of 2026-09-01 09:00:00 UTC"


def test_before_the_first_checkpoint_nobody_is_asked_and_nothing_is_handed_out(house: House) -> None:
    assert house.publisher.run_once() == 0
    assert house.network.asked == []
    with house.log.engine.begin() as connection:
        assert published(connection, TABLES, COSIGNING, POLICY) is None
    assert house.standing("icb").sentence() == "icb: was not asked yet"


def test_a_log_that_does_not_grow_is_cosigned_anew_each_hour_and_not_more_often(house: House) -> None:
    house.grow(3)
    assert house.publisher.run_once() == 2
    house.pass_time(3500)
    assert house.publisher.run_once() == 0
    house.pass_time(200)
    assert house.publisher.run_once() == 2
    (icb, _) = cosignatures(house.published().note, [signer.verifier for signer in SIGNERS.values()])
    assert icb.at == house.now


def test_a_publisher_that_knows_nothing_learns_from_the_witness_where_it_stands(house: House) -> None:
    house.grow(3)
    house.publisher.run_once()
    with house.log.engine.begin() as connection:
        connection.execute(delete(COSIGNING.cosignature))
    house.publisher.close()
    house.publisher = house.new_publisher()
    house.grow(4)
    assert house.publisher.run_once() == 2
    assert house.cosigners() == (7, BOTH)


def test_a_witness_that_is_away_is_told_since_when_and_is_asked_less_and_less_often(house: House) -> None:
    house.grow(3)
    house.network.away.add("la")
    assert house.publisher.run_once() == 1
    assert house.standing("la").sentence() == "la: cannot be reached since 2026-09-01 09:00:00 UTC; it has cosigned nothing"
    for _ in range(40):
        house.pass_time(15)
        house.publisher.run_once()
    assert house.network.asked.count("la") < 12
    assert not house.standing("la").well
    house.network.away.clear()
    house.pass_time(300)
    house.publisher.run_once()
    assert house.standing("la").well
    assert house.cosigners() == (3, BOTH)


def test_the_latest_with_enough_cosignatures_is_handed_out_until_it_is_too_old(house: House) -> None:
    house.grow(3)
    house.publisher.run_once()
    house.network.away.add("la")
    house.grow(2)
    house.publisher.run_once()
    assert house.cosigners() == (3, BOTH)
    later = house.published().signed_at + 61_000_000
    with house.log.engine.begin() as connection:
        connection.execute(update(TABLES.checkpoint).where(TABLES.checkpoint.c.size == 5).values(signed_at=later))
    found = house.published(within=60_000_000)
    assert found.size == 5
    assert [each.witness.name for each in cosignatures(found.note, [s.verifier for s in SIGNERS.values()])] == ["icb.example/witness"]


def test_a_receipt_carries_the_cosignatures_once_there_are_any(house: House) -> None:
    house.grow(3)
    entry = house.log.appended[0]
    before = house.log.receipt(entry)
    house.publisher.run_once()
    house.grow(1)
    with house.log.engine.begin() as connection:
        cosigned = published(connection, TABLES, COSIGNING, POLICY)
        after = receipt_for(connection, TABLES, entry.event_id, preferred=cosigned)
        newer = receipt_for(connection, TABLES, house.log.appended[3].event_id, preferred=cosigned)
    assert before is not None
    assert after is not None
    assert newer is not None
    for receipt, each in ((before, entry), (after, entry), (newer, house.log.appended[3])):
        verify_receipt(receipt, each.leaf_hash, SIGNER.verifier)
    assert POLICY.judge(after.split("\n\n", 1)[1], [SIGNER.verifier]).tally.enough
    assert not POLICY.judge(newer.split("\n\n", 1)[1], [SIGNER.verifier]).tally.enough


def test_an_answer_that_is_no_cosignature_is_not_kept(house: House) -> None:
    house.grow(3)
    house.network.garbled.add("icb")
    assert house.publisher.run_once() == 1
    assert house.standing("icb").answer == Standing.UNEXPECTED.value
    assert house.cosigners() == (3, {"la"})


def test_a_false_cosignature_in_the_table_spoils_nothing_that_is_handed_out(house: House) -> None:
    house.grow(3)
    house.publisher.run_once()
    house.grow(2)
    with house.log.engine.begin() as connection:
        false = SIGNERS["icb"].line("another text\n", 1)
        connection.execute(insert(COSIGNING.cosignature), {"size": 5, "witness_name": "icb", "at": 1, "line": false})
    assert house.cosigners() == (3, BOTH)


@ON_BOTH
def test_a_log_that_was_cut_off_by_who_holds_its_key_is_found_out(house: House, tmp_path: Path) -> None:
    """Threat rows 28 to 30: the end removed, guard and all, and other entries in its place."""
    house.grow(3)
    earlier = house.log.dump()
    house.grow(5)
    assert house.publisher.run_once() == 2
    house.log.restore(earlier)
    with pytest.raises(GuardRefused):
        house.sequencer.run_once()
    house.sequencer.close()
    without_guard = house.log.sequencer(guard=tmp_path / "no-guard")
    with house.log.engine.begin() as connection:
        connection.execute(delete(COSIGNING.cosignature))
    house.publisher.close()
    house.publisher = house.new_publisher()
    # The lock of the one that was closed is given back once its connection has ended.
    eventually(lambda: house.publisher.run_once() == 0 and house.standing("icb").answer == Standing.AHEAD.value, what="the outcome kept")
    (tmp_path / "no-guard").write_text(house.published().note)
    house.log.add(9)
    without_guard.run_once()
    house.pass_time(10)
    assert house.publisher.run_once() == 0
    assert house.standing("icb").answer == Standing.INCONSISTENT.value
    with house.log.engine.begin() as connection:
        assert connection.scalar(select(COSIGNING.cosignature.c.size)) is None


@ON_BOTH
def test_of_two_publishers_on_postgresql_one_works(house: House) -> None:
    house.grow(3)
    second = house.new_publisher()
    assert house.publisher.run_once() == 2
    with house.log.engine.begin() as connection:
        connection.execute(delete(COSIGNING.cosignature))
    assert second.run_once() == (0 if house.log.engine.dialect.name == "postgresql" else 2)
    second.close()
