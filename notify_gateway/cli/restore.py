# SPDX-License-Identifier: MIT
"""After a backup was restored: what was erased stays erased, and the log goes on under the next name. Nothing is served before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, Words, facts, show, table, warning
from notify_gateway.cli.service import opened_core, operator

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from notify_gateway.settings import Settings
    from notify_gateway.use_cases.gateway import Core
    from notify_gateway.use_cases.restore import Reopened, SendAgain, SetAside

app = typer.Typer(no_args_is_help=True, help="Go on after a backup was restored.")


def require_erasures(core: Core) -> None:
    """Raise ``CommandFailed`` when something that was erased is there again, which it is after a backup was restored."""
    from notify_gateway.store.tombstones import TombstonesDamaged
    from notify_gateway.use_cases.erase import risen_keys

    try:
        back = risen_keys(core)
    except TombstonesDamaged as error:
        raise CommandFailed(
            "The file of erasures is damaged", f"{core.settings.erasures}: {error}.", "Restore it from its own backup, the newest."
        ) from None
    if back:
        raise CommandFailed(
            "A restored backup has brought back what was erased",
            f"{len(back)} messages can be opened again that nobody may open. Nothing is served until they cannot.",
            "Run notify-gateway restore replay-erasures, then start again.",
        )


def require_origin(chosen: Settings, engine: Engine) -> None:
    """Raise ``CommandFailed`` when the log that lives has another name than the one that is set."""
    from audit.succession import current_origin
    from notify_gateway.store.engine import reading
    from notify_gateway.store.tables import succession_tables

    with reading(engine).begin() as connection:
        origin = current_origin(connection, succession_tables)
    if origin is not None and origin != chosen.log_origin:
        raise CommandFailed(
            "The log has another name",
            f"{chosen.log_origin} was closed; the log that lives is {origin}.",
            f"Set NOTIFY_GATEWAY_LOG_ORIGIN={origin} for every process.",
        )


@app.command()
def plan(as_json: AsJson = False) -> None:
    """Say what was signed last, what the restored database holds, and what is lost between. Changes nothing."""
    from notify_gateway.use_cases import restore

    with opened_core() as core:
        found = restore.standing(core)
        lost = restore.send_again(core, found) if found.why else []
        origin = restore.next_origin(core.settings, restored=True)
    gap = found.gap
    rows: dict[str, object] = {
        "log": found.signed.origin,
        "signed last": f"{found.signed.size} entries",
        "in the database": f"{found.held} entries",
        "verdict": f"{found.why[0].upper()}{found.why[1:]}." if found.why else "The database continues what was signed.",
    }
    if gap:
        rows["gap"] = f"entries {gap[0]} to {gap[1] - 1} are lost"
        rows["next log"] = origin
    document: Json = {
        "origin": found.signed.origin,
        "signed": found.signed.size,
        "held": found.held,
        "continues": found.why is None,
        "why": found.why,
        "gap": list(gap) if gap else None,
        "next_origin": origin if gap else None,
        "send_again": [_window(each) for each in lost],
    }
    parts: list[Words] = [facts(rows)]
    if lost:
        parts += ["", "To send again:", table(("Trust", "From", "To"), [(each.trust, each.since, each.until) for each in lost])]
    show(as_json, document, *parts)


@app.command("open")
def open_next(
    reason: Annotated[
        str, typer.Option(help="Why, as a code of letters, digits and hyphens, such as disk-failure. Never words about people.")
    ],
    lists: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for the lists of what each trust sends again, and what each authority sets aside.")
    ],
    origin: Annotated[str | None, typer.Option(help="Name of the next log; without it restore plan says which.")] = None,
    guard_lost: Annotated[
        bool, typer.Option("--guard-lost", help="The guard file is the backup's too, and nobody has a newer checkpoint: say so in the log.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Close the log at what was signed last and open the next one, after the database was restored to an earlier point.

    Stop every process first. Needs the log's private key, the guard file and the login of the owner of the tables. The next log's first
    entry says which log was closed, at which checkpoint, which entries are lost, and who opened it. Then set NOTIFY_GATEWAY_LOG_ORIGIN
    to the new name for every process, start them, and give each trust and each authority its list.

    Example: notify-gateway restore open --reason disk-failure --lists send-again
    """
    import json

    from notify_gateway.use_cases import restore

    with opened_core() as core:
        lists.mkdir(parents=True, exist_ok=True)
        chosen = origin or restore.next_origin(core.settings, restored=True)
        before = restore.standing(core)
        written = {f"send-again-{each.trust}.json": _window(each) for each in restore.send_again(core, before)}
        written |= {f"set-aside-{each.authority}.json": _aside(each) for each in restore.set_aside(core, before)}
        done = succeeded(core, chosen, reason, restored=True, guard_lost=guard_lost)
        for name, content in written.items():
            (lists / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    words = f"The log {done.standing.signed.origin} is closed at {done.standing.signed.size} entries; {done.origin} is open."
    fix = f"Now set NOTIFY_GATEWAY_LOG_ORIGIN={done.origin} for every process, start them, and hand out the lists in {lists}."
    gap = done.standing.gap
    document: Json = {
        "closed": done.standing.signed.origin,
        "origin": done.origin,
        "gap": list(gap) if gap else None,
        "lists": [str(lists / name) for name in written],
        "erased_again": done.erased_again,
    }
    show(as_json, document, words, f"Erased again: {done.erased_again} messages.", warning(fix))


def succeeded(core: Core, origin: str, reason: str, *, restored: bool, guard_lost: bool = False) -> Reopened:
    """Close the log, open the next one and return what was done; raises ``CommandFailed`` when the log cannot be closed."""
    from audit.succession import SuccessionRefused
    from notify_gateway.use_cases import restore

    try:
        return restore.open_next(core, origin=origin, reason=reason, actor=operator(), restored=restored, guard_lost=guard_lost)
    except SuccessionRefused as error:
        why = str(error)
        fix = "Run notify-gateway restore plan; docs/operators.md has the drill step by step."
        raise CommandFailed("The log was not closed", f"{why[0].upper()}{why[1:]}.", fix) from None


def _window(each: SendAgain) -> dict[str, Json]:
    return {
        "trust": each.trust,
        "name": each.name,
        "send_again_from": each.since.isoformat(),
        "send_again_to": each.until.isoformat(),
        "messages_held": each.held,
        "last_held_at": each.last_held_at.isoformat() if each.last_held_at else None,
        "still_held": [{"task": str(kept.id), "reference": kept.reference, "request_id": str(kept.request_id)} for kept in each.kept],
        "what": "Send again, under the same MessageHeader.id, every message that was answered 202 between the two instants and whose "
        "X-Request-ID is not among still_held; if you do not keep those, send all. What we hold is answered 409 NG-6001, which is a "
        "success. What was lost is accepted anew: a first message under another Task and reference, an update under the Task that it has. "
        "Keep promises and receipts of what was lost: they are evidence.",
    }


def _aside(each: SetAside) -> dict[str, Json]:
    return {
        "authority": each.authority,
        "received_from": each.since.isoformat(),
        "still_held": [{"delivery": str(kept.id), "reference": kept.reference} for kept in each.kept],
        "what": "What you received since this instant and is not among still_held was lost here. The trust sends it again, and you "
        "receive it under another delivery id, with the same child, sender and dates in its view: set the earlier one aside for it. "
        "What is among still_held may come a second time under the same delivery id: apply it once.",
    }


@app.command("replay-erasures")
def replay_erasures(as_json: AsJson = False) -> None:
    """Erase again what was erased before and a restored backup has brought back. Safe to run at any time, and again."""
    from notify_gateway.use_cases.erase import finish, replay

    with opened_core() as core:
        finish(core)
        count = replay(core, actor=operator())
    show(as_json, {"erased_again": count}, f"Erased again: {count} messages." if count else "Nothing that was erased is there again.")
