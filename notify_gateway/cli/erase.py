# SPDX-License-Identifier: MIT
"""Erasing who a notification is about, and legal holds that forbid it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from notify_gateway.cli.failures import FAILED, CommandFailed
from notify_gateway.cli.output import AsJson, Json, facts, show, table, tell, warning
from notify_gateway.cli.service import opened_core, operator
from notify_gateway.domain.retention import ErasureReason, HoldReason

hold_app = typer.Typer(no_args_is_help=True, help="Legal holds: what is held is not erased. One person sets one, two end it.")

Reference = Annotated[str, typer.Argument(help="A notification's reference, such as SEN-7K2M9QXR-C.")]
Case = Annotated[str, typer.Option("--case", help="Reference of the case under which this is done. Never a name.")]


def erase(
    reference: Reference,
    reason: Annotated[ErasureReason, typer.Option(help="Why.")],
    case: Case,
    cancel_open: Annotated[bool, typer.Option("--cancel-open", help="Cancel deliveries that no authority has received yet.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase who a notification is about: its shred keys are deleted, and neither authority nor operator can open it here any more.

    Shows first what will be erased, and asks. Reference, pseudonym and codes stay, and so does the log. Copies that an authority has
    received are the authority's. Refused under a legal hold.

    Example: notify-gateway erase SEN-7K2M9QXR-C --reason subject-request --case IG-2026-117
    """
    from notify_gateway.use_cases.erase import erase as do_erase
    from notify_gateway.use_cases.erase import outline

    with opened_core() as core:
        found = outline(core, reference=reference)
        tell(
            facts(
                {
                    "reference": found.reference,
                    "messages": found.messages,
                    "keys that will be deleted": found.keys,
                    "deliveries still open": found.open_deliveries,
                    "legal holds": ", ".join(each.case_reference for each in found.holds) or "none",
                }
            )
        )
        if not yes and not found.holds:
            if not sys.stdin.isatty():
                raise CommandFailed(
                    "Nothing was erased", "Nobody is there to be asked.", "Add --yes once you have read what will be erased."
                )
            tell(warning("This cannot be undone: no backup brings the keys back."))
            if not typer.confirm("Erase it?", default=False, err=True):
                tell("Nothing was erased.")
                raise typer.Exit(FAILED)
        count = do_erase(core, reference=reference, reason=reason, case_reference=case, actor=operator(), cancel_open=cancel_open)
    words = f"Erased: {count} keys of {reference} are gone. Nobody can open it any more."
    show(as_json, {"reference": reference, "keys_deleted": count}, words)


@hold_app.command("set")
def set_hold(reference: Reference, reason: Annotated[HoldReason, typer.Option(help="Why.")], case: Case, as_json: AsJson = False) -> None:
    """Put a notification under a legal hold: it is not erased until two people have ended the hold.

    Example: notify-gateway hold set SEN-7K2M9QXR-C --reason inquiry --case IG-2026-118
    """
    from notify_gateway.use_cases import holds

    with opened_core() as core:
        holds.set_hold(core, reference=reference, reason=reason, case_reference=case, actor=operator())
    show(as_json, {"reference": reference, "held": True}, f"{reference} is under a legal hold.")


@hold_app.command()
def release(reference: Reference, case: Case, as_json: AsJson = False) -> None:
    """End a legal hold. The first person to run this proposes it, a second one's run ends it.

    Example: notify-gateway hold release SEN-7K2M9QXR-C --case IG-2026-118
    """
    from notify_gateway.use_cases import holds

    with opened_core() as core:
        ended = holds.release(core, reference=reference, case_reference=case, actor=operator())
    words = f"The hold on {reference} has ended." if ended else "Proposed. The hold ends when somebody else runs the same command."
    show(as_json, {"reference": reference, "held": not ended}, words)


@hold_app.command("list")
def list_holds(as_json: AsJson = False) -> None:
    """List the legal holds in force, oldest first: for the monthly report."""
    from notify_gateway.use_cases import holds

    with opened_core() as core:
        found = holds.in_force(core)
    document: Json = [
        {
            "reference": each.reference,
            "reason": each.reason,
            "case": each.case_reference,
            "set_by": each.set_by,
            "set_at": each.set_at.isoformat(),
            "release_proposed_by": each.release_by,
        }
        for each in found
    ]
    rows = [(each.reference, each.reason, each.case_reference, each.set_by, f"{each.set_at:%d %b %Y}", each.release_by) for each in found]
    show(as_json, document, table(("Notification", "Reason", "Case", "Set by", "On", "Release proposed by"), rows))
