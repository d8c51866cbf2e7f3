# SPDX-License-Identifier: MIT
"""The operations pages as commands: how the service stands, by the same words and from the same reckoning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.configuration import doctor
from notify_gateway.cli.failures import FAILED
from notify_gateway.cli.operations_acts import AUTHORITY, CHANNEL, CODE, STANDING, asked, give_up, park, retry
from notify_gateway.cli.operations_disputes import disputes_app
from notify_gateway.cli.operations_downtime import downtime_app
from notify_gateway.cli.operations_mesh import uncollected
from notify_gateway.cli.output import AsJson, Json, facts, show, table
from notify_gateway.cli.parties import instant
from notify_gateway.cli.service import opened, operator, settings

if TYPE_CHECKING:
    from rich.text import Text

    from notify_gateway.use_cases.show_keys import Ending, KeyShown

app = typer.Typer(no_args_is_help=True, help="See how the service stands and act on failed work: the operations pages as commands.")
app.command()(retry)
app.command()(park)
app.command("give-up")(give_up)
app.command()(uncollected)
app.add_typer(disputes_app, name="disputes")
app.add_typer(downtime_app, name="downtime")
app.command(
    "checks",
    help="Check this machine and the settings; the same as notify-gateway doctor.\n\nExample: notify-gateway operations checks --json",
)(doctor)


@app.command()
def home(as_json: AsJson = False) -> None:
    """Say in sentences how the service stands: door, queue, deliveries, log, machine, and who was last heard of.

    Example: notify-gateway operations home
    """
    from notify_gateway.cli.doctor import examiner
    from notify_gateway.use_cases.at_a_glance import home as look

    with opened() as runtime:
        found = look(runtime.gateway, examiner(settings(), runtime.gateway.clock)())
    document: Json = {
        "at": instant(found.at),
        "level": found.level.value,
        "sentence": found.sentence,
        "lines": [{"name": each.name, "level": each.level.value, "said": each.said} for each in found.lines],
        "last_heard": [
            {"kind": each.kind, "code": each.code, "last": instant(each.last), "recent": each.recent, "level": each.level.value}
            for each in found.silences
        ],
    }
    lines = table(("", "What", "What there is to say"), [(_level(each.level.value), each.name, each.said) for each in found.lines])
    heard = [(_level(each.level.value), f"{each.code} {each.name}", each.said, each.recent) for each in found.silences]
    show(as_json, document, found.sentence, "", lines, "", table(("", "Organisation", "Last heard of", "In 24 hours"), heard))


@app.command()
def queues(as_json: AsJson = False) -> None:
    """Show what waits, for how long, and which workers hold something.

    Example: notify-gateway operations queues
    """
    from notify_gateway.domain.standing import words_of
    from notify_gateway.use_cases.queues import queues as look

    with opened() as runtime:
        found = look(runtime.gateway)
    document: Json = {
        "at": instant(found.at),
        "queues": [
            {
                "name": each.name,
                "level": each.level.value,
                "waiting": each.count,
                "oldest_seconds": None if each.age is None else int(each.age.total_seconds()),
            }
            for each in found.queues
        ],
        "workers": [{"owner": each.owner, "held": each.count, "until": instant(each.until)} for each in found.workers],
    }
    rows = [
        (_level(each.level.value), each.name, each.count, "none" if each.age is None else words_of(each.age), each.said)
        for each in found.queues
    ]
    workers = table(("Worker", "Holds", "Until"), [(each.owner, each.count, instant(each.until)) for each in found.workers])
    show(
        as_json,
        document,
        table(("", "Queue", "Waiting", "Oldest", "Meaning"), rows),
        "",
        workers if found.workers else "No worker holds anything now.",
    )


@app.command()
def failed(
    authority: AUTHORITY = None, channel: CHANNEL = None, code: CODE = None, standing: STANDING = None, as_json: AsJson = False
) -> None:
    """Show failing and parked deliveries, grouped by code, authority and channel.

    Example: notify-gateway operations failed --authority E06000002
    """
    from notify_gateway.use_cases.operate import list_troubles

    with opened() as runtime:
        found = list_troubles(runtime.gateway, matching=asked(authority, channel, code, standing))
    document: Json = [
        {
            "code": each.code,
            "standing": each.standing.value,
            "authority": each.authority,
            "channel": each.channel,
            "count": each.count,
            "oldest_accepted_at": instant(each.oldest_at),
            "next_try_at": instant(each.next_due_at),
            "most_attempts": each.most_attempts,
            "owner": each.owner.value,
        }
        for each in found
    ]
    rows = [
        (each.code, each.standing.value, each.authority, each.channel, each.count, instant(each.oldest_at), instant(each.next_due_at))
        for each in found
    ]
    columns = ("Code", "Standing", "Authority", "Channel", "Count", "Oldest accepted", "Next try")
    show(as_json, document, table(columns, rows) if rows else "Nothing fails and nothing is parked.")


@app.command()
def delivery(
    delivery_id: Annotated[str, typer.Argument(metavar="DELIVERY_ID", help="Id of the delivery.")],
    as_json: AsJson = False,
) -> None:
    """Show one delivery: ids, codes, sizes, and what the log says of it. Never what is in it.

    Example: notify-gateway operations delivery 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11
    """
    from notify_gateway.cli.operations_acts import delivery_uuid
    from notify_gateway.use_cases.show_delivery import show_delivery

    with opened() as runtime:
        found = show_delivery(runtime.gateway, delivery_id=delivery_uuid(delivery_id))
    about = {
        "delivery": str(found.id),
        "reference": found.reference,
        "authority": found.authority,
        "channel": found.channel,
        "event": found.event,
        "state": found.state,
        "standing": found.item.standing.value if found.item else None,
        "code": found.item.code if found.item else None,
        "attempts": found.attempts,
        "accepted_at": instant(found.accepted_at),
        "view_bytes": found.view_bytes,
        **{f"sealed_{kind}_bytes": size for kind, size in found.sealed.items()},
    }
    happened = [(instant(each.at), each.tag, each.attempt, each.code, each.actor) for each in found.happened]
    columns = ("at", "tag", "attempt", "code", "actor")
    document: Json = {**about, "happened": [dict(zip(columns, each, strict=True)) for each in happened]}
    known = {name.replace("_", " "): value for name, value in about.items() if value is not None}
    show(as_json, document, facts(known), "", table([each.capitalize() for each in columns], happened))


@app.command()
def deliveries(as_json: AsJson = False) -> None:
    """Show each authority by each channel: what waits, the last success, whether it answers, planned downtime.

    Example: notify-gateway operations deliveries
    """
    from notify_gateway.use_cases.flows import show_flows

    with opened() as runtime:
        found = show_flows(runtime.gateway)
    rows: list[dict[str, Json]] = []
    for each in found.flows:
        flow, circuit, away = each.going.flow, each.going.circuit, each.going.downtime
        rows.append(
            {
                "authority": flow.authority,
                "channel": flow.channel,
                "level": each.level.value,
                "waiting": flow.waiting + flow.under_way,
                "failing": flow.failing,
                "parked": flow.parked,
                "not_confirmed": flow.offered,
                "last_received_at": instant(flow.last_received_at),
                "received_in_24_hours": each.received,
                "circuit": "open" if circuit.is_open else "closed",
                "away_by_plan_until": instant(away.ends_at) if away and away.is_on(found.at) else None,
            }
        )
    names = (
        "level",
        "authority",
        "channel",
        "waiting",
        "failing",
        "parked",
        "not_confirmed",
        "last_received_at",
        "circuit",
        "away_by_plan_until",
    )
    cells = [[_level(str(row[name])) if name == "level" else row[name] for name in names] for row in rows]
    columns = ["" if name == "level" else name.replace("_", " ").capitalize() for name in names]
    show(as_json, rows, table(columns, cells) if rows else "No authority is on the service yet.")


@app.command("test")
def try_authority(
    authority: Annotated[str, typer.Argument(metavar="GSS", help="GSS code of the authority.")],
    as_json: AsJson = False,
) -> None:
    """Try whether an authority's channel lets us in. Nothing is sent: a test can never be taken for a child's notification.

    Example: notify-gateway operations test E06000002
    """
    from notify_gateway.cli.reaching import reacher_of
    from notify_gateway.use_cases.try_channel import try_channel

    with opened() as runtime:
        done = try_channel(runtime.gateway, reacher_of(runtime.gateway), authority=authority, actor=operator())
    show(as_json, {"authority": done.authority, "channel": done.channel, "code": done.code}, done.sentence)
    raise typer.Exit(0 if done.well else FAILED)


@app.command()
def keys(as_json: AsJson = False) -> None:
    """Show the public side of all keys, ours and our partners', and when tokens end.

    Example: notify-gateway operations keys
    """
    from notify_gateway.use_cases.show_keys import all_keys

    with opened() as runtime:
        found = all_keys(runtime.gateway)
    shown = [*found.ours, *found.authorities, *found.trusts]
    document: Json = {"keys": [_key(each) for each in shown], "tokens": [_token(each) for each in found.tokens]}
    rows = [(each.holder, each.purpose, each.kid, each.fingerprint, instant(each.ended_at) or "in use") for each in shown]
    tokens = [
        (_level(each.level.value), each.kind, each.holder, instant(each.ends_at) or "lasts until it is revoked") for each in found.tokens
    ]
    columns = ("Holder", "Purpose", "Key", "Fingerprint", "Until")
    show(as_json, document, table(columns, rows), "", table(("", "Token of", "Holder", "Until"), tokens))


def _key(each: KeyShown) -> dict[str, Json]:
    return {
        "holder": each.holder,
        "purpose": each.purpose,
        "kid": each.kid,
        "fingerprint": each.fingerprint,
        "created_at": instant(each.created_at),
        "ended_at": instant(each.ended_at),
    }


def _token(each: Ending) -> dict[str, Json]:
    return {
        "kind": each.kind,
        "holder": each.holder,
        "created_at": instant(each.created_at),
        "ends_at": instant(each.ends_at),
        "level": each.level.value,
    }


def _level(level: str) -> Text:
    from rich.text import Text

    return Text(level, style={"ok": "green", "warn": "yellow", "fail": "bold red"}.get(level, "dim"))
