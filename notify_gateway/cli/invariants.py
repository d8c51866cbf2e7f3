# SPDX-License-Identifier: MIT
"""What is checked by itself, by hand: the invariants, the objectives, and the reconciliation file of a day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import FAILED, CommandFailed
from notify_gateway.cli.output import AsJson, Json, facts, show, table
from notify_gateway.cli.service import opened_core

if TYPE_CHECKING:
    from datetime import date

    from notify_gateway.use_cases.invariants.finding import Finding
    from notify_gateway.use_cases.objectives import Objective


def invariants(
    whole: Annotated[bool, typer.Option("--whole", help="Look at every row instead of a bounded sample of each table.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that nothing is lost, late, doubled or untold, and keep what was found. The scheduler does the same by itself.

    The status is 1 when an invariant does not hold or could not be looked at; a warning leaves it at 0. References are ours or ids.

    Example: notify-gateway invariants --whole
    """
    from rich.text import Text

    from notify_gateway.use_cases.invariants.finding import RUNBOOK, Level
    from notify_gateway.use_cases.invariants.runs import run

    with opened_core() as core:
        made = run(core, whole=whole)
    styles = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red", Level.UNKNOWN: "bold red"}
    rows: list[tuple[object, ...]] = []
    for each in made.findings:
        rows.append((Text(each.level.value, style=styles[each.level]), each.name, each.said))
        if each.count:
            rows.append(("", "", Text(f"{each.count}: {', '.join(each.references)}", style=styles[each.level])))
    failed = len(made.broken)
    document: Json = {
        "run": str(made.id),
        "at": made.at.isoformat(),
        "reach": made.reach,
        "failed": failed,
        "findings": [_finding(each) for each in made.findings],
    }
    verdict = f"{len(made.findings)} invariants, {failed} broken or unknown."
    show(as_json, document, table(("", "Invariant", "Found"), rows), "", verdict, *([f"What to do: {RUNBOOK}"] if failed else []))
    raise typer.Exit(FAILED if failed else 0)


def slo(
    days: Annotated[int, typer.Option(min=1, max=366, help="Days up to now that shares are reckoned over.")] = 7, as_json: AsJson = False
) -> None:
    """Show how the service level objectives stand: delivered in time, logged in time, signed, nobody waiting long.

    Example: notify-gateway slo --days 30
    """
    from notify_gateway.use_cases.objectives import objectives

    with opened_core() as core:
        found = objectives(core, window=timedelta(days=days))
    document: Json = {"days": days, "objectives": [_objective(each) for each in found]}
    words = {True: "met", False: "missed", None: "nothing to measure"}
    rows = [(words[each.met], each.name, _target(each), _measured(each), each.of, each.sentence) for each in found]
    show(as_json, document, table(("", "Objective", "Target", "Measured", "Of", "What it says"), rows))


def reconcile(
    day: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="The day, in London.")],
    trust: Annotated[str | None, typer.Option(metavar="ODS", help="The trust whose file it is.")] = None,
    authority: Annotated[str | None, typer.Option(metavar="GSS", help="The authority whose file it is.")] = None,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the file here: .csv or .json; it must not exist.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the sums of a day's reconciliation file of a trust or an authority, and write the file with --out. --json prints it whole.

    Example: notify-gateway reconcile --day 2026-11-20 --trust RXX --out rxx-2026-11-20.csv
    """
    import sys

    from notify_gateway.use_cases.reconcile import organisation_of
    from notify_gateway.use_cases.reconcile import reconcile as made_of

    if (trust is None) == (authority is None):
        raise CommandFailed(
            "Whose file is not clear", "A file is of one trust or of one authority.", "Give --trust ODS or --authority GSS."
        )
    kind, code = ("trust", trust) if trust is not None else ("authority", authority or "")
    with opened_core() as core:
        organisation = organisation_of(core, kind=kind, code=(code or "").strip().upper())
        made = made_of(core, organisation=organisation, day=_day(day))
        if out is not None:
            with out.open("xb") as file:
                file.writelines(made.as_csv() if out.suffix.lower() == ".csv" else made.as_json())
        if as_json:
            for chunk in made.as_json():
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        head = made.head()
    totals, log = head["totals"], head["log"]
    happened = {name.replace("_", " "): count for name, count in totals["happened"].items() if count}
    standing = {name.replace("-", " "): count for name, count in totals["at_the_end"].items()}
    begun = {"accepted": totals["accepted"], "added by moves": totals["added_by_moves"], "carried over": totals["carried_over"]}
    verdict = "The sums balance." if totals["balanced"] else "The sums do not balance: run notify-gateway invariants --whole."
    finished = "The day is complete." if head["complete"] else "The day is not complete yet."
    show(
        False,
        None,
        f"{code}, {head['day']}. {finished} It rests on the log's first {log['size']} entries.",
        "",
        table(("Happened", "Times"), happened.items()),
        "",
        table(("Taken on", "Deliveries"), begun.items()),
        "",
        table(("At the end of the day", "Deliveries"), standing.items()),
        "",
        verdict,
        *([facts({"written": out})] if out is not None else []),
    )


def _day(text: str) -> date:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandFailed("That is no day", "A day is written YYYY-MM-DD.", "Give one such as 2026-11-20.") from None


def _finding(each: Finding) -> Json:
    return {
        "name": each.name,
        "sentence": each.sentence,
        "level": each.level.value,
        "count": each.count,
        "references": list(each.references),
        "said": each.said,
        "runbook": each.runbook,
        "took_ms": each.took_ms,
    }


def _objective(each: Objective) -> Json:
    return {
        "name": each.name,
        "sentence": each.sentence,
        "unit": each.unit.value,
        "target": each.target,
        "measured": each.measured,
        "of": each.of,
        "met": each.met,
    }


def _target(each: Objective) -> str:
    return f"{each.target:.0%}" if each.unit.value == "share" else f"{each.target:.0f} s"


def _measured(each: Objective) -> str:
    if each.measured is None:
        return ""
    # Rounded down, so that a miss never reads as a hit.
    return f"{int(each.measured * 10_000) / 100:.2f}%" if each.unit.value == "share" else f"{each.measured:.0f} s"
