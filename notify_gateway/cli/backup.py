# SPDX-License-Identifier: MIT
"""Making a backup of a running service, looking whether one is whole, and filling empty databases from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, Words, facts, show, tell, warning
from notify_gateway.cli.service import opened_books, operator, settings

if TYPE_CHECKING:
    from notify_gateway.use_cases.backup_manifest import Manifest

LINE_EVERY = 5.0

Folder = Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder that backup --to has filled.")]
ShredFolder = Annotated[Path | None, typer.Option("--shred", file_okay=False, help="The folder that backup --shred-to has filled.")]


def backup(
    to: Annotated[Path, typer.Option(file_okay=False, help="Folder for main database, guard file and erasures; not there yet, or empty.")],
    shred_to: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for the shred keys, on other storage, destroyed after seven days; not there yet.")
    ],
    as_json: AsJson = False,
) -> None:
    """Copy both databases as they are at this moment, while everything runs, with what a restoration needs. Key files are not copied.

    Needs the login of the owner of the tables, and where PostgreSQL is used its program pg_dump; of the service's key files none. Run it
    where the sequencer runs, whose guard file is copied too. Nothing is ever overwritten. That a backup was made is in the log.

    Example: notify-gateway backup --to /backups/main/2026-11-22 --shred-to /backups-week/shred/2026-11-22
    """
    from notify_gateway.use_cases import backup as backups

    with opened_books() as books, _in_words("The backup was not made", "Mend that, then run the command again."):
        main, shred = backups.make(books, to=to, shred_to=shred_to, actor=operator(), told=_progress())
        late = backups.overdue(shred_to, books.clock.now().astimezone(UTC).isoformat())
    log = main.about["log"]
    assert isinstance(log, dict)
    rows: dict[str, object] = {f"{to / each.name}": _size(each.bytes) for each in main.files}
    rows |= {f"{shred_to / each.name}": _size(each.bytes) for each in shred.files}
    rows |= {"log": f"{log['origin']}, {log['size']} entries, {log['waiting']} waiting", "messages": log["messages"]}
    rows["destroy by"] = f"{shred_to}: {str(shred.about['destroy_by'])[:10]}"
    words: list[Words] = [facts(rows), "Not in it:", *(f"  {each}" for each in _left_out(main))]
    if not any(each.name == backups.GUARD for each in main.files):
        words.append(warning("There is no guard file here: run the command where the sequencer runs, or back log-guard.json up there."))
    words += [warning(f"Destroy {each}: shred keys are kept for seven days at most.") for each in late]
    show(as_json, {"main": main.document(), "shred": shred.document(), "to_destroy": [str(each) for each in late]}, *words)


def check(folder: Folder, shred: ShredFolder = None, as_json: AsJson = False) -> None:
    """Say whether a backup is whole: every file there, with the size and the SHA-256 that were noted. Needs no service.

    Example: notify-gateway restore check /backups/main/2026-11-22 --shred /backups-week/shred/2026-11-22
    """
    from notify_gateway.use_cases import backup as backups

    with _in_words("That is no whole backup", "Take another one, and find out what became of this."):
        main, shred_part = backups.check(folder, shred)
    parts = [each for each in (main, shred_part) if each is not None]
    document: list[Json] = [each.document() for each in parts]
    show(as_json, document, *(f"{each.part}: whole, made {each.about['made_at']} by {each.about['made_by']}" for each in parts))


def load(folder: Folder, shred: ShredFolder = None, as_json: AsJson = False) -> None:
    """Fill the empty databases that are set from a backup, the first step of a restoration. What is not empty is left alone.

    Guard file and tombstones of erasures that are there are newer, and stay. Then: migrate, restore plan, restore open.

    Example: notify-gateway restore load /backups/main/2026-11-22 --shred /backups-week/shred/2026-11-22
    """
    from notify_gateway.use_cases import backup as backups

    fix = "Give databases that are empty, or files that are not there yet; what holds something is never written over."
    with _in_words("The backup was not put back", fix):
        guard_is_old = backups.load(settings(), folder=folder, shred_folder=shred, told=_progress())
    words: list[Words] = ["The databases hold what the backup holds."]
    if guard_is_old:
        words.append(
            warning(
                "The guard file is the backup's: what was signed after it is not known here. Put the newest checkpoint that a witness, or "
                "whoever watches the log, holds in its place. If nobody has one: restore open --guard-lost."
            )
        )
    words.append("Next: notify-gateway migrate, then notify-gateway restore plan")
    show(as_json, {"loaded": ["main", *(["shred"] if shred else [])], "guard_from_backup": guard_is_old}, *words)


@contextmanager
def _in_words(title: str, fix: str) -> Iterator[None]:
    from notify_gateway.store.copies import CopyFailed
    from notify_gateway.store.tombstones import TombstonesDamaged
    from notify_gateway.use_cases.backup_manifest import BackupDamaged

    try:
        yield
    except (CopyFailed, BackupDamaged, TombstonesDamaged) as error:
        why = str(error)
        raise CommandFailed(title, f"{why[:1].upper()}{why[1:]}.", fix) from None


def _progress() -> Callable[[str, int, int | None], None]:
    """Return what tells now and then, on standard error, how far the copying has come."""
    last = time.monotonic()

    def told(name: str, done: int, whole: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_EVERY:
            last = time.monotonic()
            tell(f"{name}: {_size(done)}{f' of {_size(whole)}' if whole else ''}")

    return told


def _left_out(main: Manifest) -> list[str]:
    named = main.about["not_in_it"]
    assert isinstance(named, list)
    return [str(each) for each in named]


def _size(count: int) -> str:
    return f"{count / 1_000_000:,.1f} MB" if count >= 1_000_000 else f"{count / 1000:,.1f} kB"
