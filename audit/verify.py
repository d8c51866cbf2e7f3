# SPDX-License-Identifier: MIT
"""The offline verifier, ``python -m audit.verify``: needs this folder, the cryptography package, public keys and the files it is given.

Exit codes: 0 all in order, or the promise is kept or not due yet; 1 a proof does not hold; 2 wrong arguments or an unreadable
file; 3 a promise is broken, or is overdue without proof.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from audit.events import EventInvalid, read_leaf
from audit.export import ExportRefused, verify_export
from audit.merkle import leaf_hash
from audit.note import NoteRefused, Verifier, open_checkpoint
from audit.receipts import ReceiptRefused, Standing, judge_promise, verify_promise, verify_receipt

IN_ORDER, REFUSED, UNUSABLE, BROKEN = range(4)
_STANDING = {
    Standing.KEPT: "The promise is kept: the entry is in the log.",
    Standing.OPEN: "The promise is genuine and not due yet.",
    Standing.OVERDUE: "The promise is genuine and its time has passed. No proof was given here: ask the gateway for the receipt.",
    Standing.BROKEN: "The promise is BROKEN: its time has passed, and the signed log lacks the entry.",
}

Finding = tuple[int, str, dict[str, object]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, print what was found in plain English (or JSON) and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], Finding] = options.run
        code, sentence, facts = run(options)
    except (NoteRefused, ReceiptRefused, ExportRefused) as error:
        code, sentence, facts = REFUSED, f"NOT PROVEN: {error}.", {}
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "") if isinstance(error, OSError) else "it is not a text of UTF-8"
        code, sentence, facts = UNUSABLE, f"A file cannot be read: {reason}.", {}
    finding = {"code": code, "in_order": code == IN_ORDER, "finding": sentence, **facts}
    sys.stdout.write((json.dumps(finding) if options.json else sentence) + "\n")
    return code


def _receipt(options: argparse.Namespace) -> Finding:
    leaf = options.leaf.read_bytes()
    verdict = verify_receipt(_text(options.receipt), leaf_hash(leaf), *options.key)
    facts = {"index": verdict.index, "origin": verdict.checkpoint.origin, "size": verdict.checkpoint.size}
    return IN_ORDER, f"Proven. {verdict.sentence()} {_says(leaf)}", facts


def _promise(options: argparse.Namespace) -> Finding:
    digest = leaf_hash(options.leaf.read_bytes())
    promise = verify_promise(_text(options.promise), digest, *options.key)
    origin, in_log = promise.origin, None
    if options.receipt is not None:
        origin, in_log = verify_receipt(_text(options.receipt), digest, *options.log_key).checkpoint.origin, True
    elif options.export is not None:
        with options.export.open(encoding="utf-8", newline="\n") as lines:
            verdict = verify_export(lines, options.log_key, seek=digest)
        origin, in_log = verdict.checkpoint.origin, verdict.found is not None
    if origin != promise.origin:
        raise ReceiptRefused("the promise is about another log")
    standing = judge_promise(promise, in_log=in_log, at=options.at)
    code = IN_ORDER if standing in (Standing.KEPT, Standing.OPEN) else BROKEN
    return code, _STANDING[standing], {"standing": standing.value, "origin": origin, "due_at": promise.due_at.isoformat()}


def _export(options: argparse.Namespace) -> Finding:
    earlier = None if options.earlier is None else open_checkpoint(_text(options.earlier), *options.key)
    with options.export.open(encoding="utf-8", newline="\n") as lines:
        verdict = verify_export(lines, options.key, earlier=earlier)
    log = verdict.checkpoint
    sentence = (
        f"Proven. These are all {log.size} entries of the log {log.origin}, unaltered and in order; {verdict.in_full} are readable here."
    )
    if earlier is not None:
        sentence += f" The first {earlier.size} are those of the earlier checkpoint."
    return IN_ORDER, sentence, {"origin": log.origin, "size": log.size, "in_full": verdict.in_full}


def _says(leaf: bytes) -> str:
    try:
        event = read_leaf(leaf)
    except EventInvalid:
        return "Its wording is not one that this verifier knows."
    return f"It says, at {event.at:%Y-%m-%d %H:%M:%S} UTC: {event.sentence()}"


def _text(path: Path) -> str:
    # Line ends are part of what was signed: no translation.
    return path.read_bytes().decode("utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit.verify", description="Verify what the log has given you, offline.")
    commands = parser.add_subparsers(required=True, metavar="receipt | promise | export")
    receipt = commands.add_parser("receipt", help="is this entry in the log, as the receipt says?")
    promise = commands.add_parser("promise", help="is this promise genuine, and was it kept?")
    export = commands.add_parser("export", help="is this the whole log, unaltered?")
    for command, run in ((receipt, _receipt), (promise, _promise), (export, _export)):
        command.set_defaults(run=run)
        command.add_argument("--key", type=_key, action="append", required=True, help="verifier key of the signer; may be repeated")
        command.add_argument("--json", action="store_true", help="print the finding as JSON")
    receipt.add_argument("--receipt", type=Path, required=True, help="the receipt (.tlog-proof)")
    for command in (receipt, promise):
        command.add_argument("--leaf", type=Path, required=True, help="the entry, byte for byte")
    promise.add_argument("--promise", type=Path, required=True, help="the promise that came with the acceptance")
    promise.add_argument(
        "--at", type=_instant, required=True, help="the instant at which you ask or fetched the export, such as 2026-01-31T09:00:00Z"
    )
    promise.add_argument("--log-key", type=_key, action="append", default=[], help="verifier key of the log, for the evidence")
    evidence = promise.add_mutually_exclusive_group()
    evidence.add_argument("--receipt", type=Path, help="evidence: a receipt")
    evidence.add_argument("--export", type=Path, help="evidence: an export of the whole log")
    export.add_argument("--export", type=Path, required=True, help="the export (JSON lines)")
    export.add_argument("--earlier", type=Path, help="a checkpoint that you kept from before")
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


if __name__ == "__main__":
    sys.exit(main())
