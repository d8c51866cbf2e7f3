# SPDX-License-Identifier: MIT
"""What stands beside the files of a backup: which they are, how large, with which SHA-256. Without it a folder is no backup."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import TypeAlias

from audit.durable import replace_file

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"

MANIFEST, FORMAT, VERSION = "manifest.json", "notify-gateway/backup", 1


class BackupDamaged(Exception):
    """The folder is no whole backup; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One file of a backup."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder holds; ``part`` is main or shred, ``about`` all else that was noted down. The database is the first file."""

    part: str
    files: tuple[Copied, ...]
    about: Mapping[str, Json]

    def document(self) -> dict[str, Json]:
        """Return it as it is written."""
        files: list[Json] = [asdict(each) for each in self.files]
        return {"format": FORMAT, "version": VERSION, "part": self.part, **self.about, "files": files}


def described(folder: Path, files: Sequence[Path], about: Mapping[str, Json]) -> Manifest:
    """Write the manifest, the last file of a backup, and return it."""
    rest = {name: value for name, value in about.items() if name != "part"}
    made = Manifest(str(about["part"]), tuple(_copied(each) for each in files), rest)
    replace_file(folder / MANIFEST, json.dumps(made.document(), indent=2).encode() + b"\n")
    return made


def read_manifest(folder: Path) -> Manifest | None:
    """Return what the folder is said to hold, or None where there is no manifest of ours."""
    try:
        fields = json.loads((folder / MANIFEST).read_bytes())
        if (fields.pop("format"), fields.pop("version")) != (FORMAT, VERSION):
            return None
        files = tuple(Copied(str(each["name"]), int(each["bytes"]), str(each["sha256"])) for each in fields.pop("files"))
        return Manifest(str(fields.pop("part")), files, fields)
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        return None


def verified(folder: Path, part: str) -> Manifest:
    """Return the manifest once every file is the very one that it names. Raises ``BackupDamaged``, ``OSError``."""
    found = read_manifest(folder)
    if found is None or not found.files:
        raise BackupDamaged(f"{folder} holds no manifest of a backup: it was broken off, or is something else")
    if found.part != part:
        raise BackupDamaged(f"{folder} is the {found.part} part of a backup, not the {part} part")
    for each in found.files:
        file = folder / each.name
        if Path(each.name).name != each.name or not file.is_file():
            raise BackupDamaged(f"{file} is missing")
        if _copied(file) != each:
            raise BackupDamaged(f"{file} is not what was backed up: its size or SHA-256 differs")
    return found


def _copied(file: Path) -> Copied:
    with file.open("rb") as opened:
        return Copied(file.name, file.stat().st_size, file_digest(opened, "sha256").hexdigest())
