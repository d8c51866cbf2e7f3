# SPDX-License-Identifier: MIT
"""The ``notify-gateway`` command: every group in its place, and every expected error told in words."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from notify_gateway import __version__
from notify_gateway.cli import audit, authorities, authority, configuration, keys, mappings, postcodes, run, trusts
from notify_gateway.cli.demo.command import demo
from notify_gateway.cli.failures import report
from notify_gateway.cli.pretend.command import pretend_authority

TRY, RUN, BRING, CHECK, THERE = "Try it", "Run it", "Bring on to the service", "Check and prove", "At an authority"

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
for command in (run.serve, run.worker, run.schedule, run.sequence, run.opener, run.migrate):
    app.command(rich_help_panel=RUN)(command)
app.add_typer(keys.app, name="keys", rich_help_panel=RUN)
app.add_typer(postcodes.app, name="postcodes", rich_help_panel=RUN)
app.add_typer(trusts.app, name="trusts", rich_help_panel=BRING)
app.add_typer(authorities.app, name="authorities", rich_help_panel=BRING)
app.command(rich_help_panel=CHECK)(configuration.doctor)
app.add_typer(configuration.app, name="config", rich_help_panel=CHECK)
app.command(rich_help_panel=CHECK)(run.health)
app.add_typer(mappings.app, name="mappings", rich_help_panel=CHECK)
app.add_typer(audit.app, name="audit", rich_help_panel=CHECK)
app.add_typer(authority.app, name="authority", rich_help_panel=THERE)


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 failed, 2 wrong usage."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(given, prog_name="notify-gateway")
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(report(error, as_json="--json" in given))


if __name__ == "__main__":
    main()
