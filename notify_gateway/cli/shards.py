# SPDX-License-Identifier: MIT
"""The log by years: which logs there were, closing one at a year's end, deleting the entries of one whose time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, facts, show, table, warning
from notify_gateway.cli.restore import succeeded
from notify_gateway.cli.service import opened_core, operator

if TYPE_CHECKING:
    from audit.shards import ClosedLog
    from notify_gateway.use_cases.shards import Deletion

Sure = Annotated[bool, typer.Option("--yes", help="Do it. Without this the command shows what it would do, and changes nothing.")]


def logs(as_json: AsJson = False) -> None:
    """List the logs that were closed, oldest first, and from when on the entries of each may be deleted.

    Example: notify-gateway audit logs
    """
    from notify_gateway.use_cases import shards

    with opened_core() as core:
        plans = [shards.plan_deletion(core, each.origin) for each in shards.all_closed(core)]
        living = core.settings.log_origin
    document: Json = {"lives": living, "closed": [_log(plan.log) | _deletion(plan) for plan in plans]}
    rows = [(each.log.epoch, each.log.origin, each.log.size, _day(each.log.closed_at), _entries(each)) for each in plans]
    columns = ("Number", "Closed log", "Entries", "Closed on", "What they said")
    show(as_json, document, f"The log that lives: {living}", "", table(columns, rows))


def close_year(
    origin: Annotated[
        str | None, typer.Option(help="Name of the next log; without it the next year's, if the name ends with a year.")
    ] = None,
    yes: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Close the log at its last checkpoint and open the next one, whose first entry commits to it. Receipts of the closed one stay good.

    Shows first what it would do; do it with --yes. Let the sequencer finish, then stop every process. Needs the log's private key, the
    guard file and the login of the owner of the tables.

    Example: notify-gateway audit close-year --yes
    """
    from notify_gateway.use_cases import shards

    with opened_core() as core:
        plan = shards.plan_closing(core, origin)
        if yes:
            done = succeeded(core, plan.next_origin, "year-closed", restored=False)
            closed = done.standing.signed
    if not yes:
        signed = plan.standing.signed
        document: Json = {
            "done": False,
            "closes": signed.origin,
            "size": signed.size,
            "root": signed.root.hex(),
            "waiting": plan.waiting,
            "next_origin": plan.next_origin,
            "hindrance": plan.hindrance,
        }
        rows = {
            "log": signed.origin,
            "its last checkpoint": f"{signed.size} entries",
            "next log": plan.next_origin,
            "in the way": plan.hindrance or "nothing",
        }
        show(as_json, document, facts(rows), warning("Nothing was changed. Stop every process, then run it again with --yes."))
        return
    words = f"The log {closed.origin} is closed at {closed.size} entries; {done.origin} is open."
    fix = f"Now set NOTIFY_GATEWAY_LOG_ORIGIN={done.origin} for every process, tell your witnesses the new log line, and start."
    show(as_json, {"done": True, "closed": closed.origin, "size": closed.size, "origin": done.origin}, words, warning(fix))


def delete_entries(
    origin: Annotated[str, typer.Argument(help="Name of a closed log, as audit logs shows it.")],
    case: Annotated[str, typer.Option("--case", help="Reference of the decision under which this is done. Never a name.")],
    yes: Sure = False,
    as_json: AsJson = False,
) -> None:
    """Delete what the entries of a closed log said, once NOTIFY_GATEWAY_LOG_KEPT is over since its closing. Cannot be undone.

    Shows first what it would do; do it with --yes. Checkpoints, cosignatures and the hash of every entry stay: receipts and the chain of
    logs verify as before. Refused under a legal hold on what happened then. Needs the login of the owner of the tables. Export the log
    first if somebody else is to keep it: notify-gateway audit export --log NAME.

    Example: notify-gateway audit delete-entries notify-gateway.example/log/2026 --case RM-2035-4
    """
    from notify_gateway.use_cases import shards

    with opened_core() as core:
        plan = shards.plan_deletion(core, origin)
        if yes and plan.holds:
            held = ", ".join(each.case_reference for each in plan.holds)
            raise CommandFailed(
                "Nothing was deleted", f"A legal hold forbids it: {held}.", "End it first, by two people: notify-gateway hold release."
            )
        count = shards.delete(core, origin=origin, case_reference=case, actor=operator()) if yes else 0
    if yes:
        words = f"What {count} entries of {origin} said is deleted. Their hashes, and every checkpoint, are kept."
        show(
            as_json,
            {"done": True, "log": origin, "entries_deleted": count},
            words,
            warning("Backups hold them until they are overwritten."),
        )
        return
    rows = {
        "log": origin,
        "entries": plan.log.size,
        "closed on": _day(plan.log.closed_at),
        "what they said": _entries(plan),
        "legal holds": ", ".join(each.case_reference for each in plan.holds) or "none",
    }
    show(
        as_json,
        {"done": False} | _log(plan.log) | _deletion(plan),
        facts(rows),
        warning("Nothing was changed. Run it again with --yes to delete."),
    )


def _log(log: ClosedLog) -> dict[str, Json]:
    from notify_gateway.use_cases.shards import instant

    return {
        "number": log.epoch,
        "log": log.origin,
        "size": log.size,
        "root": log.root.hex(),
        "closed_at": instant(log.closed_at).isoformat(),
        "entries_deleted_at": None if log.deleted_at is None else instant(log.deleted_at).isoformat(),
    }


def _deletion(plan: Deletion) -> dict[str, Json]:
    return {"may_be_deleted_from": plan.due_at.isoformat() if plan.due_at else None, "holds": [each.case_reference for each in plan.holds]}


def _day(since_1970: int) -> str:
    from notify_gateway.use_cases.shards import instant

    return f"{instant(since_1970):%d %b %Y}"


def _entries(plan: Deletion) -> str:
    if plan.log.deleted_at is not None:
        return f"deleted on {_day(plan.log.deleted_at)}"
    return "kept for ever" if plan.due_at is None else f"kept until {plan.due_at:%d %b %Y}"
