# SPDX-License-Identifier: MIT
"""Evidence: the offline verifier under the service's own command; whoever lacks the command runs ``python -m audit.verify``."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="Verify receipts, promises and exports of the audit log, offline.")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
def verify(context: typer.Context) -> None:
    """Verify, offline: receipt, promise or export. Needs the log's verifier key (notify-gateway keys show) and the files.

    Example: notify-gateway audit verify receipt --key VKEY --receipt entry.tlog-proof --leaf entry.json
    """
    from audit.verify import main

    raise typer.Exit(main(context.args))
