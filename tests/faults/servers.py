# SPDX-License-Identifier: MIT
"""Faults of what is around us: Redis, PostgreSQL and its disk, the network between the parts, the authority's receiver, the clock."""

from __future__ import annotations

import ctypes.util
import os
import secrets
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGINT

import psycopg
import redis

from tests.faults.parts import Inject, lasts
from tests.faults.receiver import Manner, honest
from tests.faults.stand import Stand
from tests.faults.trial import Trial
from tests.support.service import plain_url
from tests.support.services import eventually
from tests.support.wire import Wire

SMALL_DISK = 32 * 1024 * 1024
"""Bytes of the disk that is filled, beside what has to go there first."""
SMALL_FILES = 8 * 1024 * 1024
"""The most that a file may hold where no small disk can be mounted: half a segment of PostgreSQL's journal."""

# Redis


def flushed(stand: Stand, trial: Trial) -> None:
    """Wipe Redis ten times."""
    with trial.under_way():
        stand.redis.flushall()
    for time in range(1, 10):
        trial.wait_answered(time / 10)
        stand.redis.flushall()


def redis_restarted(stand: Stand, trial: Trial) -> None:
    """Kill Redis three times, with all that it held."""
    with trial.under_way():
        stand.redis.kill9()
    for share in (0.4, 0.8):
        eventually(stand.redis.process.ready or (lambda: True), within=20, what="Redis back")
        trial.wait_answered(share)
        stand.redis.kill9()
    eventually(stand.redis.process.ready or (lambda: True), within=20, what="Redis back")


def redis_paused(stand: Stand, trial: Trial) -> None:
    """Let Redis hang: connections stay open, nothing is answered."""
    with stand.paused(stand.redis.process):
        trial.strikes()
        lasts(stand.pause)


def redis_full(stand: Stand, trial: Trial) -> None:
    """Let Redis refuse every write for want of memory."""
    with stand.redis.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        try:
            trial.strikes()
            lasts(stand.lasting)
            try:
                client.set("x", "y")
            except redis.exceptions.OutOfMemoryError:
                return
            raise AssertionError("Redis was not full")
        finally:
            client.config_set("maxmemory", "0")


# PostgreSQL


def postgres_restarted(stand: Stand, trial: Trial) -> None:
    """Shut PostgreSQL down fast, which breaks every transaction off, and start it; then kill it, and let it recover."""
    with trial.under_way():
        stand.postgres.process.signal(SIGINT)
        stand.postgres.process.wait(within=30)
    stand.postgres.process.start()
    trial.wait_answered(0.5)
    stand.postgres.restart()


def connections_cut(stand: Stand, trial: Trial) -> None:
    """Terminate every connection of the service, over and over."""
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    with psycopg.connect(plain_url(stand.database_url), autocommit=True) as connection:
        trial.strikes()
        for _ in range(25):
            connection.execute(cut)
            lasts(stand.lasting / 25)


def disk_full(stand: Stand, trial: Trial) -> str:
    """Fill the disk under the tables; where no small disk can be mounted, forbid PostgreSQL larger files than it has."""
    with psycopg.connect(plain_url(stand.database_url)) as connection:
        held = connection.execute("select pg_total_relation_size('envelopes')").fetchone()
    with _small_disk(SMALL_DISK + 2 * held[0] if held else SMALL_DISK) as disk:
        if disk is not None and not stand.other_way:
            _fill(stand, trial, disk)
            return "tmpfs tablespace"
    trial.strikes()
    _forbid_large_files(stand)
    return "RLIMIT_FSIZE on postgres"


@contextmanager
def _small_disk(size: int) -> Iterator[Path | None]:
    with tempfile.TemporaryDirectory(prefix="notify-gateway-disk-") as name:
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", name]
        if subprocess.run(mounting, capture_output=True, check=False).returncode:
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def _fill(stand: Stand, trial: Trial, disk: Path) -> None:
    """Move the table of sealed envelopes to the small disk, fill that to the last byte, hold it full, free it, and move the table back."""
    folder = disk / "tables"
    folder.mkdir(mode=0o777)
    if stand.postgres.process.user is not None:
        os.chown(folder, stand.postgres.process.user, -1)
    space, ballast = f"small_{secrets.token_hex(4)}", disk / "ballast"
    with psycopg.connect(plain_url(stand.database_url), autocommit=True) as connection:
        connection.execute(f"create tablespace {space} location '{folder}'".encode())
        try:
            connection.execute(f"alter table envelopes set tablespace {space}".encode())
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(65536)):
                    pass
            _wait_until_felt(stand, "No space left on device")
            trial.strikes()
            lasts(stand.lasting)
            ballast.unlink()
        finally:
            ballast.unlink(missing_ok=True)
            connection.execute(b"alter table envelopes set tablespace pg_default")
            connection.execute(b"checkpoint")
            connection.execute(f"drop tablespace {space}".encode())


def _forbid_large_files(stand: Stand) -> None:
    """Start PostgreSQL anew under a limit that its journal soon meets, hold it there, and start it as usual."""
    server, usual = stand.postgres.process, stand.postgres.process.command
    grow = b"create table if not exists ballast as select repeat('x', 1000) from generate_series(1, 20000)"

    def felt() -> bool:
        with suppress(psycopg.Error), psycopg.connect(plain_url(stand.database_url), autocommit=True, connect_timeout=2) as connection:
            connection.execute(grow)
        return server.says("File too large")

    try:
        stand.postgres.kill9()
        server.command = ["sh", "-c", f'ulimit -S -f {SMALL_FILES // 512} && exec "$@"', "postgres", *usual]
        server.start(wait=False)
        eventually(felt, within=30, every=0.2, what="PostgreSQL meets the limit")
        lasts(stand.lasting)
    finally:
        server.command = usual
        stand.postgres.restart()


def _wait_until_felt(stand: Stand, words: str) -> None:
    eventually(lambda: stand.postgres.process.says(words), within=30, what=f"PostgreSQL says {words!r}")


# The network


def faulty(wire: Callable[[Stand], Wire], how: str) -> Inject:
    """Make a wire late, cut it, swallow what it carries, or slice it, for a while."""

    def inject(stand: Stand, trial: Trial) -> None:
        chosen = wire(stand)
        if how == "late":
            chosen.delay = 0.1
        elif how == "sliced":
            chosen.sliced = True
        try:
            if how == "cut":
                trial.strikes()
                for _ in range(20):
                    chosen.cut()
                    lasts(stand.lasting / 20)
            elif how == "black hole":
                with chosen.black_hole():
                    trial.strikes()
                    lasts(stand.lasting)
            else:
                trial.strikes()
                lasts(stand.lasting)
        finally:
            chosen.delay, chosen.sliced = 0.0, False

    return inject


# The receiver


def receiver(manner: Manner) -> Inject:
    """Let the receiver misbehave for a while."""

    def inject(stand: Stand, trial: Trial) -> None:
        stand.receiver.manner = manner
        try:
            trial.strikes()
            lasts(stand.lasting)
        finally:
            stand.receiver.manner = honest

    return inject


def receiver_down(stand: Stand, trial: Trial) -> None:
    """Let nobody listen at the receiver's address."""
    with stand.to_receiver.down():
        trial.strikes()
        lasts(stand.lasting)


def certificate_wrong(stand: Stand, trial: Trial) -> None:
    """Show a certificate for which nobody vouches; nothing may be sent to whoever shows it."""
    stand.tls.load_cert_chain(stand.certificates.wrong)
    stand.to_receiver.cut()
    posted = stand.receiver.posts.total() + stand.receiver.under_way
    try:
        trial.strikes()
        lasts(stand.lasting)
        assert stand.receiver.posts.total() <= posted, "something was sent to whoever showed the wrong certificate"
    finally:
        stand.tls.load_cert_chain(stand.certificates.right)
        stand.to_receiver.cut()


# The clock


def clock(offset: str) -> Inject:
    """Set the clock of all parts wrong by an hour (``+3600`` or ``-3600``) and right again."""

    def inject(stand: Stand, trial: Trial) -> str:
        file = stand.folder / f"clock-{secrets.token_hex(4)}"
        file.write_text("+0")
        library = None if stand.other_way else _libfaketime()
        told = {"NOTIFY_GATEWAY_TEST_CLOCK": str(file)}
        if library:
            told = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}
            told |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        with stand.started_as([] if library else ["tests.faults.shifted"], told):
            file.write_text(offset)
            trial.strikes()
            trial.wait_answered(0.7)
            lasts(stand.lasting / 2)
            file.write_text("+0")
        return "libfaketime" if library else "injected clock"

    return inject


def _libfaketime() -> str | None:
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64", "/usr/local/lib"):
        file = Path(folder) / "faketime" / "libfaketimeMT.so.1"
        if file.exists():
            return str(file)
    return ctypes.util.find_library("faketimeMT")
