# SPDX-License-Identifier: MIT
"""What is told when a command cannot do its work: title, why and fix; never a traceback, never a value of a message."""

from __future__ import annotations

import json
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from notify_gateway.cli.output import put

if TYPE_CHECKING:
    from sqlalchemy.exc import SQLAlchemyError

    from mappings.postcodes import PostcodeError
    from notify_gateway.privacy.sealing import CannotOpen

FAILED = 1
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Told:
    """An error in words; ``code`` only where the catalogue has one."""

    title: str
    why: str
    fix: str
    code: str | None = None


class CommandFailed(Exception):
    """A command cannot go on, for a reason that its user can mend."""

    def __init__(self, title: str, why: str, fix: str) -> None:
        self.told = Told(title, why, fix)
        super().__init__(title)


def report(error: BaseException, *, as_json: bool = False) -> int:
    """Print ``error`` on standard error and return the exit status."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    found = in_words(error)
    if as_json:
        sys.stderr.write(json.dumps({"errors": [asdict(each) for each in found]}, ensure_ascii=False) + "\n")
        return FAILED
    console = Console(stderr=True)
    for each in found:
        put(console, Text(f"{each.code}  {each.title}" if each.code else each.title, style="bold red"))
        put(console, f"Why: {each.why}\nFix: {each.fix}")
    return FAILED


def in_words(error: BaseException) -> list[Told]:
    """Return what there is to tell of ``error``; of an unforeseen one only its kind and place, for its text may quote anything."""
    from pydantic import ValidationError
    from sqlalchemy.exc import SQLAlchemyError

    from audit.guard import GuardRefused
    from audit.merkle import ProofInvalid
    from audit.policy import PolicyRefused
    from mappings.postcodes import PostcodeError
    from notify_gateway.credentials.providers import ProvidersRefused
    from notify_gateway.domain.errors import NotifyError
    from notify_gateway.privacy.keys import KeyFileError
    from notify_gateway.privacy.sealing import CannotOpen

    match error:
        case CommandFailed():
            return [error.told]
        case NotifyError():
            return [_from_catalogue(issue.code) for issue in error.issues]
        case ValidationError():
            return [_setting(str(each["loc"][0]) if each["loc"] else None, each["msg"]) for each in error.errors(include_url=False)]
        case KeyFileError():
            why, _, fix = str(error).partition("; ")
            return [Told("A key file cannot be used", f"{why}.", f"{fix[:1].upper()}{fix[1:]}." if fix else _KEYS_FIX)]
        case PostcodeError():
            return [_postcodes(error)]
        case CannotOpen():
            return [cannot_open(error)]
        case SQLAlchemyError():
            return [_database(error)]
        case GuardRefused() | ProofInvalid():
            return [Told("The log was not signed", f"{_sentence(error)} Nothing has been signed.", _GUARD_FIX)]
        case PolicyRefused():
            return [Told("The witness policy cannot be used", _sentence(error), _POLICY_FIX)]
        case ProvidersRefused():
            return [Told("The identity providers cannot be used", _sentence(error), _PROVIDERS_FIX)]
        case OSError():
            named = f": {error.filename}" if error.filename else ""
            why = f"{error.strerror or type(error).__name__}{named}."
            return [Told("The system refused", why, "Mend that, then run the command again.")]
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}."
    return [Told("Unforeseen error", place, "Please report it, with the command and this line.")]


def cannot_open(error: CannotOpen) -> Told:
    """Return why a delivery does not open, and what its receiver should do."""
    why, fix = _CANNOT_OPEN[error.why.value]
    return Told("The delivery does not open", why, fix)


_KEYS_FIX = "Run notify-gateway doctor, which looks at each key file."
_GUARD_FIX = (
    "Do not delete the guard file. Stop the sequencer, compare the database and the guard file with their backups, and restore the "
    "one that was rewound."
)
_POLICY_FIX = "Mend the file that NOTIFY_GATEWAY_WITNESS_POLICY names; docs/audit.md shows one."
_PROVIDERS_FIX = "Mend the file that NOTIFY_GATEWAY_STAFF_PROVIDERS names; docs/staff.md shows one, and notify-gateway doctor looks at it."
_CANNOT_OPEN = {
    "not-a-delivery": ("The file is not a delivery document.", "Give the file exactly as it was fetched."),
    "unknown-gateway-key": ("It names another gateway key than the one given.", "Get the gateway's current public key from /log/keys."),
    "bad-signature": ("The gateway did not sign this.", "Keep the file, open nothing, and tell the service desk."),
    "bad-header": ("The signed header is not one that this version knows.", "Install the current version, or fetch the delivery again."),
    "not-this-delivery": (
        "A part of it belongs to another notification or authority.",
        "Fetch it again; if it stays, tell the service desk.",
    ),
    "changed-view": ("The view is not the one that was signed.", "Fetch it again; if it stays, tell the service desk."),
    "changed-content": ("The sealed content is not the one that was signed.", "Fetch it again; if it stays, tell the service desk."),
    "not-for-this-key": ("It is not sealed to this key.", "Use the authority's working or recovery key that was live when it was sent."),
    "cannot-unwrap": ("The key has the right name and does not open it.", "Use the key file whose fingerprint was registered."),
    "changed-original": ("The original is not the message that the card was made from.", "Open nothing, and tell the service desk."),
    "erased": ("Its shred key was deleted, so nobody can open it any more.", "Nothing: the notification was erased."),
}


def _from_catalogue(code: str) -> Told:
    from notify_gateway.domain.catalogue import entry

    known = entry(code)
    return Told(known.title, known.why, known.fix, known.code.value)


def _setting(name: str | None, message: str) -> Told:
    why = message.removeprefix("Value error, ")
    variable = f"NOTIFY_GATEWAY_{name.upper()}" if name else None
    return Told(
        f"{variable} is not right" if variable else "The settings do not go together",
        f"{why[:1].upper()}{why[1:]}.",
        f"Change {variable or 'them'} in the environment or in .env; notify-gateway config docs lists all settings.",
    )


def _postcodes(error: PostcodeError) -> Told:
    from mappings.postcodes import CompileUnderWay, SourceUnusable

    if isinstance(error, CompileUnderWay):
        return Told("The postcode table is being compiled", _sentence(error), "Wait until the other process has finished.")
    if isinstance(error, SourceUnusable):
        fix = "Give the ONS Postcode Directory as published: the CSV file in the folder Data of the download."
        return Told("The file is not a postcode directory", _sentence(error), fix)
    fix = "Run notify-gateway postcodes load FILE, or notify-gateway postcodes demonstration to try the service out."
    return Told("There is no postcode table to use", _sentence(error), fix)


def _database(error: SQLAlchemyError) -> Told:
    origin = getattr(error, "orig", None)
    if type(origin).__name__ == "UndefinedTable" or "no such table" in str(origin):
        return Told("The database has no tables yet", "It was never migrated.", "Run notify-gateway migrate.")
    why = f"{type(error).__name__}{f' ({type(origin).__name__})' if origin else ''}."
    return Told("The database does not answer as it should", why, "Run notify-gateway doctor, which looks at each database.")


def _sentence(error: BaseException) -> str:
    text = str(error)
    first = text.partition(" ")[0]
    return f"{text[:1].upper()}{text[1:]}." if first.isalpha() else f"{text}."
