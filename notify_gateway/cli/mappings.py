# SPDX-License-Identifier: MIT
"""The code tables: whether they are sound, and what they say of a code."""

from __future__ import annotations

from typing import Annotated

import typer

from notify_gateway.cli.failures import FAILED
from notify_gateway.cli.output import AsJson, Json, show, table

app = typer.Typer(no_args_is_help=True, help="Check and explain the code tables: needs, authorities, districts.")


@app.command()
def check(as_json: AsJson = False) -> None:
    """Check the packaged tables: check digits, dates that overlap, areas that nobody answers for. Status 1 when something is wrong."""
    from mappings.authorities import Directory
    from mappings.needs import NeedTables
    from mappings.needs import check as problems_of

    found = problems_of()
    needs, directory = NeedTables.load(), Directory.load()
    document: Json = {
        "problems": [{"table": each.table, "key": each.key, "what": each.what} for each in found],
        "needs_version": needs.version,
        "directory_version": directory.version,
    }
    sound = f"All tables are sound: needs {needs.version}, authorities {directory.version}."
    rows = [(each.table, each.key, each.what) for each in found]
    show(as_json, document, table(("Table", "Key", "What is wrong"), rows) if found else sound)
    raise typer.Exit(FAILED if found else 0)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="A SNOMED CT concept, or a type of need of the Department for Education.")],
    as_json: AsJson = False,
) -> None:
    """Explain what a code of a message says about needs today, how far that may be trusted, and why.

    Example: notify-gateway mappings explain SLCN
    """
    from mappings.needs import DFE_SEN_TYPE, SNOMED_CT, translate
    from mappings.needs import explain as explained
    from notify_gateway.domain.clock import SystemClock, london_day

    today = london_day(SystemClock().now())
    found = translate(DFE_SEN_TYPE, code, today) or translate(SNOMED_CT, code, today)
    lines = explained(code, today)
    document: dict[str, Json] = {"code": code, "known": found is not None, "words": list(lines)}
    if found is not None:
        document |= {"strength": found.strength.value, "sen_types": found.sen_types, "areas": found.areas, "version": found.table_version}
    show(as_json, document, *lines)
    raise typer.Exit(0 if found else FAILED)
