# SPDX-License-Identifier: MIT
"""The postcode table: compiled from the ONS Postcode Directory, switched over in one step, asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, Words, facts, show, warning
from notify_gateway.cli.service import make_data_dir, operator, settings

if TYPE_CHECKING:
    from mappings.postcodes import Edition
    from notify_gateway.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Load the ONS Postcode Directory, and look postcodes up in it.")

DEMONSTRATION = "demonstration"


@app.command()
def load(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV file of ONSPD or NSPL, as published by the ONS.", exists=True, dir_okay=False)
    ],
    edition: Annotated[str | None, typer.Option(help="Name of the edition, such as ONSPD_NOV_2026; otherwise the file's name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compile a directory (2.7 million rows, some seconds, little memory) and switch the service over to it in one step.

    Running gateways change over within a second or two, no request fails, and what was routed says by which edition.

    Example: notify-gateway postcodes load ONSPD_NOV_2026_UK.csv --edition ONSPD_NOV_2026
    """
    _load(file, edition, as_json=as_json)


@app.command()
def demonstration(as_json: AsJson = False) -> None:
    """Load a handful of public buildings, to try the service out without the directory."""
    from mappings.postcodes import demonstration_source

    _load(demonstration_source(), DEMONSTRATION, as_json=as_json)


@app.command()
def info(as_json: AsJson = False) -> None:
    """Show which edition is in use."""
    from mappings.postcodes import PostcodeTable

    chosen = settings()
    held = PostcodeTable.open(chosen.postcodes)
    where = {"sha256": held.digest, "folder": str(chosen.postcodes)}
    document: dict[str, Json] = {"edition": held.edition, "count": held.count, **where}
    show(as_json, document, facts({"edition": held.edition, "postcodes": f"{held.count:,}", **where}))


@app.command()
def lookup(
    postcode: Annotated[str, typer.Argument(help="A postcode, in any spacing and case; leave it out to be asked.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show where a postcode lies, and which authority answers for children who live there today.

    Example: notify-gateway postcodes lookup "TS18 1LD"
    """
    from mappings.authorities import Directory
    from mappings.postcodes import PostcodeTable, normalise
    from notify_gateway.domain.clock import SystemClock, london_day

    held = PostcodeTable.open(settings().postcodes)
    asked = postcode or str(typer.prompt("Postcode", err=True))
    written = normalise(asked)
    if written is None:
        raise CommandFailed("That is no postcode", "It is not written like one.", "Give it whole, such as TS18 1LD.")
    area = held.lookup(written)
    if area is None:
        raise CommandFailed(
            "The postcode is not in the table",
            f"Edition {held.edition} does not know it.",
            "Check it; if it is new, load a newer edition. A sender may name the authority and give the reason new-postcode.",
        )
    authority = Directory.load().responsible_for(area.district, london_day(SystemClock().now()))
    document: dict[str, Json] = {
        "postcode": written,
        "district": area.district,
        "country": area.country.value,
        "terminated": area.terminated,
        "authority": {"gss": authority.gss, "name": authority.name} if authority else None,
        "edition": area.edition,
    }
    words = facts(
        {
            "postcode": f"{written}{' (no longer used by the Royal Mail)' if area.terminated else ''}",
            "district": area.district,
            "country": area.country.value,
            "authority": f"{authority.name} ({authority.gss})" if authority else "none in England",
            "edition": area.edition,
        }
    )
    show(as_json, document, words)


def _load(source: Path, edition: str | None, *, as_json: bool) -> None:
    from mappings.postcodes import PostcodeTable, TableMissing, compile_table

    chosen = settings()
    if chosen.postcodes_dir is None:
        make_data_dir(chosen)
    try:
        before: PostcodeTable | None = PostcodeTable.open(chosen.postcodes)
    except TableMissing:
        before = None
    with _recording(chosen) as record, _progress(source) as progress:
        try:
            made = compile_table(source, chosen.postcodes, edition=edition, progress=progress)
        except ValueError as error:
            raise CommandFailed("The edition cannot be named so", f"{error}.", "Give a name with --edition.") from None
        recorded = record(made, before.edition if before else None) if before is None or before.digest != made.digest else False
    _tell(made, as_json=as_json, recorded=recorded, same=before is not None and before.digest == made.digest)


def _tell(made: Edition, *, as_json: bool, recorded: bool, same: bool) -> None:
    document: dict[str, Json] = {
        "edition": made.name,
        "count": made.count,
        "rows": made.rows,
        "terminated": made.terminated,
        "duplicates": made.duplicates,
        "unplaced": made.unplaced,
        "bad_rows": made.bad_rows,
        "reports": [{"line": bad.line, "what": bad.what} for bad in made.reports],
        "sha256": made.digest,
        "switched": not same,
        "recorded": recorded,
    }
    words: list[Words] = [
        f"Edition {made.name} was in use already." if same else f"Edition {made.name} is in use now.",
        facts({"postcodes": f"{made.count:,} ({made.terminated:,} terminated)", "rows read": f"{made.rows:,}", "sha256": made.digest}),
    ]
    if made.bad_rows:
        words.append(warning(f"{made.bad_rows} rows were left out: {'; '.join(f'line {bad.line} {bad.what}' for bad in made.reports[:5])}"))
    show(as_json, document, *words)


@contextmanager
def _recording(chosen: Settings) -> Iterator[Callable[[Edition, str | None], bool]]:
    """Give what writes the switch into the audit log. Where there is a database it must answer before anything is switched."""
    from sqlalchemy import select

    from audit.events import Event
    from audit.log import append
    from notify_gateway.domain.clock import SystemClock
    from notify_gateway.store.engine import open_engine, reading
    from notify_gateway.store.tables import audit_tables

    if chosen.database_url is None and not (chosen.data_dir / "main.sqlite3").exists():
        yield lambda *_: False
        return
    engine = open_engine(chosen.main_url, pool_size=1)

    def record(made: Edition, before: str | None) -> bool:
        fields: dict[str, str | int] = {"count": made.count, "digest": made.digest}
        if before:
            fields["previous"] = before
        event = Event("postcodes:switched", at=SystemClock().now(), actor=operator(), subject=made.name, fields=fields)
        with engine.begin() as connection:
            append(connection, audit_tables, [event])
        return True

    try:
        with reading(engine).begin() as connection:
            connection.execute(select(audit_tables.pending.c.event_id).limit(1))
        yield record
    finally:
        engine.dispose()


@contextmanager
def _progress(source: Path) -> Iterator[Callable[[str, int], None]]:
    """Give what draws a bar on a terminal, on standard error, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        reading = bar.add_task("reading", total=_about_how_many_rows(source))
        writing = bar.add_task("writing", total=None, start=False)

        def report(stage: str, count: int) -> None:
            if stage == "reading":
                bar.update(reading, completed=count)
            else:
                if not bar.tasks[writing].started:
                    bar.start_task(writing)
                    bar.update(reading, total=bar.tasks[reading].completed)
                    bar.update(writing, total=bar.tasks[reading].completed)
                bar.update(writing, completed=count)

        yield report
        bar.update(writing, total=bar.tasks[writing].completed)


def _about_how_many_rows(source: Path) -> int:
    """Return an estimate from the length of the first lines: the bar needs no more."""
    with source.open("rb") as file:
        sample = file.read(256 * 1024)
    lines = max(1, sample.count(b"\n"))
    return max(1, source.stat().st_size * lines // max(1, len(sample)) - 1)
