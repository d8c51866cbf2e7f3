# SPDX-License-Identifier: MIT
"""What officers take away: rows as files, sheets, copies for parents, packs. Who may, what is in them, what the log says; no identity."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from unittest import mock
from urllib.parse import parse_qs

import httpx2
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from audit.events import Event, read_leaf
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Unavailable
from notify_gateway.domain.staff import Role
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import acts, staff_sessions
from notify_gateway.use_cases.inbox import assign, download
from notify_gateway.use_cases.inbox.lists import Filters
from notify_gateway.use_cases.staff_sessions import Visit
from notify_gateway.web.paper.press import Press
from tests.leaks.canaries import Evidence, a_canary, search
from tests.support.pages import HARTLEPOOL, Site, for_hartlepool, site
from tests.support.staff import form_token
from tests.support.templates import Templates
from tests.use_cases.conftest import MIDDLESBROUGH

FORMULA = '=HYPERLINK("http://x.example","Ann")'
ONE = (
    "/notifications/{}/print",
    "/notifications/{}/notification.pdf",
    "/notifications/{}/parent-copy",
    "/notifications/{}/parent-copy.pdf",
)
EACH = (*ONE, "/inbox/panel?case={}", "/inbox/panel.pdf?case={}")
ROWS = ("/inbox/rows.csv", "/inbox/rows.xlsx")


@pytest.fixture(scope="module")
def set_html() -> list[str]:
    """What went to the press."""
    return []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, templates: Templates, set_html: list[str]) -> Iterator[Site]:
    made = Press.pdf

    async def pdf(press: Press, html: bytes, css: str) -> bytes:
        set_html.append(html.decode())
        return await made(press, html, css)

    with mock.patch.object(Press, "pdf", pdf), site(tmp_path_factory.mktemp("paper"), templates) as opened:
        yield opened


@pytest.fixture(scope="module")
def references(running: Site) -> list[str]:
    """Three notifications; the first is the canary's, and with an officer whose name is a formula."""
    found = [running.arrives(for_hartlepool(a_canary()).for_child(postcode="TS24 8AY")), running.arrives(), running.arrives()]
    visit = staff_sessions.look(running.house.gateway, running.cookie(name=FORMULA))
    assert isinstance(visit, Visit)
    running.aside(partial(assign.assign, running.house.gateway, by=visit.person, reference=found[0], officer=visit.person.id, version=1))
    return found


@pytest.fixture(scope="module")
def officer(running: Site) -> Iterator[httpx2.Client]:
    with running.client() as client:
        yield client


def events(running: Site, *tags: str) -> list[Event]:
    with running.house.gateway.engine.begin() as connection:
        pending = select(audit_tables.pending.c.leaf).order_by(audit_tables.pending.c.arrival)
        found = [read_leaf(leaf) for leaf in connection.scalars(pending)]
    return [event for event in found if event.tag in tags]


def test_rows_are_those_of_the_filters_in_both_kinds_of_file(running: Site, references: list[str], officer: httpx2.Client) -> None:
    for query, expected in (
        ("", references),
        ("?tab=not-assigned", references[1:]),
        (f"?reference={references[2]}", references[2:]),
        ("?late=yes", []),
    ):
        answer = officer.get(f"/inbox/rows.csv{query}")
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(b"\xef\xbb\xbf")
        lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
        assert sorted(line["reference"] for line in lines) == sorted(expected), query
        book = CalamineWorkbook.from_filelike(io.BytesIO(officer.get(f"/inbox/rows.xlsx{query}").content))
        assert book.sheet_names == ["About", "Notifications"]
        head, *rows = book.get_sheet_by_name("Notifications").to_python()
        assert head == [column.name for column in download.COLUMNS]
        assert [row[0] for row in rows] == [line["reference"] for line in lines]
    (line,) = (line for line in lines_of(officer, "") if line["reference"] == references[1])
    assert (line["received_on"], line["status_means"], line["officer"], line["working_days_late"]) == ("2026-11-20", "Received", "", "")
    assert date.fromisoformat(line["reply_by"]) > date(2026, 11, 20)


def lines_of(officer: httpx2.Client, query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(officer.get(f"/inbox/rows.csv{query}").content.decode("utf-8-sig"), newline="")))


def test_the_workbook_has_real_days_and_says_what_it_is(running: Site, references: list[str], officer: httpx2.Client) -> None:
    answer = officer.get("/inbox/rows.xlsx?tab=to-do&status=received")
    assert re.fullmatch(r'attachment; filename="notifications-2026-11-\d\d\.xlsx"', answer.headers["content-disposition"])
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    head, *rows = book.get_sheet_by_name("Notifications").to_python()
    assert {type(row[head.index("received_on")]) for row in rows} == {date}
    about = {str(line[0]): str(line[1]) for line in book.get_sheet_by_name("About").to_python() if line[0]}
    assert about["By"] == "Robin Officer"
    assert about["Filters"] == "List: To do, Received"
    assert about["How many"] == str(len(rows)) == "3"
    assert "Hartlepool" in about["What it is"]


def test_no_cell_is_a_formula_in_either_file(references: list[str], officer: httpx2.Client) -> None:
    (line,) = (each for each in lines_of(officer, "") if each["reference"] == references[0])
    assert line["officer"] == f"'{FORMULA}"
    content = officer.get("/inbox/rows.xlsx").content
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("Notifications").to_python()
    assert f"'{FORMULA}" in [row[rows[0].index("officer")] for row in rows]
    assert b"<f>" not in b"".join(unzipped(content))


def unzipped(content: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield from (archive.read(name) for name in archive.namelist())


def test_a_pack_is_chosen_on_the_list_and_has_a_sheet_for_each(references: list[str], officer: httpx2.Client) -> None:
    token = form_token(officer.get("/inbox").text)
    ticked = [f"{reference}:1" for reference in (*references, references[0])]
    answer = officer.post("/inbox/panel", data={"form_token": token, "case": ticked})
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert parse_qs(place.partition("?")[2])["case"] == references
    page = officer.get(place).text
    assert "3 notifications for the panel" in page
    assert [page.count(f'<h2 class="paper-title">{each}</h2>') for each in references] == [1, 1, 1]
    refused = officer.post("/inbox/panel", data={"form_token": token})
    assert (refused.status_code, "A pack holds 1 to 50" in refused.text) == (422, True)
    assert officer.get("/inbox/panel?case=%3Cscript%3E").status_code == 400
    assert officer.get("/inbox/panel?" + "&".join(f"case=SEN-{number}" for number in range(51))).status_code == 422


def test_nothing_that_is_taken_away_holds_identity(references: list[str], officer: httpx2.Client, set_html: list[str]) -> None:
    set_html.clear()
    paths = (*ROWS, *(path.format(references[0]) for path in EACH), "/inbox/panel?" + "&".join(f"case={each}" for each in references))
    answers = {path: officer.get(path) for path in paths}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(paths, 200)
    found = [Evidence(path, answer.content) for path, answer in answers.items()]
    found += [Evidence("what went to the press", html.encode()) for html in set_html]
    found += [Evidence("headers", str(answer.headers).encode()) for answer in answers.values()]
    assert len(set_html) == 3
    assert search(found) == []
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers.values())


@pytest.mark.parametrize(
    ("roles", "authority", "status"),
    [
        ((Role.MANAGER,), HARTLEPOOL, 200),
        ((Role.MANAGER, Role.OFFICER), MIDDLESBROUGH, 404),
        ((Role.IG_OFFICER,), HARTLEPOOL, 403),
        ((Role.STRATEGIC_LEAD,), HARTLEPOOL, 403),
        ((Role.OPERATOR,), HARTLEPOOL, 403),
        ((Role.TRUST_ENGINEER,), HARTLEPOOL, 403),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_who_may_take_what_away(running: Site, references: list[str], roles: tuple[Role, ...], authority: str, status: int) -> None:
    with running.client(*roles, name="Walker", authority=authority) as walker:
        pages = [path for path in EACH if "pdf" not in path or status != 200]
        assert {walker.get(path.format(references[0])).status_code for path in pages} == {status}
        rows = [walker.get(path) for path in ROWS]
        assert {answer.status_code for answer in rows} == {403 if status == 403 else 200}
        if status == 404:
            assert references[0] not in rows[0].text


def test_whoever_is_not_signed_in_signs_in_first(running: Site, references: list[str]) -> None:
    with httpx2.Client(base_url=running.url, headers={"Accept": "text/html"}) as stranger:
        for path in (*ROWS, *(each.format(references[0]) for each in EACH)):
            assert stranger.get(path).headers["location"].startswith("/sign-in?next="), path


def test_each_is_in_the_log_with_codes_alone(running: Site, references: list[str]) -> None:
    before = len(events(running, "notification:printed"))
    with running.client(name="Paula Printer") as printer:
        for path in (*ONE[:3:2], "/inbox/panel?case={}&case=" + references[1]):
            assert printer.get(path.format(references[0])).status_code == 200
        query = (
            "?tab=not-assigned&status=received&status=question&age_from=1&sender=rxx&received_from=2026-11-01&new=yes&reference=-&need=-"
        )
        assert printer.get(f"/inbox/rows.csv{query}").status_code == 200
    told = [dict(event.fields) for event in events(running, "notification:printed")[before:]]
    assert [each["kind"] for each in told] == ["sheet", "parent-copy", "panel-sheet", "panel-sheet"]
    assert told[2]["pack"] == told[3]["pack"]
    assert {(each["authority"], each["medium"]) for each in told} == {(HARTLEPOOL, "page")}
    begun, ended = events(running, "download:attempted", "download:handed_over")[-2:]
    asked = {
        "tab": "not-assigned",
        "status": "question,received",
        "ages": "1~any",
        "sender": "RXX",
        "received": "2026-11-01~any",
        "only": "new",
    }
    assert (begun.tag, ended.tag) == ("download:attempted", "download:handed_over")
    assert dict(begun.fields) == dict(ended.fields) == asked | {"download": begun.fields["download"], "medium": "csv", "count": 0}
    assert begun.subject == HARTLEPOOL


def test_a_download_that_breaks_off_is_told_so_and_one_whose_end_is_lost_is_settled(running: Site, references: list[str]) -> None:
    visit = staff_sessions.look(running.house.gateway, running.cookie())
    assert isinstance(visit, Visit)
    begin = partial(download.download, running.house.gateway, by=visit.person, filters=Filters())

    def break_off() -> None:
        broken = begin(medium="csv")
        assert broken.page()[0].startswith(b"\xef\xbb\xbf")
        broken.end(whole=False)
        broken.end(whole=True)
        begin(medium="xlsx")
        running.house.clock.move(acts.UNSETTLED_AFTER + timedelta(seconds=1))
        acts.settle_lost(running.house.gateway)

    running.aside(break_off)
    ended = events(running, "download:failed", "download:unsettled")
    assert [(event.tag, event.fields["medium"]) for event in ended] == [("download:failed", "csv"), ("download:unsettled", "xlsx")]


def test_too_many_rows_are_refused_whole_and_many_come_in_parts(running: Site, references: list[str], officer: httpx2.Client) -> None:
    with mock.patch.object(download, "MOST_ROWS", 2):
        answer = officer.get("/inbox/rows.csv")
    assert (answer.status_code, "Narrow the filters" in answer.text) == (422, True)
    with mock.patch.object(download, "AT_ONCE", 2):
        assert len(lines_of(officer, "")) == 3


def test_a_press_that_hangs_or_lacks_its_libraries_is_told_and_replaced(officer: httpx2.Client, references: list[str]) -> None:
    press = Press(within=0.001)
    with pytest.raises(Unavailable) as late:
        asyncio.run(press.pdf(b"<p>never in time</p>", ""))
    assert late.value.issues[0].code == Code.PAPER_NOT_MADE
    assert press._pool is None
    with mock.patch.object(Press, "pdf", side_effect=Unavailable(Code.PAPER_NOT_MADE)):
        answer = officer.get(ONE[1].format(references[0]))
    assert (answer.status_code, "notify-gateway doctor" in answer.text) == (503, True)


def test_a_copy_names_who_advises_parents_once_a_manager_has_set_it(running: Site, references: list[str], officer: httpx2.Client) -> None:
    copy = ONE[2].format(references[0])
    assert "Council for Disabled Children" in officer.get(copy).text
    with running.client(Role.MANAGER) as manager:
        page = manager.get("/team/settings").text
        fields = dict(re.findall(r'name="([a-z_]+)"[^>]*? value="([^"]*)"', page))
        fields |= {"sendiass_name": "Hartlepool SENDIASS", "sendiass_phone": "01632 960000"}
        del fields["planning_only"]
        assert manager.post("/team/settings", data=fields).status_code == 303
        assert "Hartlepool SENDIASS 01632 960000" in manager.get("/team").text
    told = officer.get(copy).text
    assert "Yours is Hartlepool SENDIASS. Phone: 01632 960000." in told
    assert "Council for Disabled Children" not in told


def test_the_page_of_a_notification_and_the_list_lead_to_paper(references: list[str], officer: httpx2.Client) -> None:
    page = officer.get(f"/notifications/{references[0]}").text
    assert [f'href="/notifications/{references[0]}/{name}"' in page for name in ("print", "parent-copy")] == [True, True]
    listed = officer.get("/inbox?status=received&late=yes").text
    assert "rows.csv" not in listed, "there is nothing to download"
    filtered = officer.get("/inbox?status=received").text
    assert 'href="/inbox/rows.csv?status=received"' in filtered
    assert 'href="/inbox/rows.xlsx?status=received"' in filtered
