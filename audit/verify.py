# SPDX-License-Identifier: MIT
"""The offline verifier, ``python -m audit.verify``: needs this folder, the cryptography package, public keys and the files it is given.

Exit codes: 0 all in order, or the promise is kept or not due yet; 1 a proof does not hold; 2 wrong arguments or an unreadable
file; 3 a promise is broken, or overdue without proof, or an act was begun and its result never recorded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from audit.detail import DetailDiffers, detail_of
from audit.events import EventInvalid, read_leaf
from audit.export import ExportRefused, ExportVerdict, Seen, read_lines, verify_export
from audit.findings import Chronology, Gaps, Opening
from audit.merkle import ProofInvalid, leaf_hash, verify_consistency
from audit.note import Checkpoint, NoteRefused, Verifier, decode64, open_checkpoint
from audit.policy import PolicyRefused, parse_policy
from audit.receipts import MAX_PROOF, ReceiptRefused, Standing, judge_promise, parse_receipt, verify_promise, verify_receipt
from audit.report import BROKEN, IN_ORDER, REFUSED, UNUSABLE, Form, Report
from audit.verify_arguments import Run, parser_of

_STANDING = {
    Standing.KEPT: "The promise is kept: the entry is in the log.",
    Standing.OPEN: "The promise is genuine and not due yet.",
    Standing.OVERDUE: "The promise is genuine and its time has passed. No proof was given here: ask the gateway for the receipt.",
    Standing.BROKEN: "The promise is BROKEN: its time has passed, and the signed log lacks the entry.",
}
_TRUE = "that what an entry says was true when it was written"
_UNSAID = "that nothing happened which was never recorded"
_FORK = "that everybody is shown the same log: compare checkpoints with others, or ask for one that witnesses have signed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, write what was found in plain English (or as a page, or as JSON) and return the exit code."""
    options = parser_of(_RUNS).parse_args(arguments)
    try:
        run: Run = options.run
        report = run(options)
    except NoteRefused as error:
        report = Report(REFUSED, f"NOT PROVEN: {error}. {error.advice}.")
    except (ReceiptRefused, ExportRefused, ProofInvalid, PolicyRefused, DetailDiffers) as error:
        report = Report(REFUSED, f"NOT PROVEN: {error}.")
    except (OSError, UnicodeDecodeError) as error:
        reason = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else "it is not a text of UTF-8"
        report = Report(UNUSABLE, f"A file cannot be read: {reason}.")
    return _give(report, options)


def _give(report: Report, options: argparse.Namespace) -> int:
    text = report.write(Form.JSON if options.json else options.format)
    if options.out is None:
        sys.stdout.write(text)
        return report.code
    try:
        options.out.write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stdout.write(f"The report cannot be written: {error.strerror}.\n")
        return UNUSABLE
    return report.code


def _receipt(options: argparse.Namespace) -> Report:
    leaf, text = options.leaf.read_bytes(), _text(options.receipt)
    verdict = verify_receipt(text, leaf_hash(leaf), *options.key)
    log = verdict.checkpoint
    facts: dict[str, object] = {"index": verdict.index, "origin": log.origin, "size": log.size}
    proves, detail = ["that this very entry, byte for byte, is in the log that the checkpoint describes, at this place"], ""
    if options.detail is not None:
        facts["detail"] = detail_of(leaf, options.detail.read_bytes())
        detail = f" Its detail is the one that it commits to: {facts['detail']}."
        proves.append("that the entry committed to this detail, word for word, when it was written")
    return Report(
        IN_ORDER,
        f"Proven. {verdict.sentence()} {_says(leaf)}{detail}{_witnessed(options, parse_receipt(text).checkpoint)}",
        facts,
        proves=tuple(proves),
        unproven=(_TRUE, _FORK),
    )


def _promise(options: argparse.Namespace) -> Report:
    digest = leaf_hash(options.leaf.read_bytes())
    promise = verify_promise(_text(options.promise), digest, *options.key)
    origin, in_log = promise.origin, None
    if options.receipt is not None:
        origin, in_log = verify_receipt(_text(options.receipt), digest, *options.log_key).checkpoint.origin, True
    elif options.export is not None:
        verdict = _whole(options, options.log_key, seek=digest)
        origin, in_log = verdict.checkpoint.origin, verdict.found is not None
    if origin != promise.origin:
        raise ReceiptRefused("the promise is about another log")
    standing = judge_promise(promise, in_log=in_log, at=options.at)
    return Report(
        IN_ORDER if standing in (Standing.KEPT, Standing.OPEN) else BROKEN,
        _STANDING[standing],
        {"standing": standing.value, "origin": origin, "due_at": promise.due_at.isoformat()},
        proves=("that the gateway undertook, at that time, to have this entry in the log",),
    )


def _export(options: argparse.Namespace) -> Report:
    earlier = None if options.earlier is None else _checkpoint("earlier", _text(options.earlier), options.key)
    opening = Opening()
    verdict = _whole(options, options.key, earlier=earlier, seen=opening.see)
    log = verdict.checkpoint
    sentence = (
        f"Proven. These are all {log.size} entries of the log {log.origin}, unaltered and in order; {verdict.in_full} are readable here."
    )
    proves = ["that no entry was changed, left out, added or moved since the checkpoint was signed"]
    if earlier is not None:
        sentence += f" The first {earlier.size} are those of the earlier checkpoint."
        proves.append("that nothing that the earlier checkpoint covers was changed or removed since")
    if options.closed is not None:
        opening.require(_checkpoint("closed", _text(options.closed), options.key))
        proves.append("that the log before was closed at the checkpoint that was given, and this one follows it")
    sentence += opening.sentence() + _deleted(verdict) + _witnessed(options, verdict.note)
    facts = {"origin": log.origin, "size": log.size, "in_full": verdict.in_full}
    return Report(IN_ORDER, sentence, facts, proves=tuple(proves), unproven=(_TRUE, _UNSAID, _FORK))


def _consistency(options: argparse.Namespace) -> Report:
    notes = [_text(path) for path in (options.earlier, options.later)]
    earlier, later = (_checkpoint(which, note, options.key) for which, note in zip(("earlier", "later"), notes, strict=True))
    if earlier.origin != later.origin:
        raise ExportRefused(f"the earlier checkpoint is of the log {earlier.origin}, and the later of the log {later.origin}")
    if earlier.size > later.size:
        raise ExportRefused(
            f"the later checkpoint covers {later.size} entries and the earlier {earlier.size}: are they the wrong way round?"
        )
    if earlier.size:
        try:
            proof = _proof(options.proof)
            verify_consistency(old=earlier.size, new=later.size, old_root=earlier.root, new_root=later.root, proof=proof)
        except (NoteRefused, ProofInvalid) as error:
            raise ExportRefused(
                f"that the log of {later.size} entries begins with the {earlier.size} of the earlier checkpoint is not shown: {error}. Ask "
                f"for the proof from {earlier.size} to {later.size}; if that fails too, history was changed: keep both checkpoints"
            ) from error
    return Report(
        IN_ORDER,
        f"Proven. The {later.size} entries of the log {later.origin} begin with the {earlier.size} of the earlier checkpoint, unaltered."
        + _witnessed(options, notes[1]),
        {"origin": later.origin, "earlier": earlier.size, "later": later.size},
        proves=("that nothing that the earlier checkpoint covers was changed or removed since",),
        unproven=(_TRUE, _UNSAID, _FORK),
    )


def _gaps(options: argparse.Namespace) -> Report:
    gaps = Gaps()
    verdict = _whole(options, options.key, seen=gaps.see)
    found, others = tuple(gaps.found()), verdict.checkpoint.size - verdict.in_full + gaps.unknown
    sentence = f"All {gaps.attempts} acts that were begun have their result in the log."
    if found:
        sentence = f"{len(found)} of {gaps.attempts} acts were begun, and the log does not say how they ended. Ask the operator about each."
    if others:
        sentence += f" {others} entries cannot be read here and were not looked at.{_deleted(verdict)}"
    facts = {"origin": verdict.checkpoint.origin, "size": verdict.checkpoint.size, "attempts": gaps.attempts, "gaps": len(found)}
    return Report(BROKEN if found else IN_ORDER, sentence, facts, found, unproven=(_UNSAID,))


def _chronology(options: argparse.Namespace) -> Report:
    story = Chronology(options.pseudonym)
    verdict = _whole(options, options.key, seen=story.see)
    count = len(story.entries)
    facts = {"origin": verdict.checkpoint.origin, "size": verdict.checkpoint.size, "found": count}
    sentence = f"Proven: {count} of the log's {verdict.checkpoint.size} entries concern this pseudonym, in this order."
    if not count:
        sentence = "No readable entry of this log concerns this pseudonym."
    sentence += _deleted(verdict)
    return Report(IN_ORDER, sentence, facts, tuple(story.entries), unproven=(_TRUE, _UNSAID))


def _whole(
    options: argparse.Namespace,
    keys: Sequence[Verifier],
    *,
    earlier: Checkpoint | None = None,
    seek: bytes | None = None,
    seen: Seen | None = None,
) -> ExportVerdict:
    """Verify the export that the options name, telling a person at a terminal how far it is."""
    shows = sys.stderr.isatty()

    def progress(done: int, size: int) -> None:
        if shows:
            sys.stderr.write(f"\r{done:>12,} of {size:,} entries, {100 * done // size} %" + ("\n" if done == size else ""))

    with options.export.open("rb") as file:
        return verify_export(read_lines(file), keys, earlier=earlier, seek=seek, seen=seen, progress=progress)


def _deleted(verdict: ExportVerdict) -> str:
    if verdict.deleted_at is None:
        return ""
    return (
        f" The log was closed, and its operator says that the entries were deleted on {verdict.deleted_at:%Y-%m-%d}, when their time was "
        "over: what they said is gone. Their hashes are here, and receipts and checkpoints of this log are proven by them as before."
    )


def _witnessed(options: argparse.Namespace, note: str) -> str:
    """Return what the policy's witnesses say of the checkpoint, if a policy was given; NoteRefused unless they are enough for it."""
    if options.policy is None:
        return ""
    tally = parse_policy(options.policy.read_bytes()).judge(note, options.key).tally
    if not tally.enough:
        raise NoteRefused(tally.sentence().rstrip("."))
    return f" {tally.sentence()}"


def _checkpoint(which: str, note: str, keys: Sequence[Verifier]) -> Checkpoint:
    try:
        return open_checkpoint(note, *keys)
    except NoteRefused as error:
        raise ExportRefused(f"the {which} checkpoint: {error}. {error.advice}") from error


def _proof(path: Path | None) -> list[bytes]:
    lines = [] if path is None else _text(path).split()
    if len(lines) > 2 * MAX_PROOF:
        raise NoteRefused("the file is too long for a proof of consistency")
    return [decode64(line) for line in lines]


def _says(leaf: bytes) -> str:
    try:
        event = read_leaf(leaf)
    except EventInvalid:
        return "Its wording is not one that this verifier knows."
    return f"It says, at {event.at:%Y-%m-%d %H:%M:%S} UTC: {event.sentence()}"


def _text(path: Path) -> str:
    # Line ends are part of what was signed: no translation.
    return path.read_bytes().decode("utf-8")


_RUNS: Mapping[str, Run] = {
    "receipt": _receipt,
    "promise": _promise,
    "export": _export,
    "consistency": _consistency,
    "gaps": _gaps,
    "chronology": _chronology,
}


if __name__ == "__main__":
    sys.exit(main())
