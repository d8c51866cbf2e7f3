# SPDX-License-Identifier: MIT
"""Cosignatures of witnesses: the specification's own texts, what is refused, and what is attached."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from audit.cosignature import WitnessSigner, WitnessVerifier, attach, cosignatures, open_cosigned
from audit.note import Checkpoint, NoteRefused, Signer, Verifier, sign_note, split_note

# The example of c2sp.org/tlog-cosignature, whose keys nobody has published, and the text that it says is signed.
BODY = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
MESSAGE = f"cosignature/v1\ntime 1679315147\n{BODY}"
EXAMPLE = (
    f"{BODY}\n"
    "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "\u2014 witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
PUBLISHED = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

LOG = Signer.from_seed("log.example/one", b"1" * 32)
ICB = WitnessSigner.from_seed("icb.example/witness", b"2" * 32)
LA = WitnessSigner.from_seed("council.example/witness", b"3" * 32)
NOTE = sign_note(Checkpoint("log.example/one", 7, b"r" * 32).to_text(), LOG)
TEXT, _ = split_note(NOTE)
SECONDS = 1_790_000_000


def test_a_cosignature_is_over_the_message_that_the_specification_shows() -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"2" * 32)
    public = private.public_key().public_bytes_raw()
    identity = sha256(b"icb.example/witness\n\x04" + public).digest()[:4]
    signature = identity + (1679315147).to_bytes(8, "big") + private.sign(MESSAGE.encode())
    line = f"\u2014 icb.example/witness {b64encode(signature).decode()}\n"
    assert ICB.line(BODY, 1679315147) == line
    (found,) = cosignatures(f"{BODY}\n{line}", [ICB.verifier])
    assert (found.witness, found.at, found.line) == (ICB.verifier, datetime.fromtimestamp(1679315147, UTC), line)


def test_the_example_of_the_specification_has_the_form_that_ours_has() -> None:
    text, ((_, _, by_log), (name, identity, by_witness)) = split_note(EXAMPLE)
    assert text == BODY
    assert len(by_log) == 64
    assert (name, identity.hex()) == ("witness.example.com/w1", "8d66cf3f")
    assert int.from_bytes(by_witness[:8], "big") == 1679315147
    assert len(by_witness) == 72
    assert cosignatures(EXAMPLE, [ICB.verifier]) == ()


def test_a_witness_key_keeps_its_text_form_and_is_not_a_log_key() -> None:
    assert WitnessVerifier.from_vkey(PUBLISHED).vkey == PUBLISHED
    assert b64decode(ICB.verifier.vkey.split("+", 2)[2])[:1] == b"\x04"
    with pytest.raises(NoteRefused, match="type 0x01"):
        Verifier.from_vkey(PUBLISHED)
    with pytest.raises(NoteRefused, match="type 0x04"):
        WitnessVerifier.from_vkey(LOG.verifier.vkey)


def test_a_checkpoint_tells_who_of_the_known_witnesses_has_cosigned_it() -> None:
    cosigned = attach(NOTE, [ICB.line(TEXT, SECONDS), LA.line(TEXT, SECONDS + 5)])
    opened = open_cosigned(cosigned, [LOG.verifier], [LA.verifier])
    assert opened.checkpoint.size == 7
    assert [(each.witness.name, each.at.timestamp()) for each in opened.cosignatures] == [(LA.name, SECONDS + 5)]


def test_of_two_cosignatures_of_one_witness_the_later_counts() -> None:
    cosigned = attach(NOTE, [ICB.line(TEXT, SECONDS + 9), ICB.line(TEXT, SECONDS)])
    (found,) = cosignatures(cosigned, [ICB.verifier])
    assert found.at.timestamp() == SECONDS + 9


def test_a_cosignature_does_not_stand_for_the_logs_own_signature() -> None:
    impostor = WitnessSigner.from_seed(LOG.name, b"1" * 32)
    with pytest.raises(NoteRefused, match="no known key"):
        open_cosigned(f"{TEXT}\n{impostor.line(TEXT, SECONDS)}", [LOG.verifier], [impostor.verifier])


@pytest.mark.parametrize("seconds", [0, -1, 253_402_300_800, 2**63])
def test_a_witness_signs_no_impossible_instant(seconds: int) -> None:
    with pytest.raises(ValueError, match="instant"):
        ICB.line(TEXT, seconds)


def _line(signature: bytes) -> str:
    return f"\u2014 {ICB.name} {b64encode(ICB.verifier.key_id + signature).decode()}\n"


@pytest.mark.parametrize(
    "signature",
    [
        b"\x00" * 8 + ICB.private.sign(f"cosignature/v1\ntime 0\n{TEXT}".encode()),
        (2**63).to_bytes(8, "big") + ICB.private.sign(f"cosignature/v1\ntime {2**63}\n{TEXT}".encode()),
        SECONDS.to_bytes(8, "big") + ICB.private.sign(f"cosignature/v1\ntime {SECONDS + 1}\n{TEXT}".encode()),
        SECONDS.to_bytes(8, "big") + ICB.private.sign(TEXT.encode()),
        SECONDS.to_bytes(8, "big") + ICB.private.sign(f"cosignature/v1\ntime {SECONDS}\n{TEXT}extension\n".encode()),
        ICB.private.sign(TEXT.encode()),
        b"x",
    ],
    ids=["no instant", "too late", "another instant", "a plain signature", "another text", "without instant", "cut off"],
)
def test_one_false_cosignature_of_a_known_witness_spoils_the_note(signature: bytes) -> None:
    with pytest.raises(NoteRefused, match="known witness"):
        cosignatures(attach(NOTE, [_line(signature)]), [ICB.verifier])


def test_extension_lines_are_cosigned_too() -> None:
    text = TEXT + "an extension\n"
    cosigned = attach(sign_note(text, LOG), [ICB.line(text, SECONDS)])
    assert len(cosignatures(cosigned, [ICB.verifier])) == 1
    with pytest.raises(NoteRefused):
        cosignatures(cosigned.replace("an ext", "no ext"), [ICB.verifier])


def test_what_is_attached_twice_stands_there_once() -> None:
    line = ICB.line(TEXT, SECONDS)
    assert attach(attach(NOTE, [line, line]), [line]) == NOTE + line


def test_what_is_no_signature_line_is_not_attached() -> None:
    with pytest.raises(NoteRefused):
        attach(NOTE, ["an answer of another kind\n"])


@given(st.text())
@example(f"{EXAMPLE}\u2014 x AAAAAAA=\n")
def test_any_text_is_read_or_refused(text: str) -> None:
    for note in (text, NOTE + text, f"{NOTE}\u2014 {ICB.name} {text}\n"):
        with suppress(NoteRefused):
            cosignatures(note, [ICB.verifier, LA.verifier])


@given(st.binary(max_size=100))
def test_any_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(NoteRefused):
        cosignatures(attach(NOTE, [_line(signature + b"!")]), [ICB.verifier])
