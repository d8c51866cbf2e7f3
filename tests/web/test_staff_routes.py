# SPDX-License-Identifier: MIT
"""Every route for people, walked as every role of every organisation: who may come, who is told why not, and who is told of nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import httpx2
import pytest
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from notify_gateway.api import endpoints as machines
from notify_gateway.api.endpoints import ENDPOINTS
from notify_gateway.app import create_app
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.policy import TABLE, Act
from notify_gateway.domain.staff import Role
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.staff_sessions import Visit, look
from tests.support.messages import a_message
from tests.support.staff import MIDDLESBROUGH, STOCKTON, TRUST, practice, sign_in_as
from tests.support.templates import Templates
from tests.use_cases.casework import an_office
from tests.use_cases.conftest import furnished

_CASE = "/notifications/{reference}"
FOR_WHOM: Mapping[Act | None, tuple[str, ...]] = {
    None: (
        *(f"GET {path}" for path in ("/account", "/still-here", "/sign-in/continue", "/sign-in/again")),
        *(f"POST {path}" for path in ("/sign-out", "/sign-out/everywhere", "/sign-in/discard")),
    ),
    Act.READ_INBOX: (
        *(f"GET {path}" for path in ("/inbox", "/inbox/overdue", "/inbox/duplicates", "/inbox/duplicates/{pair_id}", "/team", _CASE)),
        "POST /inbox/notices",
    ),
    Act.WORK_CASE: (
        *(
            f"{method} {_CASE}/{name}"
            for name in ("acknowledge", "assign", "contacts/new", "outcome", "reopen", "transfer", "question", "duplicate")
            for method in ("GET", "POST")
        ),
        *(f"POST {_CASE}/{name}" for name in ("take", "close", "assign/undo", "question/take-back")),
        *(f"{method} {_CASE}/contacts/{{contact_id}}" for method in ("GET", "POST")),
        *(f"{method} /team/members/{{member_id}}/leave" for method in ("GET", "POST")),
        "POST /inbox/duplicates/{pair_id}",
        "POST /inbox/duplicates/{pair_id}/undo",
    ),
    Act.ASSIGN_OTHERS: (*(f"{method} {path}" for path in ("/inbox/assign", f"{_CASE}/extend") for method in ("GET", "POST")),),
    Act.CHANGE_SETTINGS: ("GET /team/settings", "POST /team/settings"),
    Act.REVEAL_CARD: (
        *(f"{method} {_CASE}/identity" for method in ("GET", "POST")),
        f"POST {_CASE}/identity/hide",
        f"GET {_CASE}/card",
        f"POST {_CASE}/card/sealed",
        f"POST {_CASE}/card/file",
    ),
    Act.REVEAL_ORIGINAL: (
        *(f"{method} {_CASE}/identity/original" for method in ("GET", "POST")),
        f"GET {_CASE}/card/original",
        f"POST {_CASE}/card/original/sealed",
    ),
    Act.DOWNLOAD: (
        *(f"GET /inbox/{name}" for name in ("rows.csv", "rows.xlsx", "panel", "panel.pdf")),
        *(f"GET {_CASE}/{name}" for name in ("print", "notification.pdf", "parent-copy", "parent-copy.pdf")),
        "POST /inbox/panel",
    ),
    Act.ENROL_DEVICE: (
        "GET /devices",
        "GET /devices/drill",
        *(f"POST /devices/{name}" for name in ("enrol", "approve", "end", "drill", "drill/answer")),
    ),
}
"""Each route for people with what its visitor has to be allowed to do. A route without a line fails, and so does a line without a route."""
FOR_EVERYBODY = frozenset(
    {"GET /sign-in", "GET /sign-in/with/{provider_id}", "GET /sign-in/callback/{provider_id}"}
    | {"GET /help", "GET /privacy", "GET /accessibility", "GET /nonprod/components"}
)
ROUTES = {route: act for act, routes in FOR_WHOM.items() for route in routes}
OTHERS = (
    machines.FOR_TRUSTS,
    machines.FOR_AUTHORITIES,
    machines.SIGN_IN,
    machines.FOR_EVERYBODY,
    machines.LOG,
    machines.RECONCILIATION,
    machines.TASKS,
    machines.FEEDBACK,
    machines.DEFINITIONS,
    machines.OPERATING,
)
ORGANISATIONS = (STOCKTON, MIDDLESBROUGH, TRUST)
NOT_THERE = "SEN-ZZZZZZZZ-Z"
LEAVE = "POST /team/members/{member_id}/leave"
"""Officers say when they themselves are away, managers when anybody is."""
ENDING = ("POST /sign-out", "POST /sign-out/everywhere")
Who = tuple[Role, str]


@dataclass
class Site:
    """The application, a notification that an authority works on, and one browser for each role of each organisation."""

    gateway: Gateway
    client: TestClient
    reference: str
    member: str
    visits: dict[Who, tuple[str, Visit]]

    def go(self, route: str, who: Who | None, *, reference: str | None = None, member: str | None = None) -> httpx2.Response:
        """Take the route as somebody of that role and organisation, or as nobody; answers are as machines get them."""
        method, _, path = route.partition(" ")
        cookie, visit = (None, None) if who is None else self.signed_in(who, "Leaving") if route in ENDING else self.visits[who]
        own = str(visit.person.id) if visit is not None and route == LEAVE else self.member
        ids = {"reference": reference or self.reference, "member_id": member or own}
        for name, value in (ids | dict.fromkeys(("pair_id", "contact_id"), NOBODY)).items():
            path = path.replace(f"{{{name}}}", value)
        headers = {"Accept": "application/json", "Sec-Fetch-Site": "same-origin"} | ({"Cookie": f"staff={cookie}"} if cookie else {})
        data = {"form_token": visit.form_token, "form": str(uuid4()), "version": "1"} if visit is not None and method == "POST" else None
        return self.client.request(method, path, headers=headers, data=data)

    def signed_in(self, who: Who, name: str = "Staying") -> tuple[str, Visit]:
        """Sign somebody in who has just proved who they are."""
        cookie = sign_in_as(self.gateway, who[0], authority=who[1], name=name, stepped_up=True)
        visit = look(self.gateway, cookie)
        assert isinstance(visit, Visit)
        return cookie, visit


NOBODY = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("routes")
    with contextmanager(furnished)(folder, templates, None) as house, practice(folder) as running:
        office = an_office(house)
        reference = office.arrives(a_message())
        settings = house.gateway.settings.model_copy(
            update={"staff_providers": running.file, "base_url": "http://testserver", "address_rate": 0}
        )
        gateway = replace(house.gateway, settings=settings)
        app = create_app(replace(house.runtime, gateway=gateway))
        with TestClient(app, follow_redirects=False) as client:
            made = Site(gateway, client, reference, str(office.ann.id), {})
            made.visits.update({(role, each): made.signed_in((role, each)) for role in Role for each in ORGANISATIONS})
            yield made


def test_every_route_for_people_says_for_whom_it_is(site: Site) -> None:
    routes = {f"{method} {route.path}" for route in iter_route_contexts(site.client.app.routes) for method in route.methods or ()}  # type: ignore[attr-defined]
    known = {f"{method} {path}" for method, path in ENDPOINTS} - {f"{method} {path}" for table in OTHERS for method, path in table}
    assert routes & known == set(ROUTES) | FOR_EVERYBODY


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_a_route_is_open_to_whom_the_policy_names_and_to_nobody_else(site: Site, route: str) -> None:
    act = ROUTES[route]
    assert site.go(route, None).status_code == 401
    for who in site.visits:
        answer, allowed = site.go(route, who), act is None or who[0] in TABLE[act]
        assert answer.status_code not in (401, 500), (who, answer.text)
        assert (answer.status_code == 403) != allowed, (who, answer.status_code)
        if not allowed:
            assert answer.json()["code"] == Code.SCOPE_MISSING.value


@pytest.mark.parametrize("route", sorted(route for route in ROUTES if "{" in route))
def test_what_is_another_authority_s_is_answered_as_what_is_not_there(site: Site, route: str) -> None:
    roles = (Role.MANAGER,) if route == LEAVE else TABLE[ROUTES[route] or Act.READ_INBOX]
    for who in ((role, organisation) for organisation in (MIDDLESBROUGH, TRUST) for role in roles):
        theirs = site.go(route, who, member=site.member)
        missing = site.go(route, who, reference=NOT_THERE, member=NOBODY)
        assert theirs.status_code == missing.status_code, who
        assert theirs.status_code in (404, 422), (who, theirs.status_code)
        assert theirs.text.replace(site.reference, NOT_THERE) == missing.text


def test_the_own_authority_s_officer_finds_it_there(site: Site) -> None:
    assert site.go(f"GET {_CASE}", (Role.OFFICER, STOCKTON)).status_code == 200
