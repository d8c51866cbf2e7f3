# SPDX-License-Identifier: MIT
"""What operators do to failed work by command: retry what matches, after showing what would happen; park; give up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, show
from notify_gateway.cli.service import opened, operator
from notify_gateway.domain.operating import GiveUpReason, ParkReason, RetryReason, Standing
from notify_gateway.domain.route import ChannelName

if TYPE_CHECKING:
    from uuid import UUID

    from notify_gateway.store.operating import Matching

AUTHORITY = Annotated[str | None, typer.Option(help="Only deliveries to this authority (GSS code).")]
CHANNEL = Annotated[ChannelName | None, typer.Option(help="Only deliveries by this channel.")]
CODE = Annotated[str | None, typer.Option(help="Only deliveries that failed, or were parked, with this code.")]
STANDING = Annotated[Standing | None, typer.Option(help="Only deliveries that stand so; failing and parked can be retried.")]
DeliveryId = Annotated[str, typer.Argument(metavar="DELIVERY_ID", help="Id of the delivery, as operations failed and the pages show it.")]


def retry(
    reason: Annotated[RetryReason, typer.Option(help="Why, for the audit log.")],
    delivery: Annotated[list[str] | None, typer.Option(help="Only the delivery with this id; may be given several times.")] = None,
    authority: AUTHORITY = None,
    channel: CHANNEL = None,
    code: CODE = None,
    standing: STANDING = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown what would happen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Queue anew all that matches and fails or is parked. Without --yes nothing is done: it shows what would be.

    Doing it twice is safe: the second time finds nothing to do. No message is ever changed.

    Example: notify-gateway operations retry --code timeout --reason receiver-mended --yes
    """
    from notify_gateway.use_cases.operate import retry_matching

    wanted = asked(authority, channel, code, standing, delivery or ())
    with opened() as runtime:
        done = retry_matching(runtime.gateway, matching=wanted, reason=reason, actor=operator(), dry_run=not yes)
    left: dict[str, Json] = {why.value: count for why, count in done.left.items()}
    document: Json = {"dry_run": done.dry_run, "retried": done.count, "held": done.held, "left": left}
    first = f"{done.count} queued anew." if yes else f"{done.count} would be queued anew. Add --yes to do it."
    held = [f"{done.held} of them wait until their authority answers, or its downtime is over."] if done.held else []
    show(as_json, document, first, *held, *(f"{count} left as they are: {why}." for why, count in left.items()))


def park(delivery_id: DeliveryId, reason: Annotated[ParkReason, typer.Option(help="Why.")], as_json: AsJson = False) -> None:
    """Hold a delivery back until somebody retries it or gives it up.

    Example: notify-gateway operations park 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11 --reason under-inquiry
    """
    from notify_gateway.use_cases import operate

    key = delivery_uuid(delivery_id)
    with opened() as runtime:
        done = operate.park(runtime.gateway, delivery_id=key, reason=reason, actor=operator())
    show(as_json, {"delivery": str(key), "parked": done}, f"Parked {key}." if done else f"{key} was parked before.")


def give_up(
    delivery_id: DeliveryId,
    reason: Annotated[GiveUpReason, typer.Option(help="Why.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do it; the trust is told that the notification was not delivered.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a delivery up: it never goes out, and its trust sees that it failed. Without --yes nothing is done.

    Example: notify-gateway operations give-up 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11 --reason told-another-way --yes
    """
    from notify_gateway.use_cases import operate
    from notify_gateway.use_cases.show_delivery import show_delivery

    key = delivery_uuid(delivery_id)
    with opened() as runtime:
        found = show_delivery(runtime.gateway, delivery_id=key)
        done = operate.give_up(runtime.gateway, delivery_id=key, reason=reason, actor=operator()) if yes else False
    document: Json = {"delivery": str(key), "reference": found.reference, "dry_run": not yes, "given_up": done}
    if not yes:
        show(as_json, document, f"{found.reference} ({found.state}) would be given up, and its trust told. Add --yes to do it.")
        return
    show(as_json, document, f"Given up {found.reference}; its trust sees it." if done else f"{found.reference} was given up before.")


def asked(
    authority: str | None, channel: ChannelName | None, code: str | None, standing: Standing | None, ids: list[str] | tuple[()] = ()
) -> Matching:
    """Return which deliveries are meant."""
    from notify_gateway.store.operating import Matching

    return Matching(
        authority=authority,
        channel=channel.value if channel else None,
        code=code,
        standing=standing,
        ids=tuple(delivery_uuid(each) for each in ids),
    )


def delivery_uuid(text: str) -> UUID:
    """Return the id; raises ``CommandFailed`` for what is none."""
    from uuid import UUID

    try:
        return UUID(text)
    except ValueError:
        raise CommandFailed("That is no delivery id", "A delivery's id is a UUID.", "See the page of failed work for it.") from None
