# SPDX-License-Identifier: MIT
"""What the verifier says when something is wrong: which entry or which file, why, and what to do; and its parsers against any input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.cosignature import WitnessSigner, WitnessVerifier
from audit.guard import Guard, GuardRefused
from audit.merkle import consistency_proof, leaf_hash, root_from_leaves
from audit.note import Checkpoint, NoteRefused, Signer, Verifier, encode64, sign_note
from audit.receipts import ReceiptRefused, make_promise, verify_promise
from audit.verify import main
from tests.audit.builders import ORIGIN, OTHER_SIGNER, SIGNER, START, LogUnderTest, opened
from tests.audit.test_verify import GATEWAY

KEY, OTHER_KEY = SIGNER.verifier.vkey, OTHER_SIGNER.verifier.vkey
ELSEWHERE = Signer.from_seed("log.example/elsewhere", b"e" * 32)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with what is kept of a log at eight entries and at twelve."""
    folder = tmp_path_factory.mktemp("kept")
    for log in opened(f"sqlite:///{folder}/log.db", folder):
        write(log, folder)
        yield folder


def write(log: LogUnderTest, folder: Path) -> None:
    sequencer = log.sequencer()
    log.add(8)
    sequencer.run_once()
    (folder / "export-8").write_text(log.export(), newline="")
    (folder / "eight").write_text(log.checkpoint(), newline="")
    (folder / "receipt").write_text(log.receipt(log.appended[3]) or "", newline="")
    log.add(4)
    sequencer.run_once()
    (folder / "export").write_text(log.export(), newline="")
    (folder / "twelve").write_text(log.checkpoint(), newline="")
    entry = log.appended[3]
    (folder / "leaf").write_bytes(entry.leaf)
    promise = make_promise(GATEWAY, origin=ORIGIN, leaf_hash=entry.leaf_hash, accepted_at=START)
    (folder / "promise").write_text(promise, newline="")
    hashes = [leaf_hash(leaf) for leaf in log.leaves()]
    proof = consistency_proof(8, 12, lambda level, at: root_from_leaves(hashes[at << level : (at + 1) << level]))
    (folder / "proof").write_text("".join(f"{encode64(node)}\n" for node in proof))
    other = sign_note(Checkpoint(ELSEWHERE.name, 12, bytes(32)).to_text(), ELSEWHERE)
    (folder / "elsewhere").write_text(other, newline="")


def flip(text: str) -> str:
    """One bit of the middle is another."""
    at = len(text) // 2
    return text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]


def cut(text: str) -> str:
    return text[: len(text) * 2 // 3]


COMMANDS: dict[str, tuple[str, ...]] = {
    "receipt": ("receipt", "--receipt", "{receipt}", "--leaf", "{leaf}"),
    "export": ("export", "--export", "{export}", "--earlier", "{eight}"),
    "consistency": ("consistency", "--earlier", "{eight}", "--later", "{twelve}", "--proof", "{proof}"),
    "promise": ("promise", "--promise", "{promise}", "--leaf", "{leaf}", "--at", "2026-09-01T09:00:30Z"),
}


def said(kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, *keys: str, **files: str) -> tuple[int, str]:
    """Run a command on the files that are kept, or others in the place of some, and return the exit code and what was said."""
    names = {name: str(kept / name) for name in ("receipt", "leaf", "export", "eight", "twelve", "proof", "promise")}
    for name, content in files.items():
        (tmp_path / name).write_text(content, newline="")
        names[name] = str(tmp_path / name)
    arguments = [part.format_map(names) for part in COMMANDS[command]]
    code = main([*arguments, *(part for key in keys for part in ("--key", key))])
    return code, capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_kept_is_in_order(kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert said(kept, tmp_path, capsys, command, GATEWAY.verifier.vkey if command == "promise" else KEY)[0] == 0


@pytest.mark.parametrize(
    ("command", "which"),
    [
        ("receipt", "the checkpoint in the receipt of entry 3"),
        ("export", "earlier checkpoint"),
        ("consistency", "earlier checkpoint"),
        ("promise", "the promise"),
    ],
)
def test_a_wrong_key_is_told_and_where_to_get_the_right_one(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, which: str
) -> None:
    code, told = said(kept, tmp_path, capsys, command, OTHER_KEY)
    assert code == 1
    assert f"{which}: no known key has signed the note. Is the key that of this log, and of that time?" in told


@pytest.mark.parametrize(
    ("command", "file", "harm", "told"),
    [
        ("receipt", "receipt", cut, "the checkpoint in the receipt of entry 3: "),
        ("receipt", "receipt", flip, "ntry 3"),
        ("receipt", "leaf", flip, "the receipt of entry 3 of 8 does not prove this entry: the proof leads to another root"),
        ("receipt", "leaf", cut, "ask for both again, and compare"),
        ("export", "export", cut, "of 12 was changed or damaged"),
        ("export", "export", flip, "Ask for the export again, and compare that entry"),
        ("export", "eight", cut, "the earlier checkpoint: "),
        ("export", "eight", flip, "the earlier checkpoint: "),
        ("consistency", "twelve", flip, "the later checkpoint: "),
        ("consistency", "twelve", cut, "the later checkpoint: "),
        ("consistency", "proof", cut, "Ask for the proof from 8 to 12"),
        ("consistency", "proof", flip, "if that fails too, history was changed: keep both checkpoints"),
        ("promise", "promise", cut, "the promise: "),
        ("promise", "promise", flip, "the promise: "),
        ("promise", "leaf", flip, "the promise is about another entry. Look for the entry that came with it"),
    ],
)
def test_a_file_that_was_cut_off_or_altered_is_named_with_what_to_do(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, file: str, harm: Callable[[str], str], told: str
) -> None:
    harmed = harm((kept / file).read_text("utf-8"))
    code, out = said(kept, tmp_path, capsys, command, GATEWAY.verifier.vkey if command == "promise" else KEY, **{file: harmed})
    assert (code, told in out) == (1, True), out
    assert any(word in out for word in ("sk for", "ook for", "ompare")), out


def test_another_log_is_named(kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = (kept / "elsewhere").read_text("utf-8")
    for command, name in (("consistency", "twelve"), ("export", "eight")):
        code, out = said(kept, tmp_path, capsys, command, KEY, ELSEWHERE.verifier.vkey, **{name: other})
        assert (code, ELSEWHERE.name in out, ORIGIN in out) == (1, True, True), out
    misnamed = sign_note(Checkpoint(ORIGIN, 12, bytes(32)).to_text(), ELSEWHERE)
    _, out = said(kept, tmp_path, capsys, "consistency", KEY, ELSEWHERE.verifier.vkey, twelve=misnamed)
    assert "the later checkpoint: the checkpoint is of another log. Take the key of the log that the file names" in out


def test_who_knows_more_than_the_export_shows_is_told_so(kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"export": (kept / "export-8").read_text("utf-8"), "eight": (kept / "twelve").read_text("utf-8")}
    code, out = said(kept, tmp_path, capsys, "export", KEY, **files)
    assert code == 1
    assert "your checkpoint covers 12 entries, and this export only 8: it is older than what you know. Ask for a newer one" in out
    files = {"eight": (kept / "twelve").read_text("utf-8"), "twelve": (kept / "eight").read_text("utf-8")}
    assert "wrong way round" in said(kept, tmp_path, capsys, "consistency", KEY, **files)[1]


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "nowhere")
    assert main(["receipt", "--key", KEY, "--receipt", missing, "--leaf", missing]) == 2
    assert missing in capsys.readouterr().out


WITNESS_KEY = WitnessSigner.from_seed("icb.example/witness", b"w" * 32).verifier.vkey


@given(st.sampled_from([KEY, WITNESS_KEY]), st.integers(0, 90), st.text(max_size=2))
def test_any_text_near_a_key_is_a_key_or_refused(key: str, at: int, text: str) -> None:
    for near in (key[:at] + text + key[at + 1 :], key[:at], key + text, text):
        for kind in (Verifier, WitnessVerifier):
            with suppress(NoteRefused):
                assert kind.from_vkey(near).vkey == near.strip()


LINES = st.sampled_from([f"{ORIGIN}/promise", "/promise", encode64(bytes(32)), "2026-09-01T09:00:00Z", "60", "0", "9" * 18, ""]) | st.text(
    alphabet=st.characters(exclude_categories=["Cc", "Cs"]), max_size=9
)


@given(st.lists(LINES, min_size=1, max_size=5))
def test_any_text_that_the_gateway_signs_is_a_promise_or_refused(lines: list[str]) -> None:
    with suppress(ReceiptRefused):
        verify_promise(sign_note("".join(f"{line}\n" for line in lines), GATEWAY), bytes(32), GATEWAY.verifier)


@given(st.binary(max_size=200) | st.text(alphabet="log.exm/017=+-\u2014 \n").map(str.encode))
def test_any_bytes_are_a_guard_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any-guard"
    path.write_bytes(content)
    with suppress(GuardRefused):
        Guard(path).last_signed()


@given(st.binary(max_size=200) | st.text(alphabet="AB=+/ \n").map(str.encode))
def test_any_bytes_are_a_proof_of_consistency_or_refused(kept: Path, tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any-proof"
    path.write_bytes(content)
    arguments = ["--key", KEY, "--earlier", str(kept / "eight"), "--later", str(kept / "twelve"), "--proof", str(path)]
    assert main(["consistency", *arguments, "--out", str(path) + ".report"]) in (1, 2)
