# SPDX-License-Identifier: MIT
"""Time stamps of the log, by a real time-stamping authority: what is asked, what is kept, what proves, and what changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificates
from sqlalchemy import MetaData, select, update

from audit.note import NoteRefused, split_note
from audit.timestamp_tables import define
from audit.timestamp_token import TokenRefused, query_for, require_ours, verify_token
from audit.timestamped import Stamped, due_since, stamped
from audit.timestamping import Stamper
from notify_gateway.egress.post import PostClient
from tests.audit.builders import START, TABLES, LogUnderTest
from tests.support.services import free_port
from tests.support.time_authority import TimeAuthority, verified_by_openssl

METADATA = MetaData()
TIMESTAMPS = define(METADATA)
DAY = timedelta(days=1)


class House:
    """A log, a time-stamping authority, and what has the one stamped by the other; the clocks go as the test says."""

    def __init__(self, log: LogUnderTest, authority: TimeAuthority, client: PostClient) -> None:
        METADATA.create_all(log.engine)
        self.log, self.authority, self.now, self.monotonic, self._client = log, authority, START, 0.0, client
        self.sequencer = log.sequencer()
        self.stamper = self.new_stamper(authority.url)

    def new_stamper(self, url: str) -> Stamper:
        return Stamper(
            engine=self.log.engine,
            tables=TABLES,
            timestamps=TIMESTAMPS,
            url=url,
            every=DAY,
            ask=self._client.ask,
            now=lambda: self.now,
            clock=lambda: self.monotonic,
        )

    def grow(self, count: int) -> str:
        self.log.add(count)
        self.sequencer.run_once()
        return self.log.checkpoint()

    def pass_time(self, time: timedelta) -> None:
        self.now += time
        self.monotonic += time.total_seconds()

    def kept(self, size: int | None = None) -> Stamped | None:
        with self.log.engine.begin() as connection:
            return stamped(connection, TABLES, TIMESTAMPS, size=size)

    def due(self) -> int | None:
        with self.log.engine.begin() as connection:
            return due_since(connection, TABLES, TIMESTAMPS, DAY // timedelta(microseconds=1))


ON_BOTH = pytest.mark.parametrize("database_url", ["postgresql", "sqlite"], indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite, but for the tests that ask for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/log.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeAuthority]:
    with TimeAuthority(tmp_path_factory.mktemp("time") / "authority") as running:
        yield running


@pytest.fixture
def house(log: LogUnderTest, authority: TimeAuthority) -> Iterator[House]:
    authority.mood = ""
    authority.asked.clear()
    with PostClient("application/timestamp-query") as client:
        yield House(log, authority, client)


@ON_BOTH
def test_the_newest_checkpoint_is_stamped_once_a_period_and_only_if_it_is_new(house: House) -> None:
    assert not house.stamper.run_once(), "nothing is signed yet"
    house.grow(3)
    assert house.stamper.run_once()
    house.grow(2)
    house.pass_time(DAY - timedelta(seconds=1))
    assert not house.stamper.run_once(), "the day is not over"
    house.pass_time(timedelta(seconds=1))
    assert house.stamper.run_once()
    house.pass_time(DAY * 3)
    assert not house.stamper.run_once(), "nothing new was signed"
    assert house.due() is None
    assert [kept.size for kept in (house.kept(), house.kept(3)) if kept] == [5, 3]
    assert house.kept(4) is None
    assert [media for media, _ in house.authority.asked] == ["application/timestamp-query"] * 2


@ON_BOTH
def test_two_stampers_keep_one_stamp_and_do_not_quarrel(house: House) -> None:
    house.grow(1)
    other, ask = house.new_stamper(house.authority.url), house.stamper._ask

    def ask_after_the_other(url: str, body: bytes) -> object:
        assert other.run_once()
        return ask(url, body)

    house.stamper._ask = ask_after_the_other  # type: ignore[assignment]
    assert not house.stamper.run_once()
    with house.log.engine.begin() as connection:
        assert len(connection.execute(select(TIMESTAMPS)).all()) == 1


def test_a_stamp_of_a_closed_log_is_not_taken_for_one_of_the_next(house: House) -> None:
    house.grow(2)
    assert house.stamper.run_once()
    with house.log.engine.begin() as connection:
        connection.execute(update(TABLES.head).values(epoch=7))
    assert house.kept() is None
    assert house.stamper.run_once()
    assert house.kept() is not None


@pytest.mark.parametrize(
    ("mood", "told"),
    [
        ("garbage", "is no time-stamp reply"),
        ("refusing", "did not grant"),
        ("failing", "another status than 200"),
        ("repeating", "is over other bytes"),
        ("away", "cannot be reached"),
    ],
)
def test_an_authority_that_misbehaves_changes_nothing_and_is_told_of_once(
    house: House, mood: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    house.grow(1)
    assert house.stamper.run_once()
    before = house.kept()
    house.grow(1)
    house.pass_time(DAY)
    house.authority.mood = mood
    stamper = house.new_stamper(f"http://127.0.0.1:{free_port()}/") if mood == "away" else house.stamper
    with caplog.at_level(logging.WARNING, "audit.timestamping"):
        assert not stamper.run_once()
        count = len(house.authority.asked)
        house.pass_time(timedelta(seconds=59))
        assert not stamper.run_once()
        assert len(house.authority.asked) == count, "it is left alone for a minute"
        house.pass_time(timedelta(seconds=1))
        assert not stamper.run_once()
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
    assert told in caplog.text
    assert house.kept() == before
    assert house.due() is not None
    house.authority.mood = ""
    house.pass_time(timedelta(hours=1))
    assert house.new_stamper(house.authority.url).run_once()


def test_an_answer_to_another_request_over_the_same_checkpoint_is_refused(house: House) -> None:
    note = house.grow(1)
    first, second = query_for(note), query_for(note)
    reply = house.authority.stamp(first.body)
    require_ours(first, reply)
    with pytest.raises(TokenRefused, match="another request"):
        require_ours(second, reply)


def test_a_token_proves_its_checkpoint_with_or_without_cosignatures_and_nothing_else(
    house: House, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    note = house.grow(4)
    assert house.stamper.run_once()
    kept = house.kept()
    assert kept is not None
    roots = load_pem_x509_certificates(house.authority.root.read_bytes())
    proven = verify_token(note, kept.reply, roots)
    assert proven.checkpoint.size == 4
    assert proven.at.utcoffset() == timedelta(0)
    text, signatures = note.split("\n\n")
    assert verify_token(f"{note}{signatures}", kept.reply, roots) == proven
    with pytest.raises(TokenRefused, match="over other bytes"):
        verify_token(house.grow(1), kept.reply, roots)
    with pytest.raises(TokenRefused, match="over other bytes"):
        verify_token(note.replace("\n4\n", "\n5\n"), kept.reply, roots)
    with pytest.raises(NoteRefused):
        verify_token(text, kept.reply, roots)
    with TimeAuthority(tmp_path_factory.mktemp("other") / "authority") as other:
        with pytest.raises(TokenRefused, match="stands behind it"):
            verify_token(note, kept.reply, load_pem_x509_certificates(other.root.read_bytes()))
        with pytest.raises(TokenRefused, match="stands behind it"):
            verify_token(note, other.stamp(house.authority.asked[-1][1]), roots)
    with pytest.raises(TokenRefused, match="stands behind it"):
        verify_token(note, kept.reply, [])
    signed = split_note(note)[0].encode()
    assert verified_by_openssl(signed, kept.reply, house.authority.root, tmp_path)
    assert not verified_by_openssl(signed + b"x", kept.reply, house.authority.root, tmp_path)


def test_no_byte_of_a_token_that_says_something_can_be_altered(house: House) -> None:
    note = house.grow(1)
    assert house.stamper.run_once()
    kept = house.kept()
    assert kept is not None
    roots = load_pem_x509_certificates(house.authority.root.read_bytes())
    told = verify_token(note, kept.reply, roots)
    survived = 0
    for place in range(0, len(kept.reply), 3):
        altered = bytearray(kept.reply)
        altered[place] ^= 1
        try:
            assert verify_token(note, bytes(altered), roots) == told, place
            survived += 1
        except TokenRefused:
            pass
    assert survived < len(kept.reply) / 60, "what is not signed is framing"
