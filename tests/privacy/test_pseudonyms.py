# SPDX-License-Identifier: MIT
"""Pseudonyms: keyed, versioned, of one domain each, and unlinkable without the root."""

from __future__ import annotations

import hashlib
import hmac
import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_gateway.domain.identity import NhsNumber, has_valid_check_digit
from notify_gateway.domain.refs import ALPHABET
from notify_gateway.privacy.pseudonyms import AUDIT, DEDUPE, PseudonymKeys, authority_domain, is_pseudonym
from tests.privacy.builders import MIDDLESBROUGH, NHS_NUMBER, OTHER_NHS_NUMBER, STOCKTON, some_pseudonyms

DOMAINS = (authority_domain(STOCKTON), authority_domain(MIDDLESBROUGH), AUDIT, DEDUPE)


def bits(pseudonym: str) -> int:
    value = 0
    for character in pseudonym.partition(".")[2][:32]:
        value = value * 32 + ALPHABET.index(character)
    return value


def distance(one: str, other: str) -> int:
    return (bits(one) ^ bits(other)).bit_count()


def look_unrelated(values: list[str]) -> bool:
    """160 random bits differ in 80 on average, standard deviation 6.3; outside 45 to 115 is less likely than one in ten million."""
    return all(45 <= distance(one, other) <= 115 for one, other in combinations(values, 2))


def hkdf(root: bytes, info: bytes) -> bytes:
    """RFC 5869, one block, empty salt, written out."""
    extracted = hmac.digest(bytes(32), root, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_the_format_is_version_thirty_two_characters_and_a_check_character() -> None:
    assert re.fullmatch(r"p1\.[0-9A-HJKMNP-TV-Z]{33}", some_pseudonyms().pseudonym(AUDIT, NHS_NUMBER))


def test_the_value_is_the_documented_construction() -> None:
    root = bytes([1, *range(1, 32)])
    key = hkdf(root, f"notify-gateway/pseudonym/authority:{STOCKTON}/v1".encode())
    expected = int.from_bytes(hmac.new(key, b"nhs\x009990548609", hashlib.sha256).digest()[:20], "big")
    assert bits(some_pseudonyms().pseudonym(authority_domain(STOCKTON), NHS_NUMBER)) == expected


def test_the_same_child_keeps_its_pseudonym_in_a_domain() -> None:
    assert some_pseudonyms().pseudonym(AUDIT, NHS_NUMBER) == some_pseudonyms().pseudonym(AUDIT, NhsNumber("9990548609"))


def test_the_same_child_in_two_domains_looks_unrelated() -> None:
    assert look_unrelated([some_pseudonyms().pseudonym(domain, NHS_NUMBER) for domain in DOMAINS])


def test_a_changed_nhs_number_gives_an_unrelated_pseudonym_in_every_domain() -> None:
    keys = some_pseudonyms()
    for domain in DOMAINS:
        assert look_unrelated([keys.pseudonym(domain, NHS_NUMBER), keys.pseudonym(domain, OTHER_NHS_NUMBER)])


def test_another_root_gives_an_unrelated_pseudonym() -> None:
    other = PseudonymKeys({1: bytes(range(32))})
    assert look_unrelated([some_pseudonyms().pseudonym(AUDIT, NHS_NUMBER), other.pseudonym(AUDIT, NHS_NUMBER)])


def test_two_live_versions_give_two_values_newest_first() -> None:
    keys = some_pseudonyms(1, 2)
    live = keys.all_live(AUDIT, NHS_NUMBER)
    assert [version for version, _ in live] == [2, 1]
    assert [value.partition(".")[0] for _, value in live] == ["p2", "p1"]
    assert look_unrelated([value for _, value in live])


def test_the_newest_version_is_current_and_the_older_value_is_still_found() -> None:
    keys = some_pseudonyms(1, 2)
    assert keys.current == 2
    assert keys.pseudonym(AUDIT, NHS_NUMBER) == keys.pseudonym(AUDIT, NHS_NUMBER, 2)
    assert keys.pseudonym(AUDIT, NHS_NUMBER, 1) == some_pseudonyms(1).pseudonym(AUDIT, NHS_NUMBER)


def test_one_root_in_two_versions_still_gives_unrelated_pseudonyms() -> None:
    root = bytes(range(32))
    assert look_unrelated([value for _, value in PseudonymKeys({1: root, 2: root}).all_live(AUDIT, NHS_NUMBER)])


def test_a_burnt_version_is_not_derived() -> None:
    with pytest.raises(KeyError):
        some_pseudonyms(2).pseudonym(AUDIT, NHS_NUMBER, 1)


@pytest.mark.parametrize(
    "roots", [{}, {1: b""}, {1: b"short"}, {1: bytes(32)}, {1: b"\xff" * 32}, {0: bytes(range(32))}, {1: bytes(range(33))}]
)
def test_nothing_starts_unkeyed_or_weakly_keyed(roots: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="root"):
        PseudonymKeys(roots)


@pytest.mark.parametrize("domain", ["", "audit/v2", "audit\n", "Audit", "authority:", "authority:E06000004/v1", "audit "])
def test_a_domain_cannot_imitate_another_or_a_version(domain: str) -> None:
    with pytest.raises(ValueError, match="domain"):
        some_pseudonyms().pseudonym(domain, NHS_NUMBER)


def test_a_digest_purpose_and_a_domain_of_the_same_name_have_different_keys() -> None:
    keys = some_pseudonyms()
    assert keys._key("pseudonym", "dedupe", 1) != keys._key("digest", "dedupe", 1)


def test_keyed_digests_differ_by_purpose_version_and_data() -> None:
    keys = some_pseudonyms(1, 2)
    digests = {
        keys.keyed_digest("message", b"a"),
        keys.keyed_digest("message", b"b"),
        keys.keyed_digest("address", b"a"),
        keys.keyed_digest("message", b"a", 1),
    }
    assert len(digests) == 4
    assert {len(digest) for digest in digests} == {32}


def test_unlinked_pseudonyms_are_never_alike_and_bear_no_version() -> None:
    values = {some_pseudonyms().unlinked() for _ in range(100)}
    assert len(values) == 100
    assert all(value.startswith("u.") and is_pseudonym(value) for value in values)


@given(st.integers(0, 10**9 - 1))
def test_every_nhs_number_gives_a_pseudonym_with_its_check_character(stem: int) -> None:
    for digit in range(10):
        number = f"{stem:09}{digit}"
        if has_valid_check_digit(number):
            assert is_pseudonym(some_pseudonyms().pseudonym(AUDIT, NhsNumber(number)))


@given(st.integers(2, 34), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(position: int, character: str) -> None:
    value = some_pseudonyms().pseudonym(AUDIT, NHS_NUMBER)
    position += value[position] == "."
    wrong = value[:position] + character + value[position + 1 :]
    assert is_pseudonym(wrong) == (wrong == value)


def test_a_wrong_version_is_noticed() -> None:
    assert not is_pseudonym("p2" + some_pseudonyms().pseudonym(AUDIT, NHS_NUMBER)[2:])


def test_neither_keys_nor_errors_print_a_root_or_a_number() -> None:
    assert repr(some_pseudonyms(1, 2)) == "<PseudonymKeys versions 2, 1>"
