# SPDX-License-Identifier: MIT
"""The operations pages, asked for as a browser without scripts asks: who comes in, which forms are taken, what they do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import select

from audit.events import Event, read_leaf
from notify_gateway.store.tables import audit_tables, deliveries
from notify_gateway.use_cases import onboard
from notify_gateway.use_cases.operators import ABSOLUTE, IDLE
from tests.support.templates import Templates
from tests.web.operating import MIDDLESBROUGH, PAGES, Operations, fill, form_token, operations
from tests.web.test_error_pages import Outline, sound


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Operations]:
    with operations(tmp_path_factory.mktemp("operations"), templates) as served:
        fill(served)
        yield served


def recorded(running: Operations, tag: str) -> list[Event]:
    """Return the events of that kind, oldest first."""
    leaf, pending = audit_tables.leaf.c, audit_tables.pending.c
    with running.house.gateway.engine.begin() as connection:
        leaves = [
            *connection.scalars(select(leaf.leaf).order_by(leaf.idx)),
            *connection.scalars(select(pending.leaf).order_by(pending.arrival)),
        ]
    return [event for event in map(read_leaf, leaves) if event.tag == tag]


def row_of(running: Operations, delivery: UUID) -> dict[str, object]:
    with running.house.gateway.engine.begin() as connection:
        return dict(connection.execute(select(deliveries).where(deliveries.c.id == delivery)).one()._mapping)


def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_page_and_a_machine_is_told(running: Operations) -> None:
    with running.visitor() as visitor:
        for page in PAGES:
            answer = visitor.get(f"/ops{page}")
            assert (answer.status_code, answer.headers["location"]) == (303, "/ops/sign-in"), page
        assert sound_of(visitor.get("/ops/sign-in")).levels == [1]
        machine = visitor.get("/ops/checks.json", headers={"Accept": "application/json"})
        assert (machine.status_code, machine.json()["code"]) == (401, "NG-1101")
        assert visitor.post("/ops/failed/retry", data={"reason": "fault-mended"}).headers["location"] == "/ops/sign-in"


def sound_of(answer: httpx2.Response) -> Outline:
    """The page is well formed, labelled, without script or style of its own; the browser's test sees to the labels of inputs."""
    text = re.sub(r'<label for="token">.*?</label>|<label for="(?:sure|starts_at|ends_at)">.*?</label>', "", answer.text)
    return sound(text.replace("<rect", "<br").replace('"4"/>', '"4">'))


def test_every_page_is_sound_and_forbids_copies_framing_scripts_and_other_sites(running: Operations) -> None:
    with running.signed_in() as operator:
        for page in (*PAGES, f"/failed/item?id={running.failed}", "/failed?code=timeout&standing=failing"):
            answer = operator.get(f"/ops{page}")
            assert answer.status_code == 200, (page, answer.text)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'")
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            sound_of(answer)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_is_kept_as_a_digest(running: Operations) -> None:
    with running.visitor() as visitor:
        answer = visitor.post("/ops/sign-in", data={"token": running.token()})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("operations=")
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert "Max-Age" not in cookie
        value = cookie.split(";")[0].removeprefix("operations=")
        assert len(value) >= 43
        held = (running.house.gateway.settings.data_dir / "main.sqlite3").read_bytes()
        assert value.encode() not in held
        assert answer.headers["cache-control"] == "no-store"
        assert recorded(running, "session:opened")[-1].actor == "operator:alex"


def test_a_token_of_anybody_else_opens_nothing_and_an_operator_s_opens_nothing_else(running: Operations) -> None:
    gateway = running.house.gateway
    trust = onboard.issue_token(gateway, kind="trust", code="RXX", lasts=None, actor="test").text
    running.token()
    revoked = onboard.issue_token(gateway, kind="operator", code="alex", lasts=None, actor="test")
    onboard.revoke_token(gateway, token_id=revoked.id, actor="test")
    over = running.token("casey", hours=1)
    running.house.clock.move(timedelta(hours=2))
    with running.visitor() as visitor:
        wrong = {trust: "NG-1105", "ng_operator_guessed": "NG-1102", "": "NG-1102", revoked.text: "NG-1104", over: "NG-1103"}
        for token, code in wrong.items():
            answer = visitor.post("/ops/sign-in", data={"token": token})
            assert answer.status_code == 403
            assert code in answer.text
            assert "set-cookie" not in answer.headers
            assert not token or token not in answer.text
        denied = recorded(running, "access:denied")
        assert {event.fields["code"] for event in denied if event.subject == "operations"} >= {"NG-1102", "NG-1103", "NG-1104", "NG-1105"}
        bearer = {"Authorization": f"Bearer {running.token()}"}
        assert visitor.get("/authority/v1/deliveries", headers=bearer).status_code == 403
        assert visitor.get("/log/export", headers=bearer).status_code == 403
        checks = visitor.get("/ops/checks.json", headers=bearer)
        assert checks.status_code == 200
        assert {"settings", "main database", "clock"} <= {each["name"] for each in checks.json()["checks"]}
        assert visitor.get("/ops/checks.json", headers={"Authorization": f"Bearer {trust}"}).status_code == 403


def test_a_form_from_elsewhere_or_without_the_session_s_token_is_refused_and_does_nothing(running: Operations) -> None:
    delivery = running.fails()
    before = row_of(running, delivery)
    fields = {"id": str(delivery), "reason": "damaged", "sure": "yes"}
    with running.signed_in() as operator, running.signed_in("casey") as other:
        mine, theirs = form_token(operator.get("/ops")), form_token(other.get("/ops"))
        assert mine != theirs
        for headers, token in (
            ({"Sec-Fetch-Site": "cross-site"}, mine),
            ({"Sec-Fetch-Site": "same-site"}, mine),
            ({"Sec-Fetch-Site": "none"}, mine),
            ({}, theirs),
            ({}, ""),
            ({}, "0" * 64),
        ):
            for path in ("/ops/failed/give-up", "/ops/failed/park", "/ops/failed/retry", "/ops/deliveries/downtime", "/ops/sign-out"):
                answer = operator.post(path, data=fields | {"form_token": token}, headers=headers)
                assert (answer.status_code, "NG-1109" in answer.text) == (403, True), path
        assert operator.get("/ops").status_code == 200
        silent = httpx2.Client(base_url=running.url, cookies=operator.cookies, headers={"Accept": "text/html"})
        with silent:
            for origin in ({}, {"Origin": "null"}, {"Origin": "https://elsewhere.example"}):
                answer = silent.post("/ops/failed/park", data=fields | {"form_token": mine}, headers=origin)
                assert answer.status_code == 403
            own = silent.post("/ops/sign-out", data={"form_token": mine}, headers={"Origin": running.url})
            assert own.status_code == 303
    assert row_of(running, delivery) == before


def test_signing_out_ends_the_session_on_this_side(running: Operations) -> None:
    with running.signed_in() as operator:
        token, cookies = form_token(operator.get("/ops")), dict(operator.cookies)
        answer = operator.post("/ops/sign-out", data={"form_token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/ops/sign-in")
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert recorded(running, "session:closed")[-1].actor == "operator:alex"
    with running.visitor() as visitor:
        visitor.cookies.update(cookies)
        assert visitor.get("/ops").status_code == 303


def test_a_session_ends_when_nothing_is_heard_of_it_in_any_case_after_a_shift_and_with_its_token(running: Operations) -> None:
    clock = running.house.clock
    with running.signed_in() as operator:
        clock.move(IDLE - timedelta(seconds=1))
        assert operator.get("/ops/queues").status_code == 200
        clock.move(IDLE - timedelta(seconds=1))
        assert operator.get("/ops/queues").status_code == 200
        clock.move(IDLE)
        assert operator.get("/ops/queues").status_code == 303
    with running.signed_in() as operator:
        for _ in range(int(ABSOLUTE / timedelta(minutes=14))):
            clock.move(timedelta(minutes=14))
            assert operator.get("/ops/queues").status_code == 200
        clock.move(timedelta(minutes=14))
        assert operator.get("/ops/queues").status_code == 303
    with running.signed_in() as operator:
        opened = recorded(running, "session:opened")[-1]
        onboard.revoke_token(running.house.gateway, token_id=UUID(str(opened.fields["token"])), actor="test")
        assert operator.get("/ops/queues").status_code == 303


def test_an_operator_who_only_looks_sees_all_and_changes_nothing(running: Operations) -> None:
    delivery = running.fails()
    with running.signed_in("robin", may_act=False) as operator:
        page = operator.get(f"/ops/failed/item?id={delivery}")
        assert page.status_code == 200
        assert "Give up" not in page.text
        token = form_token(page)
        for path in ("failed/give-up", "failed/park", "failed/retry", "deliveries/downtime", "deliveries/downtime/end"):
            answer = operator.post(f"/ops/{path}", data={"id": str(delivery), "reason": "damaged", "sure": "yes", "form_token": token})
            assert (answer.status_code, "NG-1105" in answer.text) == (403, True)
    assert row_of(running, delivery)["parked_at"] is None


def test_failed_work_is_retried_by_cause_after_a_look_and_a_second_press_finds_nothing(running: Operations) -> None:
    running.fails("http-409")
    running.fails("http-409")
    with running.signed_in() as operator:
        page = operator.get("/ops/failed?code=http-409")
        assert "2 deliveries fail or are parked, by 1 cause" in page.text
        shown = operator.get(f"/ops/failed/retry?authority={MIDDLESBROUGH}&code=http-409")
        assert "2 would be retried" in shown.text
        fields = {"authority": MIDDLESBROUGH, "code": "http-409", "form_token": form_token(shown)}
        without = operator.post("/ops/failed/retry", data=fields)
        assert (without.status_code, "Choose why" in without.text) == (422, True)
        before = len(recorded(running, "delivery:requeued"))
        done = operator.post("/ops/failed/retry", data=fields | {"reason": "receiver-mended"})
        assert done.status_code == 303
        assert "2 queued anew" in operator.get(done.headers["location"]).text
        told = recorded(running, "delivery:requeued")[before:]
        assert [(event.actor, event.fields["reason"]) for event in told] == [("operator:alex", "receiver-mended")] * 2
        again = operator.post("/ops/failed/retry", data=fields | {"reason": "receiver-mended"})
        assert "retried=0" in again.headers["location"]
        assert len(recorded(running, "delivery:requeued")) == before + 2


def test_a_delivery_is_parked_and_given_up_with_a_reason_and_by_name(running: Operations) -> None:
    delivery = running.fails()
    with running.signed_in() as operator:
        address = f"/ops/failed/item?id={delivery}"
        fields = {"id": str(delivery), "form_token": form_token(operator.get(address))}
        assert operator.post("/ops/failed/park", data=fields).status_code == 422
        parked = operator.post("/ops/failed/park", data=fields | {"reason": "under-inquiry"})
        assert "Parked." in operator.get(parked.headers["location"]).text
        assert recorded(running, "delivery:parked")[-1].actor == "operator:alex"
        assert operator.post("/ops/failed/give-up", data=fields | {"reason": "damaged"}).status_code == 422
        gone = operator.post("/ops/failed/give-up", data=fields | {"reason": "damaged", "sure": "yes"})
        assert "Given up. The trust sees it." in operator.get(gone.headers["location"]).text
        assert recorded(running, "delivery:given_up")[-1].actor == "operator:alex"
        again = operator.post("/ops/failed/give-up", data=fields | {"reason": "damaged", "sure": "yes"})
        assert "done=nothing" in again.headers["location"]
        assert "Given up" in operator.get(address).text


def test_a_downtime_is_planned_shown_and_ended(running: Operations) -> None:
    starts = running.house.clock.now() + timedelta(hours=1)
    with running.signed_in() as operator:
        fields = {"form_token": form_token(operator.get("/ops/deliveries/downtime")), "authority": MIDDLESBROUGH, "reason": "upgrade"}
        span = {"starts_at": f"{starts:%Y-%m-%dT%H:%M}", "ends_at": f"{starts + timedelta(hours=3):%Y-%m-%dT%H:%M}"}
        for wrong in ({}, span | {"ends_at": span["starts_at"]}, span | {"authority": "E09999999"}, span | {"reason": "holiday"}):
            answer = operator.post("/ops/deliveries/downtime", data=fields | wrong)
            assert (answer.status_code, 'role="alert"' in answer.text) == (422, True), wrong
        done = operator.post("/ops/deliveries/downtime", data=fields | span)
        page = operator.get(done.headers["location"]).text
        assert "Planned. Nothing goes out in those hours" in page
        planned = recorded(running, "downtime:planned")[-1]
        ended = operator.post("/ops/deliveries/downtime/end", data={"form_token": fields["form_token"], "id": planned.subject})
        assert "None is on, and none to come." in operator.get(ended.headers["location"]).text


def test_an_authority_s_channel_is_tried_without_sending_anything(running: Operations) -> None:
    with running.signed_in() as operator:
        page = operator.get("/ops/deliveries")
        assert page.text.count("/ops/deliveries/test") == 1, "Stockton comes to us"
        fields = {"form_token": form_token(page), "authority": MIDDLESBROUGH}
        done = operator.post("/ops/deliveries/test", data=fields)
        assert "Middlesbrough cannot be reached by webhook: refused." in operator.get(done.headers["location"]).text
        tried = recorded(running, "channel:tried")[-1]
        assert (tried.actor, tried.subject, tried.fields["code"]) == ("operator:alex", MIDDLESBROUGH, "refused")
        assert operator.post("/ops/deliveries/test", data=fields | {"authority": "E09999999"}).status_code in (404, 422)
        forged = operator.get(f"/ops/deliveries?tried={MIDDLESBROUGH}&code=all+is+well")
        assert 'role="status"' not in forged.text


@pytest.mark.parametrize(
    "address",
    ["failed?authority=Wren", "failed?standing=lost", "failed?channel=post", "failed/item?id=9990548609", "failed/retry?code=A B"],
)
def test_what_nothing_can_be_called_is_refused_and_not_repeated(running: Operations, address: str) -> None:
    with running.signed_in() as operator:
        answer = operator.get(f"/ops/{address}")
        assert (answer.status_code, "NG-1011" in answer.text) == (400, True)
        assert address.rpartition("=")[2] not in answer.text
        assert operator.get(f"/ops/failed/item?id={uuid4()}").status_code == 404


def test_home_says_in_sentences_how_it_stands(running: Operations) -> None:
    running.sequenced()
    with running.signed_in() as operator:
        page = operator.get("/ops").text
    for said in (
        "Notifications are arriving",
        "Oldest waiting",
        "Log growth",
        " hold",
        "Example Community NHS Trust",
        "Delivered in time",
    ):
        assert said in page, said


def test_the_pages_are_off_unless_turned_on(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> None:
    with operations(tmp_path_factory.mktemp("off"), templates, where="off") as served, served.visitor() as visitor:
        for method, path in (("GET", "/ops"), ("GET", "/ops/sign-in"), ("POST", "/ops/sign-in"), ("GET", "/ops/checks.json")):
            answer = visitor.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (404, "NG-1010")
