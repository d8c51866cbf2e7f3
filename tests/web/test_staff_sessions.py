# SPDX-License-Identifier: MIT
"""Sessions of people: when they end, who can end them, which forms are taken, and what becomes of what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from sqlalchemy import select
from starlette.testclient import TestClient

from audit.events import read_leaf
from notify_gateway.app import create_app
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, Issue
from notify_gateway.domain.policy import Act
from notify_gateway.domain.staff import Role
from notify_gateway.privacy.typed import TypedUnreadable, seal, unseal
from notify_gateway.store.tables import audit_tables, kept_forms, staff_sessions
from notify_gateway.use_cases import staff
from notify_gateway.use_cases import staff_sessions as sessions
from notify_gateway.use_cases.staff_sessions import ABSOLUTE, FORM_KEPT, IDLE, STEP_UP_LASTS, Visit
from notify_gateway.web.entrance.door import form_lists, require_step_up, visitor, visitor_with_form
from tests.support.staff import MIDDLESBROUGH, STOCKTON, Practice, a_member, browser, come_in, form_token, practice, sign_in_as
from tests.support.templates import Templates
from tests.use_cases.conftest import House, furnished

WORDS = "The grandmother answers in the evening"
TYPED = {"note": WORDS, "version": "7"}


@dataclass
class Site:
    """The application with two pages to try the door with; its clock is turned by hand."""

    house: House
    app: FastAPI
    running: Practice
    sent: list[dict[str, object]]

    def somebody(self, *roles: Role, **more: object) -> TestClient:
        client = browser(self.app)
        client.cookies.set("staff", sign_in_as(self.house.gateway, *roles, **more))  # type: ignore[arg-type]
        return client

    def visit(self, client: TestClient) -> Visit:
        found = sessions.look(self.house.gateway, client.cookies["staff"])
        assert isinstance(found, Visit)
        return found

    def tags(self) -> list[str]:
        with self.house.gateway.engine.begin() as connection:
            return [
                read_leaf(leaf).tag
                for leaf in connection.scalars(select(audit_tables.pending.c.leaf).order_by(audit_tables.pending.c.arrival))
            ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Site]:
    folder, sent, router = tmp_path_factory.mktemp("sessions"), [], APIRouter()

    @router.post("/tried", response_class=Response)
    async def _try(request: Request) -> Response:
        visit, fields = await visitor_with_form(request, Act.WORK_CASE)
        if fields.get("version") == "0":
            raise Conflict(Issue(Code.DELIVERY_STATE))
        sent.append({"by": visit.person.id, "fields": dict(fields), "ticks": form_lists(fields, "tick")})
        return Response(status_code=303, headers={"Location": "/inbox"})

    @router.post("/tried/dangerous", response_class=Response)
    async def _dare(request: Request) -> Response:
        visit, fields = await visitor_with_form(request, Act.WORK_CASE)
        require_step_up(visit)
        sent.append({"by": visit.person.id, "fields": dict(fields)})
        return Response(status_code=303, headers={"Location": "/inbox"})

    @router.get("/tried/manager", response_class=Response)
    async def _manage(request: Request) -> Response:
        await visitor(request, Act.MANAGE_TEAM)
        return Response("for managers")

    with (
        contextmanager(furnished)(folder, templates, None) as house,
        practice(folder, now=lambda: house.clock.now().timestamp()) as running,
    ):
        settings = house.gateway.settings.model_copy(update={"staff_providers": running.file, "base_url": "http://testserver"})
        runtime = replace(house.runtime, gateway=replace(house.gateway, settings=settings))
        app = create_app(runtime)
        app.include_router(router)
        yield Site(replace(house, runtime=runtime), app, running, sent)


def test_a_session_ends_when_nothing_is_heard_of_it_and_in_any_case_after_a_day_of_work(site: Site) -> None:
    idle, busy = site.somebody(), site.somebody(name="Busy")
    for _ in range(int(ABSOLUTE / (IDLE / 2)) - 1):
        site.house.clock.move(IDLE / 2)
        assert busy.get("/still-here").status_code == 204
    assert idle.get("/account").headers["location"] == "/sign-in?next=%2Faccount"
    site.house.clock.move(IDLE / 2)
    assert busy.get("/still-here").status_code == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_hosts(site: Site) -> None:
    site.running.provider.callback = "https://testserver/sign-in/callback/practice"
    secure = browser(site.app, "https://testserver")
    settings = site.house.gateway.settings.model_copy(update={"base_url": "https://testserver"})
    app = create_app(replace(site.house.runtime, gateway=replace(site.house.gateway, settings=settings)))
    secure = browser(app, "https://testserver")
    answer = come_in(secure, site.running, "officer")
    site.running.provider.callback = "http://testserver/sign-in/callback/practice"
    cookie = next(line for line in answer.headers.get_list("set-cookie") if "__Host-staff=" in line)
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    value = cookie.partition("=")[2].partition(";")[0]
    assert len(value) == 43
    plain = browser(app, "https://testserver")
    assert plain.get("/account", headers={"Cookie": f"staff={value}"}).status_code == 303
    assert plain.get("/account", headers={"Cookie": f"__Host-staff={value}"}).status_code == 200
    with site.house.gateway.engine.begin() as connection:
        assert value not in str(connection.execute(select(staff_sessions)).all())


def test_signing_in_again_ends_the_session_before_and_changes_the_cookie(site: Site) -> None:
    client = browser(site.app)
    come_in(client, site.running, "manager")
    before = client.cookies["staff"]
    come_in(client, site.running, "manager")
    assert client.cookies["staff"] != before
    assert sessions.look(site.house.gateway, before) is None
    assert isinstance(sessions.look(site.house.gateway, client.cookies["staff"]), Visit)


def test_sessions_can_be_ended_one_by_one_all_of_a_person_and_all_of_an_organisation(site: Site) -> None:
    gateway = site.house.gateway
    mine, mine_too, theirs = (site.somebody(name="Mina", authority=MIDDLESBROUGH) for _ in range(3))
    colleague, elsewhere = site.somebody(name="Col", authority=MIDDLESBROUGH), site.somebody(name="Else")
    visit = site.visit(mine)
    assert sessions.revoke(gateway, organisation=STOCKTON, actor="operator:test", session_id=visit.session_id) == 0
    assert sessions.revoke(gateway, organisation=MIDDLESBROUGH, actor="operator:test", session_id=visit.session_id) == 1
    assert [each.get("/still-here").status_code for each in (mine, mine_too, colleague)] == [303, 204, 204]
    token = form_token(mine_too.get("/account").text)
    assert mine_too.post("/sign-out/everywhere", data={"form_token": token}).headers["location"] == "/sign-in?done=signed-out"
    assert [each.get("/still-here").status_code for each in (mine_too, theirs, colleague)] == [303, 303, 204]
    assert sessions.revoke(gateway, organisation=MIDDLESBROUGH, actor="operator:test") == 1
    assert [each.get("/still-here").status_code for each in (colleague, elsewhere)] == [303, 204]
    assert site.tags().count("staff_session:revoked") >= 2


def test_a_role_that_is_taken_away_is_gone_at_the_next_page(site: Site) -> None:
    client = site.somebody(Role.MANAGER, name="Formerly")
    assert client.get("/tried/manager").status_code == 200
    staff.change_roles(site.house.gateway, member_id=site.visit(client).person.id, roles=[Role.OFFICER], actor="operator:test")
    answer = client.get("/tried/manager")
    assert answer.status_code == 403
    assert all(words in answer.text for words in ("You may not do this", "Manager", "You need this role: "))


def test_who_may_not_is_told_which_role_is_needed_and_who_can_ask_for_it(site: Site) -> None:
    a_member(site.house.gateway, Role.MANAGER, name="Grace Grants")
    a_member(site.house.gateway, Role.MANAGER, name="Nobody Ofyours", authority=MIDDLESBROUGH)
    page = site.somebody(Role.STRATEGIC_LEAD, name="Lead").get("/tried/manager")
    assert (page.status_code, "Grace Grants" in page.text, "Nobody Ofyours" in page.text) == (403, True, False)
    machine = site.somebody().get("/tried/manager", headers={"Accept": "application/json"})
    assert (machine.status_code, machine.json()["code"]) == (403, Code.SCOPE_MISSING.value)


FORGED = {
    "from another site": {"Sec-Fetch-Site": "cross-site"},
    "from another host of ours": {"Sec-Fetch-Site": "same-site"},
    "by an address typed in": {"Sec-Fetch-Site": "none"},
    "by an old browser on another site": {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
    "by an old browser that says nothing": {"Sec-Fetch-Site": None},
    "from a sandbox": {"Sec-Fetch-Site": None, "Origin": "null"},
}


@pytest.mark.parametrize("name", FORGED)
def test_a_form_of_another_site_is_not_taken_though_it_bears_the_token(site: Site, name: str) -> None:
    client, before = site.somebody(), len(site.sent)
    token = site.visit(client).form_token
    for header, value in FORGED[name].items():
        client.headers.pop(header, None)
        if value is not None:
            client.headers[header] = value
    answer = client.post("/tried", data=TYPED | {"form_token": token})
    assert (answer.status_code, Code.FORM_NOT_OURS.value in answer.text) == (403, True)
    assert len(site.sent) == before


def test_a_form_without_the_session_s_own_token_is_not_taken(site: Site) -> None:
    client, other, before = site.somebody(), site.somebody(name="Other"), len(site.sent)
    for token in ({}, {"form_token": ""}, {"form_token": "0" * 80}, {"form_token": site.visit(other).form_token}, {"form_token": "é" * 80}):
        answer = client.post("/tried", data=TYPED | token)
        assert (answer.status_code, Code.FORM_NOT_OURS.value in answer.text) == (403, True)
    assert len(site.sent) == before
    assert client.post("/tried", data=TYPED | {"form_token": site.visit(client).form_token}).status_code == 303


def test_what_is_no_form_or_too_large_is_refused(site: Site) -> None:
    client = site.somebody()
    token = site.visit(client).form_token
    assert client.post("/tried", json={}).status_code == 415
    assert client.post("/tried", data={"form_token": token, "note": "x" * 70_000}).status_code == 413
    assert client.post("/tried", data={"form_token": token, "tick": ["x"] * 300}).status_code == 400
    assert client.post("/tried", content=b"a=\xff", headers={"Content-Type": "application/x-www-form-urlencoded"}).status_code == 400
    client.post("/tried", data={"form_token": token, "tick": ["one", "two"]})
    assert (site.sent[-1]["ticks"], site.sent[-1]["fields"]) == (("one", "two"), {"tick": "two"})


def test_no_page_can_be_framed_kept_or_asked_to_run_what_is_not_ours(site: Site) -> None:
    client = site.somebody()
    for path in ("/sign-in?done=x", "/account", "/tried/manager", "/sign-in/callback/practice?state=x"):
        headers = client.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["cache-control"], headers["referrer-policy"], headers["x-content-type-options"]) == (
            "no-store",
            "no-referrer",
            "nosniff",
        )


def test_an_expired_session_keeps_what_was_typed_for_its_owner(site: Site) -> None:
    client, before = browser(site.app), len(site.sent)
    come_in(client, site.running, "officer")
    token = site.visit(client).form_token
    site.house.clock.move(IDLE)
    answer = client.post("/tried", data=TYPED | {"form_token": token, "tick": ["one", "two"]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?kept=1")
    assert "What you typed is kept" in client.get("/sign-in?kept=1").text
    with site.house.gateway.engine.begin() as connection:
        (row,) = connection.execute(select(kept_forms)).all()
    assert WORDS.encode() not in row.sealed
    assert come_in(client, site.running, "officer").headers["location"] == "/sign-in/continue"
    page = client.get("/sign-in/continue").text
    assert WORDS in page
    assert len(site.sent) == before
    fields = {"form_token": form_token(page), "kept_form": "1", **TYPED, "tick": ["one", "two"]}
    assert client.post("/tried", data=fields).headers["location"] == "/inbox"
    assert (site.sent[-1]["fields"], site.sent[-1]["ticks"]) == (TYPED | {"tick": "two"}, ("one", "two"))
    assert client.get("/sign-in/continue").headers["location"] == "/inbox"


def test_nobody_else_sees_what_was_typed(site: Site) -> None:
    client = browser(site.app)
    come_in(client, site.running, "officer")
    token = site.visit(client).form_token
    site.house.clock.move(IDLE)
    client.post("/tried", data=TYPED | {"form_token": token})
    assert come_in(client, site.running, "manager").headers["location"] == "/inbox"
    assert client.get("/sign-in/continue").headers["location"] == "/inbox"
    come_in(client, site.running, "officer")
    assert client.get("/sign-in/continue").headers["location"] == "/inbox"


def test_what_was_typed_is_forgotten_when_it_is_not_wanted_or_its_time_is_over(site: Site) -> None:
    for wanted in (False, True):
        client = browser(site.app)
        come_in(client, site.running, "officer")
        token = site.visit(client).form_token
        site.house.clock.move(IDLE)
        client.post("/tried", data=TYPED | {"form_token": token})
        if wanted:
            site.house.clock.move(FORM_KEPT)
            assert come_in(client, site.running, "officer").headers["location"] == "/inbox"
        else:
            come_in(client, site.running, "officer")
            client.post("/sign-in/discard", data={"form_token": site.visit(client).form_token})
        assert client.get("/sign-in/continue").headers["location"] == "/inbox"


def test_a_form_from_an_expired_session_without_its_token_is_not_kept(site: Site) -> None:
    client = site.somebody()
    site.house.clock.move(IDLE)
    assert client.post("/tried", data=TYPED | {"form_token": "0" * 80}).status_code == 403
    assert browser(site.app).post("/tried", data=TYPED).headers["location"] == "/sign-in"


def test_a_page_that_was_open_while_its_owner_signed_in_elsewhere_can_still_send_its_form_once_they_have_looked(site: Site) -> None:
    client = browser(site.app)
    come_in(client, site.running, "officer")
    old = site.visit(client).form_token
    come_in(client, site.running, "officer")
    before = len(site.sent)
    assert client.post("/tried", data=TYPED | {"form_token": old}).headers["location"] == "/sign-in/continue"
    assert len(site.sent) == before
    assert WORDS in client.get("/sign-in/continue").text
    come_in(client, site.running, "manager")
    assert client.post("/tried", data=TYPED | {"form_token": old}).status_code == 403


def test_a_dangerous_act_asks_who_it_is_and_keeps_what_was_typed(site: Site) -> None:
    client = browser(site.app)
    come_in(client, site.running, "officer")
    before, cookie = len(site.sent), client.cookies["staff"]
    fields = TYPED | {"form_token": site.visit(client).form_token}
    asked = client.post("/tried/dangerous", data=fields)
    assert (asked.status_code, 'href="/sign-in/again"' in asked.text) == (403, True)
    begun = client.get("/sign-in/again")
    assert "prompt=login" in begun.headers["location"]
    assert "max_age=0" in begun.headers["location"]
    assert client.get(site.running.choose(begun.headers["location"], "officer")).headers["location"] == "/sign-in/continue"
    assert client.cookies["staff"] != cookie
    assert sessions.look(site.house.gateway, cookie) is None
    page = client.get("/sign-in/continue").text
    assert client.post("/tried/dangerous", data=TYPED | {"form_token": form_token(page), "kept_form": "1"}).status_code == 303
    assert len(site.sent) == before + 1
    assert "staff_session:stepped_up" in site.tags()
    site.house.clock.move(STEP_UP_LASTS)
    assert client.post("/tried/dangerous", data=TYPED | {"form_token": site.visit(client).form_token}).status_code == 403
    assert len(site.sent) == before + 1


@pytest.mark.parametrize(
    ("who", "lie"), [("manager", {}), ("officer", {"auth_time": 1}), ("officer", {"auth_time": None})], ids=["other", "old", "unsaid"]
)
def test_proving_anew_takes_the_same_person_and_a_fresh_proof(site: Site, who: str, lie: dict[str, object]) -> None:
    client = browser(site.app)
    come_in(client, site.running, "officer")
    begun = client.get("/sign-in/again")
    site.running.provider.lie = lambda claims: {name: value for name, value in (claims | lie).items() if value is not None}
    answer = client.get(site.running.choose(begun.headers["location"], who))
    site.running.provider.lie = dict
    assert answer.status_code == 403
    assert not site.visit(client).stepped_up


def test_typed_words_open_with_the_cookie_of_their_owner_alone(site: Site) -> None:
    one, two = (a_member(site.house.gateway, Role.OFFICER, name=name).id for name in ("One", "Two"))
    sealed = seal("/tried", [("note", WORDS)], cookie="c" * 43, person=one)
    assert unseal(sealed, cookie="c" * 43, person=one).fields == (("note", WORDS),)
    for cookie, person, content in (("d" * 43, one, sealed), ("c" * 43, two, sealed), ("c" * 43, one, sealed[:-1]), ("c" * 43, one, b"")):
        with pytest.raises(TypedUnreadable):
            unseal(content, cookie=cookie, person=person)
    assert WORDS not in repr(unseal(sealed, cookie="c" * 43, person=one))
