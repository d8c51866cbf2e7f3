# SPDX-License-Identifier: MIT
"""The offline verifier, run as its user runs it: from a copy of ``audit/`` alone, with no database and none of our other code."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.export import ExportRefused, hash_line, head_line, leaf_line, verify_export
from audit.merkle import leaf_hash, root_from_leaves
from audit.note import Checkpoint, Signer, sign_note
from audit.receipts import make_promise
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
    assert ran.stdout == (
        f"Proven. The entry has index 3 among the 12 entries of the log {ORIGIN}. "
        "It says, at 2026-09-01 09:00:03 UTC: client:RVW looked at the progress of notification notification-3.\n"
    )


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
        (lambda text: text.replace("notification-7", "notification-8"), "an entry was changed"),
        (lambda text: text[: text.rindex('{"index": 11')], "covers 12 entries, and the export has 11"),
        (lambda text: text.replace('{"index": 4', '{"index": 5'), "entry 4 is missing"),
        (lambda text: text.replace("\n12\n", "\n13\n").replace("\\n12\\n", "\\n13\\n"), "not to be trusted"),
        (lambda text: text[text.index("\n") + 1 :], "first line"),
        (lambda text: text + "{\n", "not JSON"),
        (lambda text: text + "[]\n", "not a JSON object"),
    ],
)
def test_an_export_that_was_touched_is_not_proven(files: Path, edit: Callable[[str], str], told: str) -> None:
    change(files, "export", edit)
    code, out = verify(files, *EXPORT)
    assert code == 1
    assert told in out


def export_of(leaves: list[bytes], *, signer: Signer = SIGNER) -> list[str]:
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
    with pytest.raises(ExportRefused, match="more entries than there are now"):
        verify_export(export_of(SMALL[:4]), [SIGNER.verifier], earlier=earlier)


def test_the_empty_log_has_an_export_too() -> None:
    assert verify_export(export_of([]), [SIGNER.verifier]).in_full == 0


@pytest.mark.parametrize("entry", [{"index": 0, "hash": "AAAA"}, {"index": 0, "hash": "!"}, {"index": 0}, {"index": "0", "leaf": "x"}])
def test_a_damaged_entry_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(ExportRefused, match="entry 0"):
        verify_export([export_of(SMALL[:1])[0], json.dumps(entry)], [SIGNER.verifier])


@given(st.lists(st.text() | st.dictionaries(st.sampled_from(["index", "leaf", "hash"]), st.integers(0, 2) | st.text()).map(json.dumps)))
def test_any_lines_are_refused(lines: list[str]) -> None:
    with pytest.raises(ExportRefused):
        verify_export(lines, [SIGNER.verifier])
    with pytest.raises(ExportRefused):
        verify_export([export_of(SMALL)[0], *lines], [SIGNER.verifier])


def test_a_hash_line_is_plain_base64() -> None:
    assert json.loads(hash_line(4, bytes(32))) == {"index": 4, "hash": base64.b64encode(bytes(32)).decode()}
