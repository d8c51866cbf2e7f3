# SPDX-License-Identifier: MIT
"""``send`` against a gateway that fails in every way: nothing is lost, nothing is sent twice without need, each line has its result."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from notify_gateway.cli.send_results import ResultsFile
from notify_gateway.cli.send_run import BATCH_LINES
from tests.cli.conftest import Call, Result
from tests.support.backbook import BreaksOff, Fails, PutsOff, ScriptedGateway, Stops

LINES = [f'{{"message": {number}}}'.encode() for number in range(1, 8)]


@pytest.fixture
def book(folder: Path) -> Path:
    """A back-book of seven lines, beside a token."""
    (folder / "token").write_text("secret\n")
    (folder / "book.ndjson").write_bytes(b"\n".join(LINES) + b"\n")
    return folder / "book.ndjson"


def send(call: Call, gateway: ScriptedGateway, file: object, *more: object) -> Result:
    return call("send", file, "--url", gateway.url, "--token-file", "token", "--json", "--patience", "3", *more)


def results(book: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in book.with_name(f"{book.name}.results.ndjson").read_text().splitlines()]


def counted(result: Result) -> dict[str, int]:
    names = ("accepted", "duplicate", "refused", "unsettled", "settled_before")
    return {name: result.json[name] for name in names if result.json[name]}


def test_each_line_has_its_result_and_a_second_run_sends_nothing(book: Path, call: Call) -> None:
    with ScriptedGateway() as gateway:
        first, second = send(call, gateway, book), send(call, gateway, book)
    assert (first.status, counted(first)) == (0, {"accepted": 7})
    assert (second.status, counted(second)) == (0, {"settled_before": 7})
    assert len(gateway.calls) == 1
    held = results(book)
    assert [(r["line"], r["status"], r["reference"], r["promise"]) for r in held] == [(n, 202, f"SEN-{n}", "signed") for n in range(1, 8)]
    assert len({r["digest"] for r in held}) == 7
    assert book.with_name("book.ndjson.results.ndjson").stat().st_mode & 0o077 == 0


def test_a_refused_line_is_sent_again_when_it_was_mended_or_when_that_is_asked_for(book: Path, call: Call) -> None:
    book.write_bytes(b"\n".join([*LINES, b'{"BAD": 1}', b'{"BAD": 2}']))
    with ScriptedGateway() as gateway:
        first = send(call, gateway, book)
        assert (first.status, counted(first)) == (1, {"accepted": 7, "refused": 2})
        assert results(book)[7]["issues"] == [{"code": "NG-4001", "expression": "Bundle.entry[9]"}]
        book.write_bytes(b"\n".join([*LINES, b'{"mended": 1}', b'{"BAD": 2}']))
        second = send(call, gateway, book)
        assert (second.status, counted(second)) == (1, {"accepted": 1, "settled_before": 8})
        third = send(call, gateway, book, "--again-refused")
        assert (third.status, counted(third)) == (1, {"refused": 1, "settled_before": 8})


@pytest.mark.parametrize(
    ("script", "came_to"),
    [
        ([Fails(503, "NG-9006"), Fails(429, "NG-1108"), Fails(502)], {"accepted": 7}),
        ([BreaksOff(3)], {"accepted": 3, "duplicate": 4}),
        ([BreaksOff(0), BreaksOff(7)], {"duplicate": 7}),
        ([Stops(2), Stops(0), Stops(4)], {"accepted": 7}),
        ([PutsOff(b"5"), PutsOff(b"5", 503)], {"accepted": 7}),
        ([Fails(401, "NG-1103")], {"accepted": 7}),
    ],
    ids=["refused for now", "broke off", "broke off at once", "stopped", "lines put off", "token ran out"],
)
def test_what_passes_is_waited_out(script: list[Any], came_to: dict[str, int], book: Path, call: Call) -> None:
    with ScriptedGateway(script) as gateway:
        result = send(call, gateway, book)
    assert (result.status, counted(result)) == (0, came_to), result.err
    assert len(gateway.held) == 7
    assert sorted(r["line"] for r in results(book)) == list(range(1, 8))


def test_what_stays_ends_the_run_and_the_next_one_goes_on(book: Path, call: Call) -> None:
    with ScriptedGateway([Stops(2), Fails(503, "NG-9006")]) as gateway:
        result = send(call, gateway, book, "--patience", "0")
        assert (result.status, counted(result), result.json["complete"]) == (2, {"accepted": 2}, False)
        assert "NG-9006" in result.err
        again = send(call, gateway, book)
    assert (again.status, counted(again)) == (0, {"accepted": 5, "settled_before": 2})


def test_lines_that_alone_are_put_off_each_time_do_not_hold_up_the_rest(book: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify_gateway.cli.send_run.TRIES_FOR_LINES", 1)
    book.write_bytes(b"\n".join([*LINES[:2], *(b'{"more": %d}' % n for n in range(BATCH_LINES))]))
    with ScriptedGateway([PutsOff(b'"message": 2'), PutsOff(b'"message": 2')]) as gateway:
        result = send(call, gateway, book)
        assert (result.status, counted(result)) == (2, {"accepted": BATCH_LINES + 1, "unsettled": 1})
        assert send(call, gateway, book).status == 0
    assert gateway.calls[-1] == [LINES[1]]


def test_a_service_that_is_too_busy_for_a_whole_call_is_sent_smaller_ones(book: Path, call: Call) -> None:
    book.write_bytes(b"\n".join(b"%d" % number for number in range(BATCH_LINES)))
    with ScriptedGateway([Fails(504), Fails(504)]) as gateway:
        assert send(call, gateway, book).status == 0
    assert [len(each) for each in gateway.calls] == [BATCH_LINES // 4, BATCH_LINES // 4 * 2, BATCH_LINES - BATCH_LINES // 4 * 3]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_service_that_takes_no_lines_ends_the_run(status: int, book: Path, call: Call) -> None:
    with ScriptedGateway([Fails(status, "NG-1102" if status == 401 else "")] * 9) as gateway:
        result = send(call, gateway, book)
    assert (result.status, counted(result)) == (2, {})
    assert len(gateway.tokens) == (2 if status == 401 else 1)


def test_nothing_travels_in_the_clear(book: Path, call: Call) -> None:
    result = call("send", book, "--url", "http://notify.example", "--token-file", "token")
    assert result.status == 2
    assert "TLS" in result.err


def test_a_line_that_a_crash_cut_off_is_sent_again(book: Path, call: Call) -> None:
    path = book.with_name("book.ndjson.results.ndjson")
    with ScriptedGateway() as gateway:
        send(call, gateway, book)
        whole = path.read_bytes()
        path.write_bytes(whole[:-20])
        result = send(call, gateway, book)
    assert (result.status, counted(result)) == (0, {"duplicate": 1, "settled_before": 6})
    assert [r["line"] for r in results(book)] == list(range(1, 8))


def test_a_file_that_is_no_file_of_results_is_left_as_it_is(book: Path, call: Call) -> None:
    with ScriptedGateway() as gateway:
        result = send(call, gateway, book, "--results", book)
    assert result.status == 2
    assert gateway.calls == []
    assert book.read_bytes().splitlines() == LINES


def test_two_runs_do_not_share_a_file_of_results(book: Path, call: Call) -> None:
    with ScriptedGateway() as gateway, ResultsFile(book.with_name("book.ndjson.results.ndjson")):
        result = send(call, gateway, book)
    assert result.status == 2
    assert "Another run" in result.err


def test_what_is_too_long_for_any_service_is_refused_here(book: Path, call: Call) -> None:
    book.write_bytes(b"\n".join([LINES[0], b"x" * 5_000_001, b"y" * 12_000_000, LINES[1]]))
    with ScriptedGateway() as gateway:
        result = send(call, gateway, book)
    assert (result.status, counted(result)) == (1, {"accepted": 2, "refused": 2})
    assert gateway.calls == [LINES[:2]]
    assert [(r["line"], r["status"]) for r in results(book)] == [(2, 413), (3, 413), (1, 202), (4, 202)]


@pytest.mark.parametrize("form", ["compressed", "folder", "standard input"])
def test_a_back_book_comes_in_other_forms(form: str, book: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    place, more = str(book), ["--results", "results"]
    if form == "compressed":
        place = "book.ndjson.gz"
        Path(place).write_bytes(gzip.compress(book.read_bytes()))
    elif form == "folder":
        place = "messages"
        Path(place).mkdir()
        for number in range(1, 8):
            (Path(place) / f"{number}.json").write_text(f'{{\n"message":\r\n{number}\n}}\n')
    else:
        place = "-"
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(book.read_bytes())))
    with ScriptedGateway() as gateway:
        result = send(call, gateway, place, *more)
    assert (result.status, counted(result)) == (0, {"accepted": 7}), result.err
    assert [json.loads(line) for line in gateway.held] == [json.loads(line) for line in LINES]


def test_a_damaged_compressed_file_is_told_and_what_could_be_read_is_not_lost(book: Path, call: Call) -> None:
    Path("book.ndjson.gz").write_bytes(gzip.compress(book.read_bytes(), 0)[:-12])
    with ScriptedGateway() as gateway:
        result = send(call, gateway, "book.ndjson.gz")
    assert (result.status, counted(result)) == (2, {"accepted": 6})
    assert "damaged" in result.err


def test_wrong_usage_is_told(book: Path, call: Call) -> None:
    for arguments in ((book, "--url", "https://x"), ("-", "--url", "https://x", "--token-file", "token")):
        assert call("send", *arguments).status == 2
