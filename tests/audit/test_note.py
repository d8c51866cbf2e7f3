# SPDX-License-Identifier: MIT
"""Signed notes and checkpoints, against the specification's own example and against any text at all."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.note import Checkpoint, NoteRefused, Signer, Verifier, open_checkpoint, open_note, sign_note, split_note

EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
ONE = Signer.from_seed("log.example/one", b"1" * 32)
TWO = Signer.from_seed("witness.example/two", b"2" * 32)
CHECKPOINT = Checkpoint("log.example/one", 7, b"r" * 32)


def test_the_example_of_the_specification_verifies() -> None:
    assert open_note(EXAMPLE_NOTE, Verifier.from_vkey(EXAMPLE_KEY)).text == "This is an example message.\n"


def test_a_verifier_key_keeps_its_text_form() -> None:
    assert Verifier.from_vkey(EXAMPLE_KEY).vkey == EXAMPLE_KEY


def test_a_note_tells_which_of_the_known_keys_have_signed() -> None:
    note = sign_note("text\n\nwith an empty line\n", ONE, TWO)
    assert open_note(note, TWO.verifier, ONE.verifier).signed_by == (ONE.verifier, TWO.verifier)
    assert open_note(note, TWO.verifier).signed_by == (TWO.verifier,)


def test_the_same_text_gives_the_same_note() -> None:
    assert sign_note("text\n", ONE) == sign_note("text\n", ONE)


def test_a_note_without_a_known_signature_is_refused() -> None:
    with pytest.raises(NoteRefused, match="no known key"):
        open_note(sign_note("text\n", ONE), TWO.verifier)


def test_another_key_under_a_known_name_is_unknown() -> None:
    impostor = Signer.from_seed("log.example/one", b"3" * 32)
    with pytest.raises(NoteRefused, match="no known key"):
        open_note(sign_note("text\n", impostor), ONE.verifier)


def test_one_false_signature_of_a_known_key_spoils_the_note() -> None:
    note = sign_note("text\n", TWO) + ONE.line("another text\n")
    with pytest.raises(NoteRefused, match="not valid"):
        open_note(note, ONE.verifier, TWO.verifier)


def test_a_note_may_bear_sixteen_signatures_and_more() -> None:
    signers = [Signer.from_seed(f"key{i}.example", bytes([i]) * 32) for i in range(20)]
    assert len(open_note(sign_note("text\n", *signers), *(s.verifier for s in signers)).signed_by) == 20


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        EXAMPLE_NOTE[:-1],
        EXAMPLE_NOTE.replace("\u2014", "-"),
        EXAMPLE_NOTE.replace("=\n", "\n"),
        EXAMPLE_NOTE.replace("aQM=", "aQN="),
        EXAMPLE_NOTE.replace("\n\n", "\n"),
        EXAMPLE_NOTE.replace("is an", "is\tan"),
        EXAMPLE_NOTE.replace("is an", "was an"),
        EXAMPLE_NOTE.replace("is an", "is\r\nan"),
        EXAMPLE_NOTE.replace("example.com/foo Uw2Q", "example.com/foo  Uw2Q"),
        EXAMPLE_NOTE + "trailing\n",
        EXAMPLE_NOTE.replace("is an", "is \ud800 an"),
        EXAMPLE_NOTE + "\u2014 other.example AAAA\n",
        "x" * 300_000 + "\n\n\u2014 a AAAAAAAA\n",
        "text\n\n" + "\u2014 a AAAAAAAA\n" * 65,
    ],
)
def test_a_damaged_note_is_refused(note: str) -> None:
    with pytest.raises(NoteRefused):
        open_note(note, Verifier.from_vkey(EXAMPLE_KEY))


@pytest.mark.parametrize("text", ["", "no end of line", "a control\x00character\n", "carriage\r\n"])
def test_a_text_that_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="whole lines"):
        sign_note(text, ONE)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        EXAMPLE_KEY.replace("530d903a", "530d903b"),
        EXAMPLE_KEY.replace("530d903a", "530D903A"),
        EXAMPLE_KEY.replace("+AekyeRrm", "+BekyeRrm"),
        EXAMPLE_KEY[:-4],
        EXAMPLE_KEY.replace("example.com/foo", "example.com/bar"),
        EXAMPLE_KEY.replace("example.com/foo", "example com"),
        "a+00000000+",
    ],
)
def test_a_damaged_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteRefused):
        Verifier.from_vkey(vkey)


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "non\u2003breaking", "line\n", "bell\x07"])
def test_a_name_that_no_signature_line_can_hold_is_refused(name: str) -> None:
    with pytest.raises(NoteRefused):
        Signer.from_seed(name, b"1" * 32)


def test_a_signer_does_not_show_its_key() -> None:
    assert "private" not in repr(ONE)


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    assert CHECKPOINT.to_text() == "log.example/one\n7\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n"
    assert open_checkpoint(sign_note(CHECKPOINT.to_text(), ONE), ONE.verifier) == CHECKPOINT


def test_extension_lines_are_passed_over() -> None:
    assert Checkpoint.from_text(CHECKPOINT.to_text() + "extension\n") == CHECKPOINT


def test_a_checkpoint_that_only_a_stranger_to_the_log_signed_is_refused() -> None:
    with pytest.raises(NoteRefused, match="another log"):
        open_checkpoint(sign_note(CHECKPOINT.to_text(), TWO), TWO.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n7\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "o\n07\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "o\n+7\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "o\n\u0667\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "o\n7\ncnJy\n",
        "o\n7\n\n",
        "o\n7\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=",
        "o\n7\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n\nx\n",
        "o\n7\n",
        "o\n9999999999999999999\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
    ],
)
def test_a_damaged_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        Checkpoint.from_text(text)


near_texts = st.one_of(
    st.text(),
    st.text(alphabet="log.exm/017=+-\u2014 \n\r\tAcnJyI"),
    st.lists(st.sampled_from(["o", "7", "", "cnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=", "\u2014 a AAAAAAAA", "0"])).map("\n".join),
)


@given(near_texts)
@example(CHECKPOINT.to_text())
def test_any_text_is_a_checkpoint_or_refused(text: str) -> None:
    with suppress(NoteRefused):
        checkpoint = Checkpoint.from_text(text)
        assert text.startswith(checkpoint.to_text())


@given(near_texts)
def test_any_text_is_a_note_or_refused(text: str) -> None:
    with suppress(NoteRefused):
        split_note(text)
    with suppress(NoteRefused):
        Verifier.from_vkey(text)
    with pytest.raises(NoteRefused):
        open_note(text, ONE.verifier)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"])).map(lambda text: text + "\n"))
def test_any_text_that_is_signed_is_opened_again(text: str) -> None:
    assert open_note(sign_note(text, ONE), ONE.verifier).text == text


@given(st.integers(0, 5), st.integers(0, 200))
def test_a_note_cut_or_changed_anywhere_is_refused(kind: int, where: int) -> None:
    note = sign_note(CHECKPOINT.to_text(), ONE)
    at = where % len(note)
    changed = note[:at] if kind % 2 else note[:at] + chr(ord(note[at]) ^ 1) + note[at + 1 :]
    with pytest.raises(NoteRefused):
        open_note(changed, ONE.verifier)
