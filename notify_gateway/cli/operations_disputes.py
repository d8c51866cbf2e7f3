# SPDX-License-Identifier: MIT
"""Notifications that were sent back twice, by command: which they are, and that people have settled whose each is."""

from __future__ import annotations

from typing import Annotated

import typer

from notify_gateway.cli.output import AsJson, Json, show, table
from notify_gateway.cli.parties import instant
from notify_gateway.cli.service import opened, operator

disputes_app = typer.Typer(no_args_is_help=True, help="See which notifications no authority says are its own.")


@disputes_app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List what was sent back twice and is not settled, the longest open first: speak with the managers of those authorities.

    Example: notify-gateway operations disputes list
    """
    from notify_gateway.use_cases.inbox.disputes import list_disputes

    with opened() as runtime:
        found = list_disputes(runtime.gateway)
    rows = [(each.reference, each.times, " ".join(each.authorities), instant(each.opened_at)) for each in found]
    words = table(("Reference", "Times", "Sent back by", "Since"), rows) if rows else "Nothing goes to and fro."
    told: list[Json] = [
        {
            "reference": each.reference,
            "times": each.times,
            "authorities": list(each.authorities),
            "opened_at": each.opened_at.isoformat(),
        }
        for each in found
    ]
    show(as_json, told, words)


@disputes_app.command("settle")
def settle(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="Reference of the notification, as list shows it.")],
    as_json: AsJson = False,
) -> None:
    """Record that it is settled whose the notification is; from now on it may be sent back again. Tell its trust where to send it.

    Example: notify-gateway operations disputes settle SEN-7K2M9QXR-C
    """
    from notify_gateway.use_cases.inbox.disputes import settle as settle_dispute

    with opened() as runtime:
        settled = settle_dispute(runtime.gateway, reference=reference, actor=operator())
    words = f"Settled whose {reference} is." if settled else f"{reference} was settled before, or never sent back twice."
    show(as_json, {"reference": reference, "settled": settled}, words)
