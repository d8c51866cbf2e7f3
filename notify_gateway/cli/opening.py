# SPDX-License-Identifier: MIT
"""Opening many deliveries and writing what they hold, each file new, whole and for its owner alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.privacy.keys import RecipientPrivateKey, VerifyingKey
from notify_gateway.privacy.opening import CannotOpen, Opened, Why, card_pdf, cards_csv, open_delivery

MOST_BYTES = 32 * 1024 * 1024


def open_all(
    files: Sequence[Path], private: RecipientPrivateKey, gateway: VerifyingKey
) -> tuple[list[Opened], dict[Path, CannotOpen | OSError]]:
    """Return what opened, in the order of the files and each delivery once, and what did not, with the reason."""
    opened: dict[UUID, Opened] = {}
    failed: dict[Path, CannotOpen | OSError] = {}
    for path in files:
        try:
            one = open_delivery(_document(path), private, gateway)
        except (CannotOpen, OSError) as error:
            failed[path] = error
        else:
            opened.setdefault(one.delivery_id, one)
    return list(opened.values()), failed


def write_out(
    opened: Sequence[Opened], *, original: Path | None, attachments: Path | None, csv: Path | None, pdf: Path | None, several: bool
) -> list[Path]:
    """Write what was asked for and return the files; raises ``CommandFailed`` for one that exists, or an original that was erased."""
    written: list[Path] = []
    if csv is not None and opened:
        written.append(_write(csv, cards_csv(opened)))
    for out, ending, content in ((original, "json", original_of), (pdf, "pdf", card_pdf)):
        if out is not None:
            written += _each(opened, out, ending, content, several=several)
    if attachments is not None:
        attachments.mkdir(mode=0o700, parents=True, exist_ok=True)
        written += [_write(path, content) for one in opened for path, content in attachments_of(one, attachments)]
    return written


def attachments_of(one: Opened, folder: Path) -> list[tuple[Path, bytes]]:
    """Return the files that came with a notification, numbered as on its card; what the sender called them is on the card alone.

    Raises ``CommandFailed`` for one that came without its original.
    """
    from notify_gateway.fhir.attachments import unpack

    files = unpack(original_of(one))
    return [(folder / f"{one.reference}-{one.delivery_id}-{file.number:02}.{file.ending}", file.content) for file in files]


def _each(opened: Sequence[Opened], out: Path, ending: str, content: Callable[[Opened], bytes], *, several: bool) -> list[Path]:
    if several:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = [out / f"{one.reference}-{one.delivery_id}.{ending}" if several else out for one in opened]
    return [_write(path, content(one)) for path, one in zip(paths, opened, strict=True)]


def original_of(one: Opened) -> bytes:
    """Return the message as the trust sent it; raises ``CommandFailed`` for a notification that came without."""
    held: PrivateBytes | None = one.original
    if held is None:
        raise CommandFailed("There is no original", f"{one.reference} came without one.", "Open it without --original.")
    return held.reveal()


def _write(path: Path, content: bytes) -> Path:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandFailed("The file exists already", f"{path} is there, and nothing is overwritten.", "Choose another name.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return path


def _document(path: Path) -> Mapping[str, object]:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    try:
        fields = json.loads(content) if len(content) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise CannotOpen(Why.NOT_A_DELIVERY)
    return fields
