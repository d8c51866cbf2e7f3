# SPDX-License-Identifier: MIT
"""The ``notify-gateway`` command: every group in its place, and every expected error told in words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated

import typer

from notify_gateway import __version__
from notify_gateway.cli import (
    audit,
    authorities,
    authority,
    backup,
    configuration,
    ig,
    invariants,
    keys,
    mappings,
    operations,
    operators,
    postcodes,
    restore,
    run,
    shards,
    staff,
    timestamps,
    trusts,
    witness,
)
from notify_gateway.cli.conformance import command as conformance
from notify_gateway.cli.demo.command import demo
from notify_gateway.cli.erase import erase, hold_app
from notify_gateway.cli.examples import command as examples
from notify_gateway.cli.failures import report
from notify_gateway.cli.migrate import migrate
from notify_gateway.cli.pretend.command import pretend_authority
from notify_gateway.cli.send import send
from notify_gateway.cli.validate import validate

TRY, RUN, KEEP, BRING, CHECK, SEND, THERE = (
    "Try it",
    "Run it",
    "Keep, erase, restore",
    "Bring on to the service",
    "Check and prove",
    "At a trust",
    "At an authority",
)

app = typer.Typer(
    name="notify-gateway",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(rich_help_panel=TRY)(demo)
app.command("pretend-authority", rich_help_panel=TRY)(pretend_authority)
app.add_typer(examples.app, name="examples", rich_help_panel=TRY)
app.add_typer(conformance.app, name="conformance", rich_help_panel=TRY)
app.command(rich_help_panel=TRY)(validate)
for command in (run.serve, run.worker, run.schedule, run.sequence, run.opener, migrate):
    app.command(rich_help_panel=RUN)(command)
app.add_typer(keys.app, name="keys", rich_help_panel=RUN)
app.add_typer(postcodes.app, name="postcodes", rich_help_panel=RUN)
app.command(rich_help_panel=KEEP)(erase)
app.add_typer(hold_app, name="hold", rich_help_panel=KEEP)
app.command(rich_help_panel=KEEP)(backup.backup)
restore.app.command("check")(backup.check)
restore.app.command("load")(backup.load)
app.add_typer(restore.app, name="restore", rich_help_panel=KEEP)
app.add_typer(trusts.app, name="trusts", rich_help_panel=BRING)
app.add_typer(authorities.app, name="authorities", rich_help_panel=BRING)
app.add_typer(ig.app, name="ig", rich_help_panel=BRING)
app.add_typer(operators.app, name="operators", rich_help_panel=BRING)
app.add_typer(staff.app, name="staff", rich_help_panel=BRING)
app.add_typer(operations.app, name="operations", rich_help_panel=CHECK)
app.command(rich_help_panel=CHECK)(configuration.doctor)
app.add_typer(configuration.app, name="config", rich_help_panel=CHECK)
app.command(rich_help_panel=CHECK)(run.health)
app.command(rich_help_panel=CHECK)(invariants.invariants)
app.command(rich_help_panel=CHECK)(invariants.slo)
app.command(rich_help_panel=CHECK)(invariants.reconcile)
app.add_typer(mappings.app, name="mappings", rich_help_panel=CHECK)
for of_shards in (shards.logs, shards.close_year, shards.delete_entries):
    audit.app.command()(of_shards)
audit.app.add_typer(timestamps.app, name="timestamp")
app.add_typer(audit.app, name="audit", rich_help_panel=CHECK)
app.command(rich_help_panel=SEND)(send)
app.add_typer(authority.app, name="authority", rich_help_panel=THERE)
app.add_typer(witness.app, name="witness", rich_help_panel=THERE)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"notify-gateway {__version__}")
        raise typer.Exit


@app.callback()
def notify_gateway(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")] = False,
) -> None:
    """Section 23 notifications from NHS trusts to local authorities: checked, sealed, delivered and provable.

    See it work in a few seconds: notify-gateway demo

    Set it up: keys make, migrate, postcodes load FILE, trusts register, authorities register; then serve, worker, schedule and
    sequence, one process each. notify-gateway doctor says what is still missing. Settings are environment variables, listed by
    notify-gateway config docs. Statuses: 0 done, 1 failed, 2 wrong usage.
    """


@cache
def _whole() -> Callable[..., object]:
    """Return the whole command, put together once in a process: that takes a tenth of a second."""
    return typer.main.get_command(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 failed, 2 wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _whole()(given, prog_name="notify-gateway")
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(report(error, as_json="--json" in given))


if __name__ == "__main__":
    main()
