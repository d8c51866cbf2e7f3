# SPDX-License-Identifier: MIT
"""Evidence: what the log says of a notification, the log itself, and the offline verifier (also ``python -m audit.verify``)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from notify_gateway.cli.output import AsJson, Json, show, table, warning
from notify_gateway.cli.service import opened_core, operator

app = typer.Typer(no_args_is_help=True, help="Read and export the audit log; verify receipts, promises and exports offline.")


@app.command("show")
def show_story(
    reference: Annotated[str, typer.Argument(help="A notification's reference, such as SEN-7K2M9QXR-C.")],
    as_json: AsJson = False,
) -> None:
    """Show everything that happened to a notification, in the log's order. That you looked is recorded too.

    Example: notify-gateway audit show SEN-7K2M9QXR-C
    """
    from notify_gateway.use_cases.evidence import story
    from notify_gateway.use_cases.shards import all_closed

    with opened_core() as core:
        found = story(core, reference=reference, actor=operator())
        gone = [each.origin for each in all_closed(core) if each.deleted_at is not None]
    document: Json = [
        {
            "index": each.index,
            "at": each.event.at.isoformat(),
            "event": each.event.tag,
            "actor": each.event.actor,
            "subject": each.event.subject,
            "fields": dict(each.event.fields),
            "sentence": each.event.sentence(),
        }
        for each in found
    ]
    rows = [(each.index, each.event.at.strftime("%d %b %Y %H:%M:%S"), each.event.sentence()) for each in found]
    show(
        as_json,
        document,
        table(("Entry", "UTC", "What happened"), rows),
        *(warning(f"The entries of {each} were deleted.") for each in gone),
    )


@app.command()
def details(
    reference: Annotated[str, typer.Argument(help="A notification's reference, such as SEN-7K2M9QXR-C.")],
    as_json: AsJson = False,
) -> None:
    """Show what entries about a notification commit to and do not say: the case reference of a reveal. That you looked is recorded.

    What was erased is gone, and the entry still proves. SHA-256 over salt and words is the entry's field "detail".
    """
    from notify_gateway.use_cases.details import details_of

    with opened_core() as core:
        found = details_of(core, reference=reference, actor=operator())
    document: Json = [
        {"index": each.index, "event": each.event.tag, "actor": each.event.actor, "words": each.words, "salt": each.salt} for each in found
    ]
    rows = [(each.index, each.event.tag, each.event.actor, "erased" if each.words is None else each.words) for each in found]
    show(as_json, document, table(("Entry", "Event", "By", "Detail"), rows))


@app.command()
def export(
    out: Annotated[Path, typer.Option(dir_okay=False, help="File to write, one line per entry; it must not exist.")],
    log: Annotated[str | None, typer.Option(help="Name of a closed log, as audit logs shows it; without it the log that lives.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the signed log to a file, for the offline verifier. That it was exported is recorded first. It is personal data: keep it so.

    Example: notify-gateway audit export --out log.jsonl
    """
    from notify_gateway.use_cases.exporting import lines
    from notify_gateway.use_cases.shards import plan_deletion

    count = -1
    with opened_core() as core:
        closed = None if log is None else plan_deletion(core, log).log.epoch
        with open(out, "xb", opener=_for_the_owner) as file:
            for line in lines(core, actor=operator(), closed=closed):
                file.write(line + b"\n")
                count += 1
    show(as_json, {"file": str(out), "entries": max(count, 0)}, f"{max(count, 0)} entries, and the checkpoint that signs them: {out}")


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
def verify(context: typer.Context) -> None:
    """Verify, offline: receipt, promise or export. Needs the log's verifier key (notify-gateway keys show) and the files.

    Example: notify-gateway audit verify receipt --key VKEY --receipt entry.tlog-proof --leaf entry.json
    """
    from audit.verify import main

    raise typer.Exit(main(context.args))
