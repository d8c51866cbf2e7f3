# SPDX-License-Identifier: MIT
"""``notify-gateway examples write``: whole, lawful on any day, about nobody, and judged as their README says."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.authorities import Directory
from mappings.postcodes import PostcodeTable, compile_table, demonstration_source
from notify_gateway.cli.examples.children import CHILDREN, Sender, worked_examples
from notify_gateway.cli.examples.draft import Draft, made_up_nhs_number
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import Refused
from notify_gateway.domain.identity import NhsNumber, has_valid_check_digit
from notify_gateway.domain.model import LegalBasis, Submission
from notify_gateway.domain.routing import route
from notify_gateway.domain.section23 import judge
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.parsing import parse
from notify_gateway.fhir.structure import check_structure
from notify_gateway.use_cases.needs import needs_of
from tests.cli.conftest import Call

DIRECTORY = Directory.load()
moments = st.integers(min_value=0, max_value=15 * 366 * 24).map(lambda hours: datetime(2025, 6, 1, tzinfo=UTC) + timedelta(hours=hours))


@pytest.fixture(scope="module")
def postcodes(tmp_path_factory: pytest.TempPathFactory) -> PostcodeTable:
    folder = tmp_path_factory.mktemp("postcodes")
    compile_table(demonstration_source(), folder, edition="demonstration")
    return PostcodeTable.open(folder)


def found_wrong(draft: Draft, now: datetime, postcodes: PostcodeTable) -> set[str]:
    """Return the codes by which the domain refuses a message on a day; none where it accepts it."""
    document, today = parse(draft.bytes()), london_day(now)
    try:
        check_structure(document)
        message = read_message(document)
        if isinstance(message, Submission):
            judge(message, sender_basis=LegalBasis.SECTION_23, received_on=today)
            needs_of(message.opinions)
            area = postcodes.lookup(message.child.postcode.reveal()) if message.child.postcode else None
            route(message, area, DIRECTORY, today)
    except Refused as refused:
        return {issue.code for issue in refused.issues}
    return set()


@settings(max_examples=6, deadline=None)
@given(moments)
def test_whenever_they_are_made_each_is_judged_as_it_says(postcodes: PostcodeTable, now: datetime) -> None:
    for _, file, example in worked_examples(Sender(now)):
        assert found_wrong(example.draft, now, postcodes) == ({example.code} if example.code else set()), file


@pytest.mark.long
@settings(max_examples=1000, deadline=None)
@given(moments)
def test_on_any_day_of_many_years_each_is_judged_as_it_says(postcodes: PostcodeTable, now: datetime) -> None:
    for _, file, example in worked_examples(Sender(now)):
        assert found_wrong(example.draft, now, postcodes) == ({example.code} if example.code else set()), file


def test_there_are_more_than_eight_children_and_every_kind_of_message() -> None:
    files = [file for _, file, _ in worked_examples(Sender(datetime(2026, 11, 22, tzinfo=UTC)))]
    assert len(CHILDREN) >= 8
    assert len(set(files)) == len(files)
    assert {re.split(r"-|\.", file)[3] for file in files} == {"new", "update", "delete"}


def test_the_folder_tells_what_each_file_shows(call: Call, folder: Path) -> None:
    result = call("examples", "write", "try", "--ods", "ryy", "--authority", "E06000002", "--postcode", "ts1 2qj", "--json")
    assert result.status == 0, result.err
    files = {Path(each["file"]).name: each for each in result.json}
    assert sorted(files) == sorted(path.name for path in (folder / "try").glob("[0-9]*.json"))
    assert [each["file"] for each in json.loads((folder / "try/examples.json").read_text())] == list(files)
    readme = (folder / "try/README.md").read_text()
    for name, each in files.items():
        row = next(line for line in readme.splitlines() if line.startswith(f"| {name} |"))
        assert str(each["status"]) in row
        assert each["code"] is None or each["code"] in row
        text = (folder / "try" / name).read_text()
        assert "RYY" in text
        assert "RXX" not in text.upper()


def test_written_twice_they_share_no_id(call: Call, folder: Path) -> None:
    ids = []
    for name in ("one", "other"):
        assert call("examples", "write", name).status == 0
        text = "".join(path.read_text() for path in (folder / name).glob("*-new.json"))
        ids.append({*re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text), *re.findall(r"SN-[0-9-]+", text)})
    assert ids[0]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize(("option", "value"), [("--ods", "R/X"), ("--authority", "E06999999"), ("--authority", "W06000015")])
def test_nobody_who_does_not_exist_sends_or_receives(option: str, value: str, call: Call, folder: Path) -> None:
    result = call("examples", "write", "try", option, value)
    assert result.status == 1
    assert not (folder / "try").exists()


def test_made_up_numbers_are_of_nobody_and_have_their_check_digit() -> None:
    numbers = {made_up_nhs_number() for _ in range(200)}
    assert len(numbers) > 150
    assert all(has_valid_check_digit(number) and NhsNumber(number).is_synthetic for number in numbers)


def test_a_later_message_is_newer_and_has_ids_of_its_own() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for child in CHILDREN:
        drafts = [example.draft for example in child.examples(Sender(now))]
        ids = [draft.at["header"]["id"] for draft in drafts]
        assert len(set(ids)) == len(ids)
        versions = [datetime.fromisoformat(draft.at["header"]["meta"]["lastUpdated"]) for draft in drafts]
        assert all(version < now + timedelta(0) for version in versions)
