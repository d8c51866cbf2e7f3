# SPDX-License-Identifier: MIT
"""Trust policies: the specification's own example, each of its rules by line, and how checkpoints are judged."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.cosignature import WitnessSigner, attach
from audit.note import Checkpoint, NoteRefused, Signer, sign_note, split_note
from audit.policy import Policy, PolicyRefused, parse_policy

LOG = Signer.from_seed("log.example/one", b"1" * 32)
OTHER_LOG = Signer.from_seed("log.example/two", b"9" * 32)
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
WITNESSES = {name: WitnessSigner.from_seed(f"{name}.example/witness", bytes([i]) * 32) for i, name in enumerate(NAMES, 10)}
NOTE = sign_note(Checkpoint(LOG.name, 7, b"r" * 32).to_text(), LOG)
TEXT, _ = split_note(NOTE)
SECONDS = 1_790_000_000

L = f"log {LOG.verifier.vkey}\n"
W = {name: f"witness {name} {signer.verifier.vkey}\n" for name, signer in WITNESSES.items()}
EXAMPLE = (
    f"{L}\n"
    + "".join(W[name] for name in NAMES[:3])
    + "group X-witnesses 2 X1 X2 X3\n\n"
    + "".join(W[name] for name in NAMES[3:])
    + "group Y-witnesses any Y1 Y2 Y3\n\n"
    + "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
)


def policy(text: str) -> Policy:
    return parse_policy(text.encode())


def cosigned(*names: str) -> str:
    return attach(NOTE, [WITNESSES[name].line(TEXT, SECONDS + i) for i, name in enumerate(names)])


@pytest.mark.parametrize(
    ("names", "enough"),
    [
        ((), False),
        (("X1", "X2"), False),
        (("X1", "Y1"), False),
        (("Y1", "Y2", "Y3"), False),
        (("X1", "X3", "Y2"), True),
        (NAMES, True),
    ],
)
def test_the_example_of_the_specification_asks_for_two_x_and_one_y(names: tuple[str, ...], enough: bool) -> None:
    verdict = policy(EXAMPLE).judge(cosigned(*names))
    assert verdict.checkpoint.size == 7
    assert verdict.tally.enough is enough
    assert [name for name, _ in verdict.tally.cosigned] == sorted(names)
    assert set(verdict.tally.missing) == set(NAMES) - set(names)


def test_a_verdict_says_in_words_who_cosigned_when_and_whether_it_is_enough() -> None:
    few, many = policy(EXAMPLE).judge(cosigned("X1")).tally, policy(EXAMPLE).judge(cosigned("X1", "X2", "Y1")).tally
    assert few.sentence() == (
        "Cosigned by X1 at 2026-09-21 14:13:20 UTC, which is NOT enough for the policy. Not cosigned by X2, X3, Y1, Y2, Y3."
    )
    assert "which is what the policy asks for" in many.sentence()
    assert policy(EXAMPLE).judge(NOTE).tally.sentence().startswith("Cosigned by no witness, which is NOT enough")


def test_one_witness_alone_can_be_the_quorum_and_none_asks_for_nobody() -> None:
    assert policy(L + W["X1"] + "quorum X1\n").judge(cosigned("X1")).tally.enough
    assert not policy(L + W["X1"] + "quorum X1\n").judge(NOTE).tally.enough
    assert policy(L + "quorum none\n").judge(NOTE).tally.enough


def test_cosignatures_of_witnesses_that_the_policy_does_not_list_do_not_count() -> None:
    assert not policy(L + W["X1"] + "quorum X1\n").judge(cosigned("X2", "X3")).tally.enough


def test_a_checkpoint_that_no_listed_log_has_signed_is_refused() -> None:
    of_another = policy(f"log {OTHER_LOG.verifier.vkey}\n{W['X1']}quorum X1\n")
    with pytest.raises(NoteRefused):
        of_another.judge(cosigned("X1"))
    with pytest.raises(NoteRefused):
        of_another.judge(cosigned("X1"), [LOG.verifier])


def test_a_policy_without_logs_goes_by_the_keys_that_are_known_otherwise() -> None:
    only_witnesses = policy(W["X1"] + "quorum X1\n")
    assert only_witnesses.judge(cosigned("X1"), [LOG.verifier]).tally.enough
    with pytest.raises(NoteRefused):
        only_witnesses.judge(cosigned("X1"))


def test_blanks_tabs_comments_and_urls_are_read() -> None:
    found = policy(
        f"\n \t\n  # a comment, naïve\n\tlog\t {LOG.verifier.vkey} \t https://log.example/\n{W['X1'][:-1]} https://w.example\nquorum\tX1 \n"
    )
    assert [log.url for log in found.logs] == ["https://log.example/"]
    assert [(witness.name, witness.url) for witness in found.witnesses] == [("X1", "https://w.example")]


def test_names_are_octets_and_not_characters() -> None:
    kelvin = "\N{KELVIN SIGN}"
    found = policy(f"witness K {WITNESSES['X1'].verifier.vkey}\nwitness {kelvin} {WITNESSES['X2'].verifier.vkey}\nquorum {kelvin}\n")
    assert found.enough({kelvin})
    assert not found.enough({"K"})
    raw = b"witness \xff\xfe " + W["X1"].split(" ", 2)[2].encode() + b"quorum \xff\xfe\n"
    assert parse_policy(raw).quorum.encode("utf-8", "surrogateescape") == b"\xff\xfe"


def test_a_group_may_be_met_with_more_than_it_asks_for_and_every_level_counts() -> None:
    nested = policy(W["X1"] + "group a all X1\ngroup b any a\ngroup c 1 b\nquorum c\n")
    assert nested.enough({"X1"})
    assert not nested.enough(set())


@pytest.mark.parametrize(
    ("line", "text", "why"),
    [
        (1, f"witness X1 {LOG.verifier.vkey}\nquorum none\n", "type 0x04"),
        (1, f"log {WITNESSES['X1'].verifier.vkey}\nquorum none\n", "type 0x01"),
        (1, "log nonsense\nquorum none\n", "three parts"),
        (1, f"log {LOG.verifier.vkey}x\nquorum none\n", "Base64"),
        (1, f"log {LOG.verifier.vkey} https://a https://b\nquorum none\n", "log VKEY"),
        (1, "log\nquorum none\n", "log VKEY"),
        (2, f"{L}{L}quorum none\n", "already"),
        (2, L + f"log {Signer.from_seed('renamed.example', b'1' * 32).verifier.vkey}\nquorum none\n", "already"),
        (1, "witness X1\nquorum none\n", "witness NAME"),
        (2, W["X1"] + W["X1"].replace("X1 ", "X2 ", 1) + "quorum none\n", "already"),
        (2, W["X1"] + W["X2"].replace("X2 ", "X1 ", 1) + "quorum none\n", "taken"),
        (1, W["X1"].replace("X1 ", "none ", 1) + "quorum none\n", "taken"),
        (2, W["X1"] + "group X1 any X1\nquorum none\n", "taken"),
        (2, W["X1"] + "group none any X1\nquorum none\n", "taken"),
        (2, W["X1"] + "group g any\nquorum none\n", "group NAME"),
        (1, "group g any X1\n" + W["X1"] + "quorum none\n", "line before"),
        (2, W["X1"] + "group g any g\nquorum none\n", "line before"),
        (2, W["X1"] + "group g any none\nquorum none\n", "line before"),
        (2, W["X1"] + "group g 2 X1 X1\nquorum none\n", "once"),
        (3, W["X1"] + "group g any X1\ngroup h any X1\nquorum none\n", "once"),
        (2, W["X1"] + "group g 0 X1\nquorum none\n", "at least one"),
        (2, W["X1"] + "group g 2 X1\nquorum none\n", "at most all"),
        (2, W["X1"] + "group g 01 X1\nquorum none\n", "decimal"),
        (2, W["X1"] + "group g most X1\nquorum none\n", "decimal"),
        (1, "quorum X1\n" + W["X1"], "line before"),
        (2, "quorum none\nquorum none\n", "second"),
        (1, "quorum none none\n", "quorum NAME"),
        (1, "quorum\n", "quorum NAME"),
        (1, "Quorum none\n", "begins with"),
        (2, "quorum none\nwitnesses X1\n", "begins with"),
        (1, "quorum none\r\n", "control character"),
        (1, "# \x7f\nquorum none\n", "control character"),
        (1, "quorum none", "cut off"),
        (2, W["X1"] + "quorum X1", "cut off"),
        (1, "witness X1 \N{NO-BREAK SPACE}+00000000+AAAA\nquorum none\n", "0x04"),
    ],
)
def test_what_the_specification_forbids_is_refused_by_its_line(line: int, text: str, why: str) -> None:
    with pytest.raises(PolicyRefused, match=rf"^line {line}: .*{why}"):
        policy(text)


@pytest.mark.parametrize(("text", "why"), [("", "no quorum line"), (L, "no quorum line"), ("#" * 300_000, "too long")])
def test_what_is_no_policy_as_a_whole_is_refused(text: str, why: str) -> None:
    with pytest.raises(PolicyRefused, match=why):
        policy(text)


def test_thirty_two_of_each_are_read() -> None:
    logs = "".join(f"log {Signer.from_seed('log.example', bytes([i]) * 32).verifier.vkey}\n" for i in range(32))
    witnesses = "".join(f"witness w{i} {WitnessSigner.from_seed('w.example', bytes([i]) * 32).verifier.vkey}\n" for i in range(32))
    groups = "".join(f"group g{i} any w{i}\n" for i in range(32))
    found = policy(logs + witnesses + groups + "quorum g31\n")
    assert (len(found.logs), len(found.witnesses), len(found.groups)) == (32, 32, 32)


@given(st.binary())
def test_any_bytes_are_a_policy_or_refused(content: bytes) -> None:
    for each in (content, EXAMPLE.encode() + content, content + b"\n" + EXAMPLE.encode()):
        with suppress(PolicyRefused):
            parse_policy(each)


WORDS = st.sampled_from(
    ["log", "witness", "group", "quorum", "any", "all", "1", "2", "none", "X1", "X2", "#", W["X1"][11:-1], L[4:-1], "\xff"]
)


@given(st.lists(st.lists(WORDS, max_size=6).map(" ".join), max_size=8))
def test_any_lines_of_its_words_are_a_policy_or_refused_by_their_line(lines: list[str]) -> None:
    with suppress(PolicyRefused):
        policy("".join(f"{line}\n" for line in lines)).enough({"X1"})
