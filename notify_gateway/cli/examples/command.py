# SPDX-License-Identifier: MIT
"""``notify-gateway examples``: worked examples for those who build a sender."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from notify_gateway.cli.output import AsJson, Json, show, table

app = typer.Typer(no_args_is_help=True, help="Worked examples: whole notifications about invented children.")

Ods = Annotated[str, typer.Option(metavar="ODS", help="ODS code of the sending organisation, the one that the token belongs to.")]
Authority = Annotated[str, typer.Option(metavar="GSS", help="GSS code of an authority that is on the service.")]
HomePostcode = Annotated[str, typer.Option("--postcode", help="A postcode in that authority's area.")]


@app.command()
def write(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="Folder to write to; files of these names are replaced.")],
    ods: Ods = "RXX",
    authority: Authority = "E06000004",
    postcode: HomePostcode = "TS18 1LD",
    as_json: AsJson = False,
) -> None:
    """Write the worked examples: new, update, delete, several opinions, an objection, no NHS number, no address, refusals and more.

    README.md in the folder tells what each shows and what the gateway answers. Nobody in them exists.

    Example: notify-gateway examples write try-out --ods RXX
    """
    from notify_gateway.cli.examples.sender import sender_for
    from notify_gateway.cli.examples.writing import README
    from notify_gateway.cli.examples.writing import write as write_all

    written = write_all(folder, sender_for(ods, authority, postcode))
    document: Json = [{"file": str(folder / each.file), "shows": each.shows, "status": each.status, "code": each.code} for each in written]
    rows = [(each.file, f"{each.status} {each.code or ''}", each.shows) for each in written]
    show(as_json, document, table(("File", "Answer", "What it shows"), rows), f"Told at length in {folder / README}")
