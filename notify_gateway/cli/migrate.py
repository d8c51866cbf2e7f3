# SPDX-License-Identifier: MIT
"""Bringing the databases to the form that this version needs, and the parts of the service to their own logins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, show
from notify_gateway.cli.service import make_data_dir, settings

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from notify_gateway.store.migrate import Which


def migrate(
    roles: Annotated[
        bool,
        typer.Option("--roles", help="Make the database roles of the parts of the service too, and say what each may do (PostgreSQL)."),
    ] = False,
    login: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True, dir_okay=False, help="With --roles: a file that holds the database URL of a part; makes its login. Repeat."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring both databases to the form that this version needs. Safe to run again, and by several at once.

    With --roles the owner of the tables makes the roles notify_service, notify_delivery, notify_opener, notify_sequencer and notify_web;
    once they are there, every migration says anew what they may do. A login's name begins with its role, such as notify_service_1.
    """
    from notify_gateway.cli.logs import log_to_stderr
    from notify_gateway.store.migrate import upgrade_all

    chosen = settings()
    log_to_stderr(chosen.log_level)
    make_data_dir(chosen)
    if (roles or login) and not chosen.main_url.startswith("postgresql"):
        raise CommandFailed("This database has no roles", "SQLite is a file, which one account of the system owns.", "Leave --roles out.")
    upgrade_all(chosen.main_url, chosen.shred_url)
    urls: tuple[tuple[Which, str], ...] = (("main", chosen.main_url), ("shred", chosen.shred_url))
    granted = [which for which, url in urls if _grant(which, url, make=roles)]
    made = [_let_in(file, urls) for file in login or ()]
    words = "Both databases have the form that this version needs."
    if granted:
        words += f" Roles are set in: {', '.join(granted)}." + (f" Logins: {', '.join(made)}." if made else "")
    show(as_json, {"migrated": ["main", "shred"], "roles": granted, "logins": made}, words)


def _grant(which: Which, url: str, *, make: bool) -> bool:
    """Say what each role may do, if the roles are to be made or are in use; tell whether that was so."""
    from notify_gateway.store import roles
    from notify_gateway.store.engine import open_engine

    if not url.startswith("postgresql"):
        return False
    engine = open_engine(url, pool_size=1)
    try:
        with engine.begin() as connection:
            wanted = make or roles.in_use(connection, which)
            if wanted:
                roles.set_up(connection, which)
    finally:
        engine.dispose()
    return wanted


def _let_in(file: Path, urls: tuple[tuple[Which, str], ...]) -> str:
    """Make the login that the file's URL describes, on the server of the database that it leads to; return its name."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from notify_gateway.store import roles
    from notify_gateway.store.engine import open_engine

    fix = "Give the file with the URL under which a part reaches one of the two databases, as NOTIFY_GATEWAY_DATABASE_URL_FILE names it."
    try:
        wanted = make_url(file.read_text(encoding="utf-8").strip())
    except ArgumentError:
        raise CommandFailed("A login cannot be made", f"{file} holds no database URL.", fix) from None
    owner = next((url for _, url in urls if _place(make_url(url)) == _place(wanted)), None)
    if owner is None:
        raise CommandFailed("A login cannot be made", f"{file} leads to neither of the two databases.", fix)
    engine = open_engine(owner, pool_size=1)
    try:
        with engine.begin() as connection:
            roles.let_in(connection, wanted)
    except roles.LoginUnusable as error:
        raise CommandFailed("A login cannot be made", f"{file}: {error}.", fix) from None
    finally:
        engine.dispose()
    return str(wanted.username)


def _place(url: URL) -> tuple[str | None, int, str | None]:
    return url.host, url.port or 5432, url.database
