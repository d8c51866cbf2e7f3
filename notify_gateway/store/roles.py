# SPDX-License-Identifier: MIT
"""Database roles on PostgreSQL: what each part of the service may do to each table. Nobody but the owner may change what is in the log.

The roles cannot log in. Each part has a login of its own that is a member of its role, so that a stolen login of the worker, say, reads
no key and writes no acceptance. The owner of the tables migrates, and is no part of the running service.

The service becomes ``notify_web`` while it reads and writes for a person's pages: then it sees the rows of that person's organisation alone
(``row_level``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from notify_gateway.store import case_tables, row_level
from notify_gateway.store.migrate import METADATA, Which


class Role(StrEnum):
    """The parts of the service, as the database tells them apart."""

    SERVICE = "notify_service"
    DELIVERY = "notify_delivery"
    OPENER = "notify_opener"
    SEQUENCER = "notify_sequencer"
    WEB = row_level.WEB


Grants = Mapping[str, str]

_READ, _ADD, _ALL = "SELECT", "SELECT, INSERT", "SELECT, INSERT, UPDATE, DELETE"
_LOG = "audit_"
_PENDING = "audit_pending"
_OF_SERVICE: Final[Mapping[Which, Grants]] = {
    "main": {_PENDING: _ADD},
    "shred": {"shred_keys": "SELECT, INSERT, DELETE", "erased_keys": _ADD},
}
"""Front door, scheduler and the operators' commands: everything but the log, which they read and to which they tell what happened."""
_ELSEWHERE: Final[Mapping[Role, Mapping[Which, Grants]]] = {
    Role.DELIVERY: {
        "main": {
            "authorities": _READ,
            "authority_keys": _READ,
            "notifications": _READ,
            "messages": _READ,
            "envelopes": _READ,
            "deliveries": "SELECT, UPDATE",
            "mesh_messages": _ADD,
            "erased_messages": _READ,
            "circuits": "SELECT, INSERT, UPDATE",
            "downtimes": _READ,
            **dict.fromkeys(case_tables.OF_ARRIVALS, "SELECT, INSERT, UPDATE"),
            "inbox_settings": _READ,
            _PENDING: _ADD,
        },
        "shred": {"shred_keys": _READ, "erased_keys": _READ},
    },
    Role.OPENER: {
        "main": {
            "notifications": _READ,
            "messages": _READ,
            "envelopes": _READ,
            "reveal_grants": "SELECT, UPDATE",
            "sealed_notes": _READ,
            "open_acts": "SELECT, INSERT, DELETE",
            "erased_messages": _READ,
            _PENDING: _ADD,
        },
        "shred": {"shred_keys": _READ, "erased_keys": _READ},
    },
    Role.SEQUENCER: {
        "main": {
            _PENDING: "SELECT, DELETE",
            "audit_leaf": _ADD,
            "audit_node": _ADD,
            "audit_head": "SELECT, INSERT, UPDATE",
            "audit_checkpoint": _ADD,
            "audit_cosignature": _ADD,
            "audit_witness": "SELECT, INSERT, UPDATE",
            "audit_timestamp": _ADD,
            "audit_origin": _READ,
            "audit_stop": "SELECT, INSERT, UPDATE, DELETE",
        },
        "shred": {},
    },
    Role.WEB: {
        "main": {
            **dict.fromkeys(("authorities", "authority_keys", "clients", "notifications", "messages", "erased_messages"), _READ),
            **dict.fromkeys((*case_tables.SCOPED, "case_disputes"), "SELECT, INSERT, UPDATE"),
            "deliveries": "SELECT, UPDATE",
            "delivery_steps": _ADD,
            **dict.fromkeys(("ages", "envelopes", "staff_sessions"), _READ),
            "staff": "SELECT, UPDATE",
            **dict.fromkeys(("devices", "recovery_drills"), _READ),
            "sealed_notes": _ADD,
            "hand_overs": "SELECT, INSERT, UPDATE",
            "event_details": "INSERT",
            "reveal_grants": "INSERT",
            _PENDING: _ADD,
        },
        "shred": {},
    },
}


class LoginUnusable(Exception):
    """A login cannot be made as it is described; the message says why."""


def grants(role: Role, which: Which) -> dict[str, str]:
    """Return what the role may do to each table of the database; a table that is not named, nothing."""
    if role is not Role.SERVICE:
        return dict(_ELSEWHERE[role][which])
    usual = {name: _READ if name.startswith(_LOG) else _ALL for name in METADATA[which].tables}
    return {**usual, **_OF_SERVICE[which], f"alembic_version_{which}": _READ}


def set_up(connection: Connection, which: Which) -> None:
    """The roles are there and may do what ``grants`` says, and nothing else in this schema. Doing it again changes nothing.

    Tables that are added later can be read by the service, and no more until the next call. Raises ``ProgrammingError`` where a role is
    missing and the caller may not make roles.
    """
    for role in Role:
        _ensure(connection, role, "NOLOGIN")
    schema = _quoted(connection, connection.execute(text("SELECT current_schema()")).scalar_one())
    everyone = ", ".join(Role)
    connection.execute(text(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {everyone}"))
    for kind in ("TABLES", "SEQUENCES"):
        connection.execute(text(f"REVOKE ALL ON ALL {kind} IN SCHEMA {schema} FROM PUBLIC, {everyone}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {everyone}"))
    for role in Role:
        for table, privileges in grants(role, which).items():
            connection.execute(text(f"GRANT {privileges} ON {schema}.{_quoted(connection, table)} TO {role}"))
    _let_become(connection, Role.SERVICE, Role.WEB)
    later = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema}"
    connection.execute(text(f"{later} GRANT {_READ} ON TABLES TO {Role.SERVICE}"))
    connection.execute(text(f"{later} GRANT USAGE ON SEQUENCES TO {everyone}"))


def let_in(connection: Connection, login: URL) -> Role:
    """The login exists with the URL's password and is a member of the role that its name begins with; return that role.

    Raises ``LoginUnusable`` for a name that begins with no role, or without a password. The password goes to the server as its
    verifier alone, so that it stands in no log.
    """
    role = next((each for each in Role if (login.username or "").startswith(f"{each}_")), None)
    if role is None or login.username is None:
        raise LoginUnusable(f"a login's name begins with its role: {', '.join(f'{each}_' for each in Role)}")
    if not login.password:
        raise LoginUnusable("a login has a password")
    name = _quoted(connection, login.username)
    _ensure(connection, login.username, "LOGIN")
    driver: psycopg.Connection[object] = connection.connection.driver_connection  # type: ignore[assignment]
    verifier = driver.pgconn.encrypt_password(str(login.password).encode(), login.username.encode(), b"scram-sha-256").decode("ascii")
    connection.exec_driver_sql(f"ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{verifier}'")
    connection.exec_driver_sql(f"GRANT {role} TO {name}")
    return role


def in_use(connection: Connection, which: Which) -> bool:
    """Tell whether the roles were set up in this database."""
    table = f"alembic_version_{which}"
    known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": Role.SERVICE.value})
    granted = text("SELECT has_table_privilege(:role, :table, 'SELECT')")
    return bool(known) and bool(connection.scalar(granted, {"role": Role.SERVICE.value, "table": table}))


def _ensure(connection: Connection, name: str, kind: str) -> None:
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}):
        return
    # Roles are the whole server's: one that another database's migration makes at this moment is there, and that is all that is asked.
    connection.execute(
        text(
            f"DO $$ BEGIN CREATE ROLE {_quoted(connection, name)} {kind}; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    )


def _let_become(connection: Connection, role: str, other: str) -> None:
    if connection.scalar(text("SELECT pg_has_role(:role, :other, 'MEMBER')"), {"role": role, "other": other}):
        return
    connection.execute(text(f"DO $$ BEGIN GRANT {other} TO {role}; EXCEPTION WHEN unique_violation OR internal_error THEN NULL; END $$"))


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote_identifier(name)
