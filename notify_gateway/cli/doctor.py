# SPDX-License-Identifier: MIT
"""The service examined: each check says what was found and, where something is wrong, how to mend it. No check changes anything."""

from __future__ import annotations

import shutil
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from audit.log import oldest_pending_age
from mappings.authorities import Directory
from mappings.needs import check as table_problems
from mappings.postcodes import PostcodeError, PostcodeTable
from notify_gateway.cli.authorities import missing_keys
from notify_gateway.cli.failures import in_words
from notify_gateway.cli.postcodes import DEMONSTRATION
from notify_gateway.domain.clock import Clock, SystemClock
from notify_gateway.privacy.keys import Key, KeyFileError, PseudonymRoots, SigningKey, VerifyingKey, load
from notify_gateway.privacy.memory import guard_memory
from notify_gateway.runtime import GATEWAY_KEY, GATEWAY_PUBLIC, LOG_KEY, LOG_PUBLIC, PSEUDONYM_ROOTS
from notify_gateway.settings import Deployment, Settings
from notify_gateway.store import parties
from notify_gateway.store.engine import open_engine, reading
from notify_gateway.store.migrate import Which, is_current
from notify_gateway.store.tables import audit_tables
from workers.app import queue_length

if TYPE_CHECKING:
    from notify_gateway.cli.output import Json

LEAST_DISK, LITTLE_DISK = 200 * 2**20, 2 * 2**30
OLD_POSTCODES = timedelta(days=190)
CLOCK_OFF, CLOCK_FAR_OFF = 2.0, 30.0


class State(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``fix`` is empty when nothing is to be done. Holds no secret."""

    name: str
    state: State
    value: str
    fix: str = ""

    def document(self) -> dict[str, Json]:
        """Return the check as JSON values."""
        return {"name": self.name, "state": self.state.value, "value": self.value, "fix": self.fix}


def examine(clock: Clock | None = None) -> list[Check]:
    """Return every check of the service that the environment's settings describe."""
    try:
        settings = Settings()
    except (ValueError, OSError) as error:
        return [Check("settings", State.FAIL, each.title + ": " + each.why, each.fix) for each in in_words(error)]
    return list(_examine(settings, clock or SystemClock()))


def _examine(settings: Settings, clock: Clock) -> Iterator[Check]:
    yield check_settings(settings)
    yield check_data_folder(settings)
    yield check_disk(settings)
    yield check_memory()
    yield from check_keys(settings)
    yield check_postcodes(settings, clock)
    yield check_tables()
    yield check_broker(settings)
    for which, url in (("main", settings.main_url), ("shred", settings.shred_url)):
        yield from check_database(which, url, settings, clock)  # type: ignore[arg-type]  # the pair spells the literals out


def check_settings(settings: Settings) -> Check:
    """The settings fit together, and suit the deployment."""
    value = f"{settings.deployment.value} deployment at {settings.base_url}"
    if settings.deployment is Deployment.LIVE and (settings.database_url is None or settings.shred_database_url is None):
        fix = "Set NOTIFY_GATEWAY_DATABASE_URL and NOTIFY_GATEWAY_SHRED_DATABASE_URL to two PostgreSQL databases with backups of their own."
        return Check("settings", State.WARN, f"{value}, on the embedded database", fix)
    return Check("settings", State.OK, value)


def check_data_folder(settings: Settings) -> Check:
    """The data folder is there, and no other user of the machine gets in."""
    folder = settings.data_dir
    if not folder.is_dir():
        return Check("data folder", State.FAIL, f"{folder} is not there", f"Run notify-gateway keys make, or: install -d -m 0700 {folder}")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o007:
        return Check("data folder", State.WARN, f"{folder} is open to other users ({mode:04o})", f"Run: chmod 0700 {folder}")
    return Check("data folder", State.OK, f"{folder} ({mode:04o})")


def check_disk(settings: Settings) -> Check:
    """There is room for what will be kept."""
    folder = next(each for each in (settings.data_dir, *settings.data_dir.absolute().parents) if each.exists())
    free = shutil.disk_usage(folder).free
    value = f"{free / 2**30:.1f} GiB free"
    if free < LITTLE_DISK:
        state = State.FAIL if free < LEAST_DISK else State.WARN
        return Check("disk", state, value, "Make room, or move the data folder: nothing is accepted that cannot be kept.")
    return Check("disk", State.OK, value)


def check_memory() -> Check:
    """What a process holds in memory cannot be dumped or read by others."""
    guard = guard_memory()
    if guard.no_core_dumps and guard.not_dumpable:
        return Check("memory", State.OK, str(guard))
    return Check("memory", State.WARN, str(guard), "Run on Linux, and set the core limit to 0 (LimitCORE=0, ulimits: core: 0).")


def check_keys(settings: Settings) -> Iterator[Check]:
    """Each key file is there, whole, and readable by its owner alone; the public files belong to the private ones."""
    gateway = _key(settings, GATEWAY_KEY, SigningKey)
    yield gateway[0]
    yield _public(settings, GATEWAY_PUBLIC, gateway[1])
    yield _key(settings, PSEUDONYM_ROOTS, PseudonymRoots)[0]
    if (settings.keys / LOG_KEY).exists():
        log = _key(settings, LOG_KEY, SigningKey)
        yield log[0]
        yield _public(settings, LOG_PUBLIC, log[1])
    else:
        yield _public(settings, LOG_PUBLIC, None)


def check_postcodes(settings: Settings, clock: Clock) -> Check:
    """There is a postcode table, it is whole, and not too old."""
    try:
        held = PostcodeTable.open(settings.postcodes)
    except (PostcodeError, OSError) as error:
        told = in_words(error)[0]
        return Check("postcodes", State.FAIL, told.why, told.fix)
    compiled = max(path.stat().st_mtime for path in settings.postcodes.glob("*.table"))
    old = clock.now() - datetime.fromtimestamp(compiled, UTC)
    value = f"edition {held.edition}, {held.count:,} postcodes, compiled {old.days} days ago"
    fix = "Load the newest edition: notify-gateway postcodes load FILE"
    if held.edition == DEMONSTRATION and settings.deployment is Deployment.LIVE:
        return Check("postcodes", State.FAIL, f"{value}: a handful of public buildings", fix)
    return (
        Check("postcodes", State.WARN, value, f"{fix} (the ONS publishes one each quarter).")
        if old > OLD_POSTCODES
        else Check("postcodes", State.OK, value)
    )


def check_tables() -> Check:
    """The packaged code tables are sound."""
    found = table_problems()
    if found:
        return Check(
            "code tables", State.FAIL, f"{len(found)} problems", "Run notify-gateway mappings check, and install the package anew."
        )
    return Check("code tables", State.OK, f"sound, authorities of {Directory.load().version}")


def check_broker(settings: Settings) -> Check:
    """The broker answers."""
    if settings.broker_url is None:
        if settings.deployment is Deployment.DEMONSTRATION:
            return Check("broker", State.OK, "in memory, as in the demonstration")
        return Check("broker", State.WARN, "none is set", "Set NOTIFY_GATEWAY_BROKER_URL to a Redis; worker and scheduler need it.")
    try:
        waiting = queue_length(settings.broker)()
    except (OSError, ValueError) as error:
        fix = "Start Redis, or correct NOTIFY_GATEWAY_BROKER_URL. Nothing is lost meanwhile: the database holds what is due."
        return Check("broker", State.FAIL, f"does not answer ({type(error).__name__})", fix)
    return Check("broker", State.OK, f"answers, {waiting} hints waiting")


def check_database(which: Which, url: str, settings: Settings, clock: Clock) -> Iterator[Check]:
    """The database answers and has the form that this version needs; of the main one also what stands in it."""
    name = f"{which} database"
    if url.startswith("sqlite") and not (settings.data_dir / f"{which}.sqlite3").exists():
        yield Check(name, State.FAIL, "not made yet", "Run notify-gateway migrate.")
        return
    engine = open_engine(url, pool_size=1)
    try:
        with reading(engine).begin() as connection:
            connection.scalar(select(1))
        yield Check(name, State.OK, f"answers ({engine.dialect.name})")
        if not is_current(engine, which):
            yield Check(f"{which} migrations", State.FAIL, "not those of this version", "Run notify-gateway migrate.")
            return
        yield Check(f"{which} migrations", State.OK, "current")
        if which == "main":
            yield from _inside(engine, settings, clock)
    except SQLAlchemyError as error:
        variable = "NOTIFY_GATEWAY_DATABASE_URL" if which == "main" else "NOTIFY_GATEWAY_SHRED_DATABASE_URL"
        kind = type(getattr(error, "orig", None) or error).__name__
        yield Check(name, State.FAIL, f"does not answer ({kind})", f"Start the database, or correct {variable} and its password.")
    finally:
        engine.dispose()


def _inside(engine: Engine, settings: Settings, clock: Clock) -> Iterator[Check]:
    yield check_clock(engine, clock)
    yield check_log(engine, settings, clock)
    yield from check_authorities(engine)
    yield from check_opener(engine, settings)


def check_clock(engine: Engine, clock: Clock) -> Check:
    """This machine's clock agrees with the database server's, and is not behind what the log was last signed at."""
    here = clock.now()
    with reading(engine).begin() as connection:
        last = connection.scalar(select(func.max(audit_tables.checkpoint.c.signed_at)))
        there = connection.scalar(select(func.clock_timestamp())) if engine.dialect.name == "postgresql" else here
    assert there is not None
    off = abs((here - there).total_seconds())
    behind = (last or 0) / 1e6 - here.timestamp()
    fix = "Set the clock by NTP (chrony, systemd-timesyncd): dates of law and the log's promises hang on it."
    if off > CLOCK_OFF or behind > CLOCK_OFF:
        value = f"{off:.0f} s off the database's" if off > CLOCK_OFF else f"{behind:.0f} s behind the log's last signature"
        return Check("clock", State.FAIL if max(off, behind) > CLOCK_FAR_OFF else State.WARN, value, fix)
    return Check("clock", State.OK, f"{here:%Y-%m-%d %H:%M:%S} UTC")


def check_log(engine: Engine, settings: Settings, clock: Clock) -> Check:
    """What happened gets its place in the log within the time that is promised."""
    with reading(engine).begin() as connection:
        waits = oldest_pending_age(connection, audit_tables, clock.now())
        size = connection.scalar(select(func.max(audit_tables.checkpoint.c.size))) or 0
    if waits is not None and waits > settings.promise_within.total_seconds():
        fix = "Start notify-gateway sequence, or see why it ended: it names the reason. Until then nothing is accepted."
        return Check("log", State.FAIL, f"{size} entries signed; the oldest event has waited {waits:.0f} s", fix)
    return Check(
        "log",
        State.OK,
        f"{size} entries signed; {'nothing waits' if waits is None else f'the oldest event has waited {max(0, waits):.1f} s'}",
    )


def check_authorities(engine: Engine) -> Iterator[Check]:
    """Each authority on the service has the keys that its custody asks for."""
    with reading(engine).begin() as connection:
        receivers = parties.receivers(connection)
    if not receivers:
        fix = "Register one: notify-gateway authorities register GSS --custody authority-held --channel pull"
        yield Check("authorities", State.WARN, "none is on the service", fix)
    for each in receivers.values():
        missing = missing_keys(each)
        state = State.OK if not missing else State.WARN if each.live_keys else State.FAIL
        value = f"{each.name}: {', '.join(f'no {purpose} key' for purpose in missing) or f'{len(each.live_keys)} live keys'}"
        fix = (
            f"notify-gateway authority key make --authority {each.gss} --purpose {missing[0]}, then authorities key add" if missing else ""
        )
        yield Check(f"authority {each.gss}", state, value, fix)


def check_opener(engine: Engine, settings: Settings) -> Iterator[Check]:
    """Where an authority's key is in managed custody, the opener answers at its socket."""
    with reading(engine).begin() as connection:
        managed = any(each.custody == "managed" for each in parties.receivers(connection).values())
    if not managed:
        return
    address = settings.opener_socket
    if address is None:
        fix = "Set NOTIFY_GATEWAY_OPENER_SOCKET for gateway and opener alike."
        yield Check("opener", State.FAIL, "an authority is in managed custody, and no socket is set", fix)
        return
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(2)
            link.connect(str(address))
    except OSError as error:
        fix = "Start notify-gateway opener, under a user whose group the gateway is in."
        yield Check("opener", State.FAIL, f"{address}: {error.strerror or 'does not answer'}", fix)
    else:
        yield Check("opener", State.OK, f"answers at {address}")


def _key(settings: Settings, name: str, kind: type[Key]) -> tuple[Check, Key | None]:
    path = settings.keys / name
    if not path.exists():
        fix = "Run notify-gateway keys make; or restore it from its backup if the service has run before."
        return Check(name, State.FAIL, f"{path} is not there", fix), None
    try:
        key = load(path, kind)
    except KeyFileError as error:
        told = in_words(error)[0]
        return Check(name, State.FAIL, told.why, told.fix), None
    return Check(name, State.OK, f"whole, {stat.S_IMODE(path.stat().st_mode):04o}"), key


def _public(settings: Settings, name: str, private: Key | None) -> Check:
    found, key = _key(settings, name, VerifyingKey)
    if isinstance(key, VerifyingKey) and isinstance(private, SigningKey) and key.raw != private.public().raw:
        return Check(
            name, State.FAIL, "belongs to another private key", f"Move {settings.keys / name} away and run notify-gateway keys make."
        )
    return found
