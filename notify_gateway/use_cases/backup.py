# SPDX-License-Identifier: MIT
"""A backup of the service: the main database in one folder, the shred keys in another that is kept for seven days at most. No key file.

The order makes the parts fit: a shred key is durable before its message, so the store is copied after the main database and holds every
key that the copy needs; guard file and tombstones come last, and know at least what the copies know.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, func, select

from audit.durable import replace_file
from audit.events import Event
from audit.reading import read_head
from notify_gateway import __version__
from notify_gateway.settings import Settings
from notify_gateway.store import copies, tombstones
from notify_gateway.store.copies import KINDS, CopyFailed
from notify_gateway.store.migrate import revision_of
from notify_gateway.store.tables import audit_tables, messages, shred_keys
from notify_gateway.use_cases import acts
from notify_gateway.use_cases.backup_manifest import MANIFEST, Json, Manifest, described, read_manifest, verified
from notify_gateway.use_cases.client_keys import Books

SHRED_LASTS = timedelta(days=7)
"""How long a copy of shred keys may be kept: what is erased is erased everywhere once the last one is destroyed."""
GUARD, ERASURES = "log-guard.json", "erasures.jsonl"
LEFT_OUT = (
    "key files: keep copies of NOTIFY_GATEWAY_KEYS_DIR apart, where nobody has both",
    "shred keys: in the other folder, which is destroyed after seven days",
    "the broker: nothing is kept there",
    "the postcode table: notify-gateway postcodes load makes it",
)
Told = Callable[[str, int, int | None], None]
"""Told now and then: which part is being copied, bytes written, and of how many where that is known."""


def make(books: Books, *, to: Path, shred_to: Path, actor: str, told: Told) -> tuple[Manifest, Manifest]:
    """Both folders hold a whole backup, on disk; return what is in them. That it began, and how it ended, is in the log.

    Raises ``CopyFailed`` when a folder is not empty or the two are not apart, and whenever nothing was made; no part is left behind.
    """
    _require_apart(to, shred_to)
    act, settings = uuid4(), books.settings
    with books.engine.begin() as connection:
        acts.begin(connection, act, Event("backup:attempted", books.clock.now(), actor, str(act)))
    made = [folder for folder in (to, shred_to) if not folder.exists()]
    try:
        for folder in (to, shred_to):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        main, shred = _file(to, "main", settings.main_url), _file(shred_to, "shred", settings.shred_url)
        found = copies.copy_out(settings.main_url, main, look=_look, told=lambda done, whole: told("main database", done, whole))
        count = copies.copy_out(settings.shred_url, shred, look=_count, told=lambda done, whole: told("shred keys", done, whole))
        beside = [_beside(to / GUARD, settings.guard_file), _beside(to / ERASURES, settings.erasures)]
        now = books.clock.now()
        common: dict[str, Json] = {"id": str(act), "made_at": now.isoformat(), "made_by": actor, "software": __version__}
        common["deployment"] = settings.deployment.value
        log: dict[str, Json] = {"origin": settings.log_origin, **found}
        manifest = described(to, [main, *filter(None, beside)], {**common, "part": "main", "log": log, "not_in_it": list(LEFT_OUT)})
        until = (now + SHRED_LASTS).isoformat()
        shred_manifest = described(shred_to, [shred], {**common, "part": "shred", "keys": count, "destroy_by": until})
    except BaseException:
        _remove(to, shred_to, made)
        with books.engine.begin() as connection:
            acts.end(connection, act, Event("backup:failed", books.clock.now(), actor, str(act)))
        raise
    with books.engine.begin() as connection:
        fields = {"size": found["size"], "root": found["root"], "digest": manifest.files[0].sha256}
        acts.end(connection, act, Event("backup:made", now, actor, str(act), fields))
    return manifest, shred_manifest


def check(folder: Path, shred_folder: Path | None) -> tuple[Manifest, Manifest | None]:
    """Return what a backup is said to hold, once every file is found to be the very one. Raises ``BackupDamaged``, ``OSError``."""
    manifest = verified(folder, "main")
    return manifest, None if shred_folder is None else verified(shred_folder, "shred")


def load(settings: Settings, *, folder: Path, shred_folder: Path | None, told: Told) -> bool:
    """The empty databases hold what the backup holds; tombstones are those of both. Tell whether the guard file had to be the backup's.

    What is there of guard file and tombstones is newer, and stays. Raises ``BackupDamaged`` and ``CopyFailed`` before anything is changed,
    unless a database itself refuses.
    """
    manifest, shred_manifest = check(folder, shred_folder)
    parts = [("main database", settings.main_url, folder / manifest.files[0].name)]
    if shred_folder is not None and shred_manifest is not None:
        parts.append(("shred keys", settings.shred_url, shred_folder / shred_manifest.files[0].name))
    for _, url, _ in parts:
        copies.require_empty(url)
    for name, url, file in parts:
        copies.put_back(url, file, lambda done, whole, name=name: told(name, done, whole))  # type: ignore[misc]
    kept = {(each.notification_id, each.message_ids) for each in tombstones.read(settings.erasures)}
    for each in tombstones.read(folder / ERASURES):
        if (each.notification_id, each.message_ids) not in kept:
            tombstones.add(settings.erasures, each)
    if settings.guard_file.exists() or not (folder / GUARD).exists():
        return False
    settings.guard_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(settings.guard_file, (folder / GUARD).read_bytes())
    return True


def overdue(shred_folder: Path, now: str) -> list[Path]:
    """Return the backups of shred keys beside this one whose day of destruction has passed; ``now`` in UTC as ISO 8601."""
    others = (file.parent for file in shred_folder.resolve().parent.glob(f"*/{MANIFEST}"))
    read = ((each, read_manifest(each)) for each in others)
    return sorted(each for each, found in read if found and found.part == "shred" and str(found.about.get("destroy_by", now)) < now)


def _look(connection: Connection) -> dict[str, str | int]:
    head = read_head(connection, audit_tables)
    accepted: int = connection.execute(select(func.count()).select_from(messages)).scalar_one()
    waiting: int = connection.execute(select(func.count()).select_from(audit_tables.pending)).scalar_one()
    known: dict[str, str | int] = {"size": head.size, "root": head.root.hex(), "epoch": head.epoch}
    return {**known, "waiting": waiting, "messages": accepted, "revision": revision_of(connection, "main")}


def _count(connection: Connection) -> int:
    counted: int = connection.execute(select(func.count()).select_from(shred_keys)).scalar_one()
    return counted


def _file(folder: Path, name: str, url: str) -> Path:
    return folder / f"{name}.{KINDS[copies.kind_of(url)]}"


def _beside(target: Path, source: Path) -> Path | None:
    if not source.exists():
        return None
    replace_file(target, source.read_bytes())
    return target


def _require_apart(to: Path, shred_to: Path) -> None:
    one, other = to.resolve(), shred_to.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise CopyFailed("shred keys are backed up apart: whoever has both folders can undo an erasure")
    for folder in (to, shred_to):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CopyFailed(f"{folder} is not empty, and no backup is ever overwritten")


def _remove(to: Path, shred_to: Path, made: list[Path]) -> None:
    """Leave the folders as they were: absent, or empty."""
    for folder in (to, shred_to):
        if folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        elif folder.is_dir():
            for file in folder.iterdir():
                os.unlink(file)
