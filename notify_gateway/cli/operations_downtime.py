# SPDX-License-Identifier: MIT
"""Planned downtime by command: hours in which nothing goes out to an authority and nobody is alarmed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.operations_acts import AUTHORITY, delivery_uuid
from notify_gateway.cli.output import AsJson, Json, show, table
from notify_gateway.cli.parties import instant
from notify_gateway.cli.service import opened, operator
from notify_gateway.domain.operating import DowntimeReason
from notify_gateway.domain.route import ChannelName

if TYPE_CHECKING:
    from notify_gateway.store.circuits import Downtime

downtime_app = typer.Typer(no_args_is_help=True, help="Plan when an authority's system is away.")

_FORMS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
From = Annotated[datetime, typer.Option("--from", formats=_FORMS, help="When it begins, in UTC.")]
Until = Annotated[datetime, typer.Option("--until", formats=_FORMS, help="When it ends, in UTC.")]


@downtime_app.command("plan")
def plan(
    begins: From,
    ends: Until,
    reason: Annotated[DowntimeReason, typer.Option(help="Why.")],
    authority: Annotated[str | None, typer.Argument(metavar="GSS", help="GSS code of the authority.")] = None,
    channel: Annotated[
        ChannelName | None, typer.Option(help="Instead of one authority: all that have this channel, which is drained so.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Plan a downtime: what is due in those hours goes out when they are over. With --channel, one for each authority that has it.

    Example: notify-gateway operations downtime plan E06000002 --from 2026-12-01T20:00 --until 2026-12-01T23:00 --reason upgrade
    """
    from notify_gateway.use_cases.downtime import plan_channel_downtime, plan_downtime

    starts_at, ends_at, actor = begins.replace(tzinfo=UTC), ends.replace(tzinfo=UTC), operator()
    with opened() as runtime:
        core = runtime.gateway
        if channel is not None and authority is None:
            made = plan_channel_downtime(core, channel=channel, starts_at=starts_at, ends_at=ends_at, reason=reason, actor=actor)
            words = [f"Planned {each.id}: nothing goes to {each.authority} until {instant(each.ends_at)}." for each in made]
            show(as_json, [_document(each) for each in made], *(words or [f"No authority has the channel {channel.value}."]))
            return
        if authority is None or channel is not None:
            raise CommandFailed("Whose downtime is not clear", "It is of one authority or of one channel.", "Give GSS or --channel.")
        planned = plan_downtime(core, authority=authority, starts_at=starts_at, ends_at=ends_at, reason=reason, actor=actor)
    show(as_json, _document(planned), f"Planned {planned.id}: nothing goes to {authority} until {instant(planned.ends_at)}.")


@downtime_app.command("end")
def end(
    downtime_id: Annotated[str, typer.Argument(metavar="DOWNTIME_ID", help="Id of the downtime, as list shows it.")],
    as_json: AsJson = False,
) -> None:
    """End a downtime before its time, or call it off.

    Example: notify-gateway operations downtime end 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11
    """
    from notify_gateway.use_cases.downtime import end_downtime

    key = delivery_uuid(downtime_id)
    with opened() as runtime:
        ended = end_downtime(runtime.gateway, downtime_id=key, actor=operator())
    show(as_json, _document(ended), f"Ended {key}; what is due goes out to {ended.authority} again.")


@downtime_app.command("list")
def list_all(authority: AUTHORITY = None, as_json: AsJson = False) -> None:
    """List the downtimes that are on or to come.

    Example: notify-gateway operations downtime list
    """
    from notify_gateway.use_cases.downtime import list_downtimes

    with opened() as runtime:
        found = list_downtimes(runtime.gateway, authority=authority)
    rows = [(each.id, each.authority, instant(each.starts_at), instant(each.ends_at), each.reason, each.planned_by) for each in found]
    words = table(("Id", "Authority", "From", "Until", "Why", "Planned by"), rows) if rows else "None is on, and none to come."
    show(as_json, [_document(each) for each in found], words)


def _document(each: Downtime) -> dict[str, Json]:
    return {
        "id": str(each.id),
        "authority": each.authority,
        "starts_at": instant(each.starts_at),
        "ends_at": instant(each.ends_at),
        "reason": each.reason,
        "planned_by": each.planned_by,
        "ended_at": instant(each.ended_at),
    }
