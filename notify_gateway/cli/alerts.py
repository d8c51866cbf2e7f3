# SPDX-License-Identifier: MIT
"""Where authorities are alerted that something waits, beside their custody channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.authority_options import Gss, gss_code
from notify_gateway.cli.output import AsJson, Json, show, table
from notify_gateway.cli.service import opened_books, operator
from notify_gateway.domain.alerts import AlertKind

if TYPE_CHECKING:
    from notify_gateway.store.alerts import AlertAddress

app = typer.Typer(no_args_is_help=True, help="Say where an authority is alerted that something waits: a mailbox, or a thin webhook.")

Kind = Annotated[
    AlertKind,
    typer.Option(help="email: to a shared mailbox, with references and a link. webhook: a signed POST with the delivery's id and a link."),
]
To = Annotated[str, typer.Option(help="The mailbox (name@council.gov.uk), or the address of the webhook (https).")]


@app.command()
def add(gss: Gss, kind: Kind, to: To, as_json: AsJson = False) -> None:
    """Alert an authority at a further address, of what waits already too. An alert never closes a delivery.

    Example: notify-gateway authorities alerts add E06000004 --kind email --to send-inbox@stockton.example
    Example: notify-gateway authorities alerts add E06000004 --kind webhook --to https://stockton.example/alerts
    """
    from notify_gateway.use_cases import alert

    with opened_books() as books:
        made = alert.add_address(books, authority=gss_code(gss), kind=kind, address=to, actor=operator())
    show(as_json, _document(made), f"{made.authority} is alerted by {made.kind.value} at {made.address}.")


@app.command("list")
def list_alerts(
    gss: Annotated[str | None, typer.Argument(metavar="[GSS]", help="GSS code of one authority; all without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List where authorities are alerted, when each address was last told of something, and what goes wrong.

    Example: notify-gateway authorities alerts list E06000004
    """
    from notify_gateway.use_cases import alert

    with opened_books() as books:
        found = alert.list_addresses(books, authority=gss_code(gss) if gss else None)
    document: list[Json] = [{**_document(each.address), "waiting": each.waiting} for each in found]
    rows = [
        (
            each.address.authority,
            each.address.kind.value,
            each.address.address,
            each.waiting,
            f"{each.address.sent_at:%Y-%m-%d %H:%M} UTC" if each.address.sent_at else "never",
            f"{each.address.last_code} ({each.address.attempts} attempts)" if each.address.last_code else "nothing",
        )
        for each in found
    ]
    empty = "Nobody is alerted. Next: notify-gateway authorities alerts add GSS --kind email --to MAILBOX"
    show(as_json, document, table(("GSS", "Kind", "Address", "Deliveries waiting", "Last told", "Goes wrong"), rows) if rows else empty)


@app.command()
def remove(gss: Gss, kind: Kind, to: To, as_json: AsJson = False) -> None:
    """Alert an authority no more at an address. What waits goes on waiting where its custody channel has it.

    Example: notify-gateway authorities alerts remove E06000004 --kind email --to send-inbox@stockton.example
    """
    from notify_gateway.use_cases import alert

    with opened_books() as books:
        gone = alert.remove_address(books, authority=gss_code(gss), kind=kind, address=to, actor=operator())
    show(as_json, {"removed": _document(gone)}, f"{gone.authority} is alerted no more by {gone.kind.value} at {gone.address}.")


def _document(address: AlertAddress) -> dict[str, Json]:
    return {
        "id": str(address.id),
        "authority": address.authority,
        "kind": address.kind.value,
        "to": address.address,
        "sent_at": address.sent_at.isoformat() if address.sent_at else None,
        "attempts": address.attempts,
        "last_code": address.last_code,
    }
