# SPDX-License-Identifier: MIT
"""Opening what was put down by SFTP on the authority's own machine: folders of batches, each delivery once, however often it is run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.opening import MOST_BYTES, attachments_of, original_of
from notify_gateway.cli.progress import counted
from notify_gateway.privacy.drops import (
    BATCH_ID,
    MANIFEST,
    MOST_MANIFEST,
    RECEIPTS,
    DropUnreadable,
    Entry,
    receipt,
    verify_manifest,
)
from notify_gateway.privacy.encoding import sha256_hex
from notify_gateway.privacy.keys import RecipientPrivateKey, VerifyingKey
from notify_gateway.privacy.opening import CannotOpen, Opened, Why, card_pdf, open_delivery
from notify_gateway.privacy.papers import card_row, rows_csv, view_row

JOURNAL: Final = ".opened"
"""File beside the batches that says what was done: on each line a delivery's id and ``opened`` or ``acknowledged``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be made of each delivery: ``csv`` is one new file, the others are folders; with nothing, they are opened to be shown."""

    csv: Path | None = None
    pdf: Path | None = None
    original: Path | None = None
    attachments: Path | None = None
    acknowledge: bool = False

    @property
    def files(self) -> bool:
        """Tell whether files are to be written."""
        return any(each is not None for each in (self.csv, self.pdf, self.original, self.attachments))


@dataclass(slots=True)
class Outcome:
    """What came of a run; ``told`` holds no card, ``shown`` those that were asked for."""

    told: list[dict[str, Any]] = field(default_factory=list)
    shown: list[Opened] = field(default_factory=list)
    skipped: int = 0
    acknowledged: int = 0
    written: list[Path] = field(default_factory=list)
    failed: dict[Path, Exception] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    root: Path
    path: Path
    entry: Entry

    @property
    def mark(self) -> tuple[Path, str]:
        """The folder in whose journal the delivery is, and its id there."""
        return self.root, str(self.entry.delivery_id)


class _Done:
    """What the journals say; a line is written when the work that it tells of is on the disk."""

    def __init__(self, roots: set[Path]) -> None:
        self._lines: set[tuple[Path, str, str]] = set()
        for root in roots:
            path = root / JOURNAL
            lines = path.read_text("ascii", "replace").splitlines() if path.exists() else []
            self._lines |= {(root, *pair) for line in lines if len(pair := line.split(" ")) == 2}  # type: ignore[misc]

    def has(self, found: _Found, what: str) -> bool:
        """Tell whether it was done."""
        return (*found.mark, what) in self._lines

    def write(self, found: Sequence[_Found], what: str) -> None:
        """Remember that it was done."""
        for root in {each.root for each in found}:
            with (root / JOURNAL).open("a", encoding="ascii") as file:
                file.writelines(f"{each.mark[1]} {what}\n" for each in found if each.root == root and not self.has(each, what))
                file.flush()
                os.fsync(file.fileno())


def open_drops(folders: Sequence[Path], private: RecipientPrivateKey, gateway: VerifyingKey, wanted: Wanted, *, show: bool) -> Outcome:
    """Open all deliveries in the folders that are still to do, write what is wanted, then the receipts; ``show`` returns the cards too.

    A folder is one batch, or holds batches. A batch counts when the gateway's signature over its manifest holds, a delivery when its digest
    is the manifest's. Nothing is overwritten, and a run that was broken off is made good by the next.
    Raises ``CommandFailed`` when the CSV exists already or a folder is none.
    """
    if wanted.csv is not None and wanted.csv.exists():
        raise CommandFailed("The file exists already", f"{wanted.csv} is there, and nothing is overwritten.", "Choose another name.")
    outcome = Outcome()
    found = {each.mark: each for folder in folders for each in _find(folder, private, gateway, outcome)}
    done = _Done({root for root, _ in found})
    to_do = [each for each in found.values() if _is_to_do(each, done, wanted)]
    outcome.skipped = len(found) - len(to_do)
    good: list[_Found] = []
    rows: list[dict[str, str]] = []
    for each in counted(to_do, "deliveries"):
        try:
            document = _document(each)
            one = open_delivery(document, private, gateway) if document.get("envelopes") else None
            row = _row(each, document, one)
            if wanted.files and not done.has(each, "opened"):
                outcome.written += _write_files(one, wanted)
                rows.append(row)
        except (CannotOpen, CommandFailed, OSError) as error:
            outcome.failed[each.path] = error
            continue
        good.append(each)
        outcome.told.append(_told(each, document, one))
        if show and one is not None:
            outcome.shown.append(one)
    if wanted.csv is not None and rows and _write_new(wanted.csv, rows_csv(rows)):
        outcome.written.append(wanted.csv)
    if wanted.files:
        done.write(good, "opened")
    if wanted.acknowledge:
        outcome.acknowledged = _acknowledge([each for each in good if not done.has(each, "acknowledged")])
        done.write(good, "acknowledged")
    return outcome


def _is_to_do(each: _Found, done: _Done, wanted: Wanted) -> bool:
    if not (wanted.files or wanted.acknowledge):
        return True
    return (wanted.files and not done.has(each, "opened")) or (wanted.acknowledge and not done.has(each, "acknowledged"))


def _find(folder: Path, private: RecipientPrivateKey, gateway: VerifyingKey, outcome: Outcome) -> Iterator[_Found]:
    """Yield what the manifests in the folder name; one that cannot be believed is a failure, and its batch is left alone."""
    if not folder.is_dir():
        raise CommandFailed("There is no such folder", f"{folder} is no folder.", "Give delivery documents, or folders, but not both.")
    batches = [folder] if (folder / MANIFEST).exists() else [each for each in sorted(folder.iterdir()) if BATCH_ID.fullmatch(each.name)]
    for batch in batches:
        path = batch / MANIFEST
        if not path.exists():
            continue  # it is still being put down
        try:
            with path.open("rb") as file:
                manifest = verify_manifest(file.read(MOST_MANIFEST + 1), gateway)
        except DropUnreadable:
            fix = "Leave its files alone, and tell the service desk."
            outcome.failed[path] = CommandFailed("The manifest cannot be believed", "The gateway's key did not sign exactly this.", fix)
            continue
        if manifest.authority != private.authority or manifest.batch != batch.name:
            fix = "Put the batch back where the service put it, or use the key of its authority."
            outcome.failed[path] = CommandFailed("The manifest is not this batch's", "It names another authority or batch.", fix)
            continue
        for entry in manifest.entries:
            yield _Found(batch.parent, batch / entry.name, entry)


def _document(found: _Found) -> dict[str, Any]:
    with found.path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if sha256_hex(content) != found.entry.digest:
        why = "Its digest is not the one that the manifest names."
        raise CommandFailed("The file is not what was put down", why, "Open nothing of it, and tell the service desk.")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    entry = found.entry
    if not isinstance(document, dict) or (str(entry.delivery_id), entry.event) != (document.get("delivery_id"), document.get("event")):
        raise CannotOpen(Why.NOT_A_DELIVERY)
    return document


def _row(found: _Found, document: dict[str, Any], one: Opened | None) -> dict[str, str]:
    """Return the delivery's row: of a withdrawal, or of what was erased before it came, the view alone."""
    if one is not None:
        return {"delivery_id": str(found.entry.delivery_id), "has_card": "yes", **card_row(one)}
    try:
        names = {"reference": document["reference"], "notification_id": UUID(document["notification_id"]), "event": document["event"]}
        return {"delivery_id": str(found.entry.delivery_id), "has_card": "no", **view_row(**names, view=document["view"])}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CannotOpen(Why.NOT_A_DELIVERY) from None


def _told(found: _Found, document: dict[str, Any], one: Opened | None) -> dict[str, Any]:
    names = {name: document[name] for name in ("delivery_id", "reference", "notification_id", "event", "view")}
    return {**names, "has_card": one is not None, "batch": found.path.parent.name}


def _write_files(one: Opened | None, wanted: Wanted) -> list[Path]:
    """Write what is wanted of one delivery and return what was not there before."""
    if one is None:
        return []
    files: list[tuple[Path, bytes]] = []
    stem = f"{one.reference}-{one.delivery_id}"
    if wanted.original is not None:
        files.append((wanted.original / f"{stem}.json", original_of(one)))
    if wanted.pdf is not None and not (wanted.pdf / f"{stem}.pdf").exists():
        files.append((wanted.pdf / f"{stem}.pdf", card_pdf(one)))
    if wanted.attachments is not None:
        files += attachments_of(one, wanted.attachments)
    for path, _ in files:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [path for path, content in files if _write_new(path, content)]


def _acknowledge(found: Sequence[_Found]) -> int:
    for each in found:
        folder = each.root / RECEIPTS
        folder.mkdir(exist_ok=True)
        path = folder / f"{each.entry.delivery_id}.json"
        draft = folder / f".{path.name}.part"
        draft.write_bytes(receipt(each.entry.delivery_id, each.entry.digest))
        draft.replace(path)
    return len(found)


def _write_new(path: Path, content: bytes) -> bool:
    """The file is there, whole, for its owner alone; tells whether it was written now. One that was there stays as it is."""
    draft = path.with_name(f".{path.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True
