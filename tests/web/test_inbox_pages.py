# SPDX-License-Identifier: MIT
"""The inbox's pages asked for as a browser without scripts asks: forms that keep what was typed, and who is let in where."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from sqlalchemy.exc import OperationalError

from notify_gateway.domain.staff import Role
from notify_gateway.use_cases.inbox import assign, read
from tests.leaks.canaries import CANARIES, a_canary
from tests.support.pages import HARTLEPOOL, Site, for_hartlepool, site
from tests.support.staff import MIDDLESBROUGH, a_member
from tests.support.templates import Templates

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
FORMS = ("acknowledge", "assign", "contacts/new", "outcome", "transfer", "question", "extend", "duplicate")
LISTS = ("/inbox", "/inbox?tab=finished", "/inbox/overdue", "/inbox/duplicates", "/team", "/team/settings", "/help", "/nonprod/components")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("inbox"), templates) as served:
        yield served


@pytest.fixture(scope="module")
def officer(running: Site) -> Iterator[httpx2.Client]:
    with running.client(Role.OFFICER, name="Ann Archer") as client:
        yield client


@pytest.fixture(scope="module")
def manager(running: Site) -> Iterator[httpx2.Client]:
    with running.client(Role.MANAGER, name="May Moss") as client:
        yield client


def fields(page: httpx2.Response, action: str) -> dict[str, str]:
    """Return the hidden fields of the form that goes there."""
    form = next(each for each in page.text.split("<form")[1:] if f'action="{action}"' in each.partition(">")[0])
    return dict(HIDDEN.findall(form.partition("</form>")[0]))


def send(client: httpx2.Client, path: str, **given: str) -> httpx2.Response:
    """Open the page of a form, fill it in, and send it."""
    return client.post(path, data=fields(client.get(path), path) | given)


def acknowledged(running: Site, client: httpx2.Client) -> str:
    reference = running.arrives()
    assert send(client, f"/notifications/{reference}/acknowledge").status_code == 303
    return reference


def test_every_page_is_kept_nowhere_and_runs_no_script_but_ours(running: Site, officer: httpx2.Client) -> None:
    reference = running.arrives()
    nonces = set()
    for path in (*LISTS[:5], f"/notifications/{reference}"):
        answer = officer.get(path)
        assert (answer.status_code, answer.headers["cache-control"], answer.headers["referrer-policy"]) == (
            200,
            "no-store",
            "no-referrer",
        ), path
        policy = answer.headers["content-security-policy"]
        (nonce,) = re.findall(r"'nonce-([^']+)'", policy)
        assert policy == (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
            f"script-src 'self' 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert re.findall(r"<script(?! type=\"module\" src=)[^>]*>", answer.text) == [f'<script nonce="{nonce}">']
        assert not re.search(r"\son[a-z]+=|style=|https?://(?!www\.w3\.org)", answer.text), path
        nonces.add(nonce)
    assert len(nonces) == 6


def test_no_page_but_the_one_that_was_asked_for_says_who_a_child_is(running: Site, officer: httpx2.Client, manager: httpx2.Client) -> None:
    spellings = {spelling for spellings in CANARIES.values() for spelling in spellings} | {"TS24 8AY", "TS248AY"}
    reference = running.arrives(for_hartlepool(a_canary()))
    send(officer, f"/notifications/{reference}/acknowledge")
    here = [f"/notifications/{reference}", *(f"/notifications/{reference}/{form}" for form in FORMS)]
    for client, path in [*((manager, path) for path in LISTS), *((manager, path) for path in here), (officer, here[0])]:
        answer = client.get(path)
        assert answer.status_code in (200, 403), path
        assert [spelling for spelling in spellings if spelling in answer.text or spelling in str(answer.url)] == [], path
    shown = officer.post(f"/notifications/{reference}/identity", data=fields(officer.get(here[0]), f"{here[0]}/identity"))
    assert shown.status_code == 422
    assert "Select why you need to see who this child is" in shown.text
    given = {"reason": "contact-family", "case_reference": "EY-2026-0412"}
    shown = officer.post(f"{here[0]}/identity", data=fields(officer.get(here[0]), f"{here[0]}/identity") | given)
    assert shown.headers["location"] == f"{here[0]}/identity#identity"
    card = officer.get(f"{here[0]}/identity")
    assert "Zyxandra" in card.text
    assert "Vorpalstone" not in card.text.partition("</title>")[0]
    assert officer.get(here[0]).text.count("Zyxandra") == 0
    assert manager.get(f"{here[0]}/identity").headers["location"] == here[0], "a colleague has to say why themselves"


def test_another_authority_is_told_nothing_and_a_role_too_small_is_told_which_one_may(running: Site, officer: httpx2.Client) -> None:
    reference = running.arrives()
    with running.client(Role.MANAGER, Role.OFFICER, authority=MIDDLESBROUGH, name="Sam Stone") as stranger:
        for path in ("", "/identity", *(f"/{form}" for form in FORMS)):
            assert stranger.get(f"/notifications/{reference}{path}").status_code == 404, path
        unknown = stranger.get("/notifications/SEN-00000000-0")
        theirs = stranger.get(f"/notifications/{reference}")
        # A page differs by its nonce, and by the token of its form, from itself.
        assert re.sub(r"nonce[^ ]*|[0-9a-f]{64,}", "", unknown.text) == re.sub(r"nonce[^ ]*|[0-9a-f]{64,}", "", theirs.text)
        assert reference not in stranger.get("/inbox").text
    refused = officer.get("/team/settings")
    assert refused.status_code == 403
    assert "Manager" in refused.text
    with running.client(Role.STRATEGIC_LEAD, name="Lee Lead") as lead:
        assert lead.get("/inbox").status_code == 403
        assert lead.get(f"/notifications/{reference}").status_code == 403
    nobody = httpx2.get(f"{running.url}/inbox?tab=mine", headers={"Accept": "text/html"})
    assert (nobody.status_code, nobody.headers["location"]) == (303, "/sign-in?next=%2Finbox%3Ftab%3Dmine")


WRONG = {
    "contacts/new": (
        {"how": "phone", "on-day": "31", "on-month": "2", "on-year": "2026", "note": "Typed words."},
        ["Typed words.", 'value="31"'],
    ),
    "assign": ({}, ["Select whose it shall be"]),
    "question": ({}, ["Select what to ask the trust"]),
    "extend": ({"on-day": "1", "on-month": "1", "on-year": "2026", "reason": "staffing"}, ["Enter a day from tomorrow on", 'value="1"']),
    "duplicate": ({"other": "SEN-00000000-0"}, ["Your authority has no notification of this reference", 'value="SEN-00000000-0"']),
}


@pytest.mark.parametrize("form", sorted(WRONG))
def test_a_form_that_is_wrong_says_so_and_keeps_what_was_typed(running: Site, form: str) -> None:
    with running.client(Role.OFFICER, Role.MANAGER, name="Kim Keeper") as both:
        reference = acknowledged(running, both)
        given, kept = WRONG[form]
        answer = send(both, f"/notifications/{reference}/{form}", **given)
        assert answer.status_code == 422, answer.text
        assert "<title>Error: " in answer.text
        assert "There is a problem" in answer.text
        for words in kept:
            assert words in answer.text, words


def test_the_answers_of_several_pages_stand_in_the_address_and_are_checked_before_they_leave(running: Site, officer: httpx2.Client) -> None:
    reference = acknowledged(running, officer)
    here = f"/notifications/{reference}/outcome"
    assert officer.get(here, params={"step": "when"}).status_code == 422
    assert "On which day" in officer.get(here, params={"step": "when", "outcome": "portage"}).text
    days = {"on-day": "20", "on-month": "11", "on-year": "2026"}
    before = officer.get(here, params={"step": "check", "outcome": "portage", **days, "on-day": "33"})
    assert (before.status_code, 'value="33"' in before.text) == (422, True)
    check = officer.get(here, params={"step": "check", "outcome": "portage", **days})
    assert "20 November 2026" in check.text
    assert officer.post(here, data=fields(check, here)).headers["location"] == f"/notifications/{reference}?done=outcome"
    assert "Outcome recorded" in officer.get(f"/notifications/{reference}?done=outcome").text
    back = running.arrives()
    there = f"/notifications/{back}/transfer"
    assert officer.get(there, params={"step": "check", "reason": "moved"}).status_code == 422
    check = officer.get(there, params={"step": "check", "reason": "moved", "suggested": "E08000035"})
    assert "Leeds" in check.text
    assert officer.post(there, data=fields(check, there)).headers["location"] == f"/notifications/{back}?done=sent-back"


def test_whoever_is_second_sees_what_the_first_did_and_loses_nothing(running: Site, officer: httpx2.Client) -> None:
    reference = acknowledged(running, officer)
    path = f"/notifications/{reference}/contacts/new"
    opened = officer.get(path)
    manager = a_member(running.house.gateway, Role.MANAGER, authority=HARTLEPOOL, name="May Moss").person
    other = a_member(running.house.gateway, Role.OFFICER, authority=HARTLEPOOL, name="Bob Baker")
    version = read.show_case(running.house.gateway, manager, reference).row.version
    assign.assign(running.house.gateway, by=manager, reference=reference, version=version, officer=other.id, reason="workload")
    given = {"how": "phone", "whom": "parent", "result": "spoke", "on-day": "20", "on-month": "11", "on-year": "2026", "note": "Mine."}
    late = officer.post(path, data=fields(opened, path) | given)
    assert late.status_code == 409
    assert "Somebody changed this while you worked on it" in late.text
    assert "Assigned by May Moss" in late.text
    assert "Mine." in late.text
    again = officer.post(path, data=fields(late, path) | given)
    assert again.headers["location"] == f"/notifications/{reference}?done=contact"


def test_a_form_that_is_sent_twice_is_done_once(running: Site, officer: httpx2.Client) -> None:
    reference = acknowledged(running, officer)
    path = f"/notifications/{reference}/contacts/new"
    given = fields(officer.get(path), path) | {"how": "phone", "whom": "parent", "result": "no-answer"}
    given |= {"on-day": "20", "on-month": "11", "on-year": "2026", "note": "Rang twice."}
    assert [officer.post(path, data=given).status_code for _ in range(2)] == [303, 303]
    assert officer.get(f"/notifications/{reference}").text.count("<strong>Telephone, parent: no answer</strong>") == 1
    here = f"/notifications/{reference}/identity"
    why = {"reason": "contact-family", "case_reference": "EY-2026-0412"}
    officer.post(here, data=fields(officer.get(f"/notifications/{reference}"), here) | why)
    assert officer.get(here).text.count("Rang twice.") == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/inbox?tab=everything", 400),
        ("GET", "/inbox?page=99999999999", 400),
        ("GET", "/inbox?officer=me", 400),
        ("GET", "/inbox?received_from=yesterday", 400),
        ("GET", "/inbox?need=%27%3B--", 400),
        ("GET", "/inbox?reference=%3Cscript%3E", 400),
        ("GET", f"/inbox?{'x=1&' * 1000}", 400),
        ("GET", "/inbox/duplicates/none", 400),
        ("GET", "/notifications/%3Cscript%3E", 404),
        ("GET", f"/notifications/{'A' * 3000}", 404),
        ("GET", "/team/members/me/leave", 400),
        ("POST", "/inbox/notices", 400),
        ("POST", "/inbox/duplicates/00000000-0000-4000-8000-000000000000", 404),
    ],
)
def test_what_no_page_of_ours_asks_is_refused_in_words(officer: httpx2.Client, method: str, path: str, status: int) -> None:
    data = {"form_token": fields(officer.get("/team"), "/sign-out")["form_token"]} if method == "POST" else None
    answer = officer.request(method, path, data=data)
    assert answer.status_code == status
    assert "<script>" not in answer.text


def test_what_is_not_there_fails_or_has_to_wait_is_told_on_a_page(
    running: Site, officer: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = officer.get("/inbox/nothing-of-ours")
    assert (missing.status_code, "<h1" in missing.text) == (404, True)
    assert officer.get("/inbox/nothing-of-ours", headers={"Accept": "application/json"}).json()["code"] == "NG-1010"
    for error, status in ((RuntimeError("Zyxandra"), 500), (OperationalError("select Zyxandra", {}, Exception()), 503)):

        def fail(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(read, "list_cases", fail)
        answer = officer.get("/inbox")
        assert (answer.status_code, "<h1" in answer.text, "Zyxandra" in answer.text) == (status, True, False)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")


def test_filters_stand_in_the_address_and_can_be_taken_away_one_by_one(running: Site, officer: httpx2.Client) -> None:
    reference = running.arrives()
    found = officer.get(f"/inbox?reference={reference}&sender=RXX&status=received&status=acknowledged&sort=need&order=descending")
    assert "Showing 1 to 1 of 1 notification" in found.text
    assert f"/inbox?reference={reference}&amp;status=acknowledged&amp;sender=RXX&amp;sort=need&amp;order=descending" in found.text
    assert 'aria-sort="descending"' in found.text
    nothing = officer.get("/inbox?status=withdrawn&need=VI")
    assert "No notifications match these filters." in nothing.text
    assert "Clear filters" in nothing.text
