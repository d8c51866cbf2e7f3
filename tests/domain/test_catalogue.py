# SPDX-License-Identifier: MIT
"""The catalogue of errors: complete, stable in form, in fixed words, with statuses and codes of the standards."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest

from notify_gateway.domain.catalogue import Code, Entry, all_entries, entry

FHIR_ISSUE_CODES = {
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden", "suppressed",
    "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long", "code-invalid", "extension",
    "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled",
    "informational",
}  # fmt: skip
entries = pytest.mark.parametrize("known", all_entries(), ids=lambda known: known.code)


def test_every_code_has_one_entry_and_every_entry_a_code() -> None:
    assert sorted(known.code for known in all_entries()) == sorted(Code)


def test_an_unknown_code_has_no_entry() -> None:
    with pytest.raises(KeyError):
        entry("NG-0000")


def test_titles_are_told_apart() -> None:
    assert len({known.title for known in all_entries()}) == len(all_entries())


@entries
def test_a_code_has_the_form_that_was_published(known: Entry) -> None:
    assert re.fullmatch(r"NG-[1-9]\d{3}", known.code)
    assert entry(known.code) is known


@entries
def test_an_entry_speaks_in_whole_sentences(known: Entry) -> None:
    assert known.title[0].isupper()
    assert not known.title.endswith(".")
    assert known.why.endswith(".")
    assert known.fix.endswith(".")
    assert not {"{", "}", "%"} & set(known.title + known.why + known.fix)


@entries
def test_an_entry_uses_the_words_of_the_standards(known: Entry) -> None:
    assert known.issue in FHIR_ISSUE_CODES
    assert re.fullmatch(r"(REC|SEND)_[A-Z_]+", known.rec)
    assert HTTPStatus(known.status) >= 400


@entries
def test_only_what_passes_by_itself_is_worth_repeating(known: Entry) -> None:
    if known.retry:
        assert known.status in {408, 422, 425, 429, 500, 503}
    else:
        assert known.status not in {408, 425, 429, 503}
