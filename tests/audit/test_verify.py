# SPDX-License-Identifier: MIT
"""The offline verifier, run as its user runs it: from a copy of ``audit/`` alone, with no database and none of our other code."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.cosignature import WitnessSigner, attach
from audit.events import Event
from audit.export import ExportRefused, hash_line, head_line, leaf_line, read_lines, verify_export
from audit.merkle import consistency_proof, leaf_hash, root_from_leaves
from audit.note import Checkpoint, Signer, encode64, sign_note, split_note
from audit.receipts import make_promise
from audit.report import Form, Report
from tests.audit.builders import ORIGIN, OTHER_SIGNER, SIGNER, START, LogUnderTest, opened

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = Signer.from_seed("gateway.example", b"g" * 32)
SMALL = [b'{"entry":%d}' % i for i in range(9)]
# Blocks what the verifier has no business with, then runs it as ``python -m`` does.
ALONE = """
import runpy, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"sqlalchemy", "psycopg", "notify_gateway", "mappings", "workers", "socket", "ssl"}:
            raise ImportError("the verifier reached for " + name)
sys.meta_path.insert(0, Blocked())
runpy.run_module("audit.verify", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Path]:
    """A folder with ``audit/`` and what a trust and an IG officer hold after twelve entries."""
    for log in opened(f"sqlite:///{tmp_path}/log.db", tmp_path):
        fill(log, tmp_path)
        shutil.copytree(ROOT / "audit", tmp_path / "alone" / "audit", ignore=shutil.ignore_patterns("__pycache__"))
        yield tmp_path / "alone"


def fill(log: LogUnderTest, folder: Path) -> None:
    (folder / "alone").mkdir()
    sequencer = log.sequencer()
    log.add(5)
    sequencer.run_once()
    (folder / "alone" / "earlier").write_text(log.checkpoint(), newline="")
    log.add(7)
    sequencer.run_once()
    entry = log.appended[3]
    receipt = log.receipt(entry)
    assert receipt is not None
    promise = make_promise(GATEWAY, origin=ORIGIN, leaf_hash=entry.leaf_hash, accepted_at=START)
    forgotten = b'{"never":"logged"}'
    broken = make_promise(GATEWAY, origin=ORIGIN, leaf_hash=leaf_hash(forgotten), accepted_at=START)
    contents = {"receipt": receipt, "promise": promise, "broken": broken, "export": log.export()}
    for name, text in contents.items():
        (folder / "alone" / name).write_text(text, newline="")
    (folder / "alone" / "leaf").write_bytes(entry.leaf)
    (folder / "alone" / "forgotten").write_bytes(forgotten)


def verify(folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-c", ALONE, *arguments]
    ran = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, ran.stdout or ran.stderr


def change(folder: Path, name: str, edit: Callable[[str], str]) -> None:
    text = (folder / name).read_text()
    assert edit(text) != text
    (folder / name).write_text(edit(text), newline="")


RECEIPT = ("receipt", "--key", SIGNER.verifier.vkey, "--receipt", "receipt", "--leaf", "leaf")
PROMISE = ("promise", "--key", GATEWAY.verifier.vkey, "--log-key", SIGNER.verifier.vkey)
EXPORT = ("export", "--key", SIGNER.verifier.vkey, "--export", "export")
SOON, LATE = (f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}" for seconds in (30, 90))


def test_a_good_receipt_is_proven_in_plain_english(files: Path) -> None:
    ran = subprocess.run([sys.executable, "-m", "audit.verify", *RECEIPT], cwd=files, env={}, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0
    first, _, rest = ran.stdout.partition("\n")
    assert first == (
        f"Proven. The entry has index 3 among the 12 entries of the log {ORIGIN}. "
        "It says, at 2026-09-01 09:00:03 UTC: client:RVW looked at the progress of notification notification-3."
    )
    assert "This proves:" in rest
    assert "It does not prove:" in rest


def test_the_verifier_needs_nothing_but_its_folder(files: Path) -> None:
    assert verify(files, *RECEIPT)[0] == 0
    assert verify(files, *EXPORT)[0] == 0


def test_the_finding_is_told_as_json_as_well(files: Path) -> None:
    code, out = verify(files, *RECEIPT, "--json")
    assert code == 0
    told = json.loads(out)
    assert (told["in_order"], told["index"], told["size"], told["origin"]) == (True, 3, 12, ORIGIN)


def test_an_altered_leaf_or_another_key_is_not_proven(files: Path) -> None:
    another_key = [OTHER_SIGNER.verifier.vkey if part == SIGNER.verifier.vkey else part for part in RECEIPT]
    code, out = verify(files, *another_key)
    assert (code, "no known key" in out) == (1, True)
    change(files, "leaf", lambda text: text.replace("notification-3", "notification-4"))
    code, out = verify(files, *RECEIPT)
    assert (code, "NOT PROVEN" in out) == (1, True)


def test_wrong_arguments_and_unreadable_files_are_told_apart_from_findings(files: Path) -> None:
    assert verify(files, "receipt")[0] == 2
    assert verify(files, "receipt", "--key", "nonsense", "--receipt", "receipt", "--leaf", "leaf")[0] == 2
    assert verify(files, *PROMISE, "--promise", "promise", "--leaf", "leaf", "--at", "2026-09-01T09:00:00")[0] == 2
    (files / "leaf").unlink()
    assert verify(files, *RECEIPT)[0] == 2
    (files / "receipt").write_bytes(b"\xff")
    (files / "leaf").write_bytes(b"x")
    assert verify(files, *RECEIPT)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--promise", "promise", "--leaf", "leaf", "--receipt", "receipt", "--at", LATE), 0, "kept"),
        (("--promise", "promise", "--leaf", "leaf", "--export", "export", "--at", LATE), 0, "kept"),
        (("--promise", "promise", "--leaf", "leaf", "--at", SOON), 0, "not due yet"),
        (("--promise", "promise", "--leaf", "leaf", "--at", LATE), 3, "ask the gateway"),
        (("--promise", "broken", "--leaf", "forgotten", "--export", "export", "--at", SOON), 0, "not due yet"),
        (("--promise", "broken", "--leaf", "forgotten", "--export", "export", "--at", LATE), 3, "BROKEN"),
        (("--promise", "broken", "--leaf", "leaf", "--at", LATE), 1, "another entry"),
        (("--promise", "receipt", "--leaf", "leaf", "--at", LATE), 1, "NOT PROVEN"),
    ],
)
def test_a_promise_is_told_to_be_kept_open_overdue_or_broken(files: Path, arguments: tuple[str, ...], code: int, told: str) -> None:
    found, out = verify(files, *PROMISE, *arguments)
    assert found == code
    assert told in out


def test_a_promise_about_another_log_is_not_kept_by_this_one(files: Path) -> None:
    text = make_promise(GATEWAY, origin="log.example/other", leaf_hash=leaf_hash((files / "leaf").read_bytes()), accepted_at=START)
    (files / "promise").write_text(text)
    code, out = verify(files, *PROMISE, "--promise", "promise", "--leaf", "leaf", "--receipt", "receipt", "--at", LATE)
    assert (code, "another log" in out) == (1, True)


def test_a_whole_log_is_proven_and_continues_the_earlier_checkpoint(files: Path) -> None:
    code, out = verify(files, *EXPORT, "--earlier", "earlier")
    assert code == 0
    assert "all 12 entries" in out
    assert "The first 5 are those of the earlier checkpoint." in out


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda text: text.replace("notification-7", "notification-8"), "entry 7 of 12 was changed"),
        (lambda text: text[: text.rindex('{"index":11')], "ends after entry 10 of 12"),
        (lambda text: text.replace('{"index":4', '{"index":5'), "entry 4 of 12 is missing: entry 5 stands in its place"),
        (lambda text: drop_line(text, 7), "entry 6 of 12 is missing: entry 7 stands in its place"),
        (lambda text: text.replace("\\n12\\n", "\\n13\\n"), "not to be trusted"),
        (lambda text: text[text.index("\n") + 1 :], "first line"),
        (lambda text: text + '{"index":12,"hash":"x"}\n', "has 12 entries, and the file has more"),
        (lambda text: "{}\n" + text, "first line"),
        (lambda text: text.replace('"version": 2', '"version": 3'), "another version"),
        (lambda text: text[:300] + "\x00" + text[301:], "entry 0 of 12 was changed"),
    ],
)
def test_an_export_that_was_touched_is_not_proven_and_the_entry_is_named(files: Path, edit: Callable[[str], str], told: str) -> None:
    change(files, "export", edit)
    code, out = verify(files, *EXPORT)
    assert code == 1
    assert told in out


def drop_line(text: str, line: int) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[:line] + lines[line + 1 :])


def test_an_entry_changed_together_with_its_check_is_found_by_the_root(files: Path) -> None:
    lines = (files / "export").read_bytes().splitlines()
    forged = leaf_line(7, lines[8].partition(b',"leaf":')[2][:-1].replace(b"notification-7", b"notification-8"))
    (files / "export").write_bytes(b"\n".join([*lines[:8], forged, *lines[9:]]))
    code, out = verify(files, *EXPORT)
    assert (code, "do not lead to the signed root" in out) == (1, True)


def test_a_file_with_an_endless_line_is_refused_without_being_kept_in_memory(tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="no export"):
        list(read_lines(io.BytesIO(b"x" * (8 << 20))))


def export_of(leaves: list[bytes], *, signer: Signer = SIGNER) -> list[bytes]:
    root = root_from_leaves(leaf_hash(leaf) for leaf in leaves)
    note = sign_note(Checkpoint(ORIGIN, len(leaves), root).to_text(), signer)
    return [head_line(note), *(leaf_line(index, leaf) for index, leaf in enumerate(leaves))]


def test_an_organisation_sees_its_own_entries_and_hashes_of_the_rest() -> None:
    lines = export_of(SMALL)
    for index in (0, 3, 8):
        lines[index + 1] = hash_line(index, leaf_hash(SMALL[index]))
    verdict = verify_export(lines, [SIGNER.verifier], seek=leaf_hash(SMALL[3]))
    assert (verdict.in_full, verdict.found, verdict.checkpoint.size) == (6, 3, 9)


def test_rewritten_history_is_found_even_when_the_log_itself_signs_it() -> None:
    earlier = Checkpoint(ORIGIN, 5, root_from_leaves(leaf_hash(leaf) for leaf in SMALL[:5]))
    rewritten = [b"rewritten", *SMALL[1:]]
    verify_export(export_of(SMALL), [SIGNER.verifier], earlier=earlier)
    with pytest.raises(ExportRefused, match="history was changed"):
        verify_export(export_of(rewritten), [SIGNER.verifier], earlier=earlier)
    with pytest.raises(ExportRefused, match="older than what you know"):
        verify_export(export_of(SMALL[:4]), [SIGNER.verifier], earlier=earlier)


def test_the_empty_log_has_an_export_too() -> None:
    assert verify_export(export_of([]), [SIGNER.verifier]).in_full == 0


def test_an_export_of_another_log_or_key_says_so() -> None:
    other = Checkpoint("log.example/other", 1, bytes(32))
    with pytest.raises(ExportRefused, match=r"of the log log\.example/other, and the export of the log"):
        verify_export(export_of(SMALL), [SIGNER.verifier], earlier=other)
    with pytest.raises(ExportRefused, match="no known key"):
        verify_export(export_of(SMALL), [OTHER_SIGNER.verifier])


@pytest.mark.parametrize(
    "entry", [b'{"index":0,"hash":"AAAA"}', b'{"index":0,"hash":"!"}', b'{"index":0}', b'{"index":"0","leaf":x}', b"", b"[]"]
)
def test_a_damaged_entry_is_refused(entry: bytes) -> None:
    with pytest.raises(ExportRefused, match="entry 0"):
        verify_export([export_of(SMALL[:1])[0], entry], [SIGNER.verifier])


PIECES = st.sampled_from([b'{"index":', b"0", b',"leaf":', b',"hash":"', b'"check":"', b"}", b'"']) | st.binary(max_size=5)


@given(st.lists(st.lists(PIECES, max_size=8).map(b"".join)))
def test_any_lines_are_refused(lines: list[bytes]) -> None:
    with pytest.raises(ExportRefused):
        verify_export(lines, [SIGNER.verifier])
    with pytest.raises(ExportRefused):
        verify_export([export_of(SMALL)[0], *lines], [SIGNER.verifier])


@given(st.binary(max_size=300), st.integers(0, 2**53))
def test_every_line_is_json_if_the_leaf_is(data: bytes, index: int) -> None:
    leaf = json.dumps(data.hex()).encode()
    assert json.loads(leaf_line(index, leaf)) == {"index": index, "check": leaf_hash(leaf).hex()[:8], "leaf": data.hex()}
    assert json.loads(hash_line(index, leaf_hash(leaf))) == {"index": index, "hash": base64.b64encode(leaf_hash(leaf)).decode()}


def test_two_checkpoints_are_consistent_by_their_proof_alone(files: Path, tmp_path: Path) -> None:
    hashes = [leaf_hash(leaf) for leaf in SMALL]
    whole = sign_note(Checkpoint(ORIGIN, 9, root_from_leaves(hashes)).to_text(), SIGNER)
    part = sign_note(Checkpoint(ORIGIN, 6, root_from_leaves(hashes[:6])).to_text(), SIGNER)
    forked = sign_note(Checkpoint(ORIGIN, 6, root_from_leaves([*hashes[:5], hashes[0]])).to_text(), SIGNER)
    proof = consistency_proof(6, 9, lambda level, at: root_from_leaves(hashes[at << level : (at + 1) << level]))
    for name, text in {"part": part, "whole": whole, "forked": forked, "proof": "\n".join(map(encode64, proof))}.items():
        (files / name).write_text(text, newline="")
    command = ("consistency", "--key", SIGNER.verifier.vkey, "--proof", "proof")
    assert verify(files, *command, "--earlier", "part", "--later", "whole")[0] == 0
    for earlier, later, told in (
        ("forked", "whole", "another root"),
        ("whole", "part", "wrong way round"),
        ("part", "part", "one size"),
    ):
        code, out = verify(files, *command, "--earlier", earlier, "--later", later)
        assert (code, told in out) == (1, True), out


def act(tag: str, minutes: int, subject: str = "delivery-1", **fields: str | int) -> bytes:
    at = START + timedelta(minutes=minutes)
    return Event(tag, at=at, actor="worker:1", subject=subject, fields={"authority": "E06000004", **fields}).to_leaf(bytes(16))


def test_an_act_that_was_begun_and_never_ended_is_a_gap(files: Path) -> None:
    leaves = [
        act("delivery:attempted", 0, attempt=1, notification="n-1"),
        act("delivery:attempted", 1, attempt=2, notification="n-1"),
        act("delivery:received", 2, attempt=2, notification="n-1", digest="0" * 64),
        act("delivery:attempted", 30, subject="delivery-2", attempt=1, notification="n-2"),
    ]
    (files / "acts").write_bytes(b"\n".join(export_of(leaves)))
    code, out = verify(files, "gaps", "--key", SIGNER.verifier.vkey, "--export", "acts", "--json")
    told = json.loads(out)
    assert (code, told["attempts"], told["gaps"], [each["index"] for each in told["entries"]]) == (3, 3, 1, [0])
    settled = [*leaves, act("delivery:unsettled", 31, attempt=1, notification="n-1")]
    (files / "acts").write_bytes(b"\n".join(export_of(settled)))
    assert verify(files, "gaps", "--key", SIGNER.verifier.vkey, "--export", "acts")[0] == 0


def test_a_childs_chronology_follows_the_ids_that_its_pseudonym_leads_to(files: Path) -> None:
    def accepted(subject: str, pseudonym: str, message: str) -> bytes:
        return act("notification:accepted", 0, subject, event="new", sender="RXX", pseudonym=pseudonym, message=message)

    leaves = [
        accepted("n-1", "psn-a", "m-1"),
        accepted("n-2", "psn-b", "m-2"),
        act("delivery:attempted", 1, "d-1", attempt=1, notification="n-1"),
        act("delivery:attempted", 1, "d-2", attempt=1, notification="n-2"),
        act("delivery:acknowledged", 2, "d-1"),
    ]
    (files / "acts").write_bytes(b"\n".join(export_of(leaves)))
    command = ("chronology", "--key", SIGNER.verifier.vkey, "--export", "acts", "--pseudonym")
    code, out = verify(files, *command, "psn-a", "--json")
    assert (code, [each["index"] for each in json.loads(out)["entries"]]) == (0, [0, 2, 4])
    assert "No readable entry" in verify(files, *command, "psn-c")[1]


def test_the_report_can_be_a_page_that_needs_nothing_beside_itself(files: Path) -> None:
    code, out = verify(files, *EXPORT, "--format", "html", "--out", "report.html")
    page = (files / "report.html").read_text()
    assert (code, out) == (0, "")
    assert "<h1>In order</h1>" in page
    assert not re.search(r"(?:src|href)=", page)


def test_a_page_shows_hostile_words_as_words() -> None:
    page = Report(1, "<script>alert(1)</script>", {"<b>": "<i>"}).write(Form.HTML)
    assert "<script>" not in page
    assert "<i>" not in page


def test_a_policy_asks_that_witnesses_have_cosigned_the_checkpoint(files: Path) -> None:
    witness = WitnessSigner.from_seed("icb.example/witness", b"w" * 32)
    (files / "policy").write_text(f"witness icb {witness.verifier.vkey}\nquorum icb\n")
    note, *lines = (files / "export").read_bytes().splitlines()
    checkpoint = json.loads(note)["checkpoint"]
    code, out = verify(files, *EXPORT, "--policy", "policy")
    assert (code, "no witness, which is NOT enough for the policy" in out) == (1, True), out
    cosigned = attach(checkpoint, [witness.line(split_note(checkpoint)[0], 1_790_000_000)])
    (files / "export").write_bytes(b"\n".join([head_line(cosigned), *lines]))
    code, out = verify(files, *EXPORT, "--policy", "policy")
    assert (code, "Cosigned by icb" in out) == (0, True), out
    (files / "policy").write_text("witness icb")
    code, out = verify(files, *EXPORT, "--policy", "policy")
    assert (code, "line 1" in out) == (1, True), out
