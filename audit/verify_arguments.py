# SPDX-License-Identifier: MIT
"""What the offline verifier is asked: its commands and their arguments."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from audit.note import NoteRefused, Verifier
from audit.report import Form, Report

Run: TypeAlias = Callable[[argparse.Namespace], Report]


def parser_of(runs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """Return the parser of the verifier's commands; ``run`` of what it parsed is the one of ``runs`` that bears the command's name."""
    parser = argparse.ArgumentParser(
        prog="python -m audit.verify",
        description="Verify what the log has given you, offline. Get the log's key (--key) from somebody you trust, not with the files.",
    )
    commands = parser.add_subparsers(required=True, metavar="receipt | promise | export | consistency | gaps | chronology")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=runs[name])
        made.add_argument("--key", type=_key, action="append", required=True, help="verifier key of the signer; may be repeated")
        made.add_argument("--format", type=Form, choices=list(Form), default=Form.TEXT, help="form of the report")
        made.add_argument("--json", action="store_true", help="the same as --format json")
        made.add_argument("--out", type=Path, help="write the report to this file")
        return made

    receipt = command("receipt", "is this entry in the log, as the receipt says?")
    receipt.add_argument("--receipt", type=Path, required=True, help="the receipt (.tlog-proof)")
    receipt.add_argument("--detail", type=Path, help="the detail that the entry commits to: JSON with salt (hex) and words")
    promise = command("promise", "is this promise genuine, and was it kept?")
    for each in (receipt, promise):
        each.add_argument("--leaf", type=Path, required=True, help="the entry, byte for byte")
    promise.add_argument("--promise", type=Path, required=True, help="the promise that came with the acceptance")
    at_help = "the instant at which you ask or fetched the export, such as 2026-01-31T09:00:00Z"
    promise.add_argument("--at", type=_instant, required=True, help=at_help)
    promise.add_argument("--log-key", type=_key, action="append", default=[], help="verifier key of the log, for the evidence")
    evidence = promise.add_mutually_exclusive_group()
    evidence.add_argument("--receipt", type=Path, help="evidence: a receipt")
    evidence.add_argument("--export", type=Path, help="evidence: an export of the whole log")
    export = command("export", "is this the whole log, unaltered?")
    export.add_argument("--earlier", type=Path, help="a checkpoint that you kept from before")
    export.add_argument("--closed", type=Path, help="the last checkpoint of the log before, which this log's first entry must commit to")
    consistency = command("consistency", "does the log of the later checkpoint begin with that of the earlier one?")
    for name in ("earlier", "later"):
        consistency.add_argument(f"--{name}", type=Path, required=True, help=f"the {name} checkpoint")
    consistency.add_argument("--proof", type=Path, help="the proof: one Base64 hash a line (the gateway's /log/consistency gives it)")
    gaps = command("gaps", "was any act begun (a delivery, an opening, an export) whose result the log does not tell?")
    chronology = command("chronology", "all that the log says about one pseudonym, in order")
    chronology.add_argument("--pseudonym", required=True, help="the child's pseudonym in the audit domain")
    for each in (receipt, export, consistency):
        each.add_argument("--policy", type=Path, help="a C2SP tlog-policy: the witnesses that must have cosigned the checkpoint")
    for each in (export, gaps, chronology):
        each.add_argument("--export", type=Path, required=True, help="the export (JSON lines)")
    return parser


def _key(text: str) -> Verifier:
    try:
        return Verifier.from_vkey(text)
    except NoteRefused as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant has a time zone")
    return instant
