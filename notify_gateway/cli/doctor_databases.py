# SPDX-License-Identifier: MIT
"""The databases examined, and what stands in them: clock, log, authorities, the opener that managed custody needs."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from audit.reading import oldest_pending_age
from notify_gateway.cli.authorities import missing_keys
from notify_gateway.cli.doctor_alerts import check_alerts
from notify_gateway.cli.doctor_mesh import check_mesh
from notify_gateway.cli.doctor_sftp import check_sftp
from notify_gateway.cli.findings import Check, State
from notify_gateway.domain.clock import Clock
from notify_gateway.settings import Settings
from notify_gateway.store import parties
from notify_gateway.store.engine import open_engine, reading
from notify_gateway.store.migrate import Which, is_ahead, is_current
from notify_gateway.store.tables import audit_tables

CLOCK_OFF, CLOCK_FAR_OFF = 2.0, 30.0


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
        if is_ahead(engine, which):
            fix = "Nothing while you go back by one release; docs/operators.md says which code goes with which tables."
            yield Check(f"{which} migrations", State.WARN, "of a later version than this", fix)
        elif not is_current(engine, which):
            yield Check(f"{which} migrations", State.FAIL, "not those of this version", "Run notify-gateway migrate.")
            return
        else:
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
    yield from check_sftp(engine, settings)
    yield from check_mesh(engine, settings, clock)
    yield from check_alerts(engine, settings, clock)


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
