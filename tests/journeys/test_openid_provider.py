# SPDX-License-Identifier: MIT
"""People sign in at a real OpenID provider that others keep (oidc-provider): as at Entra ID, and as at NHS CIS2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from notify_gateway.app import create_app
from notify_gateway.cli.doctor_staff import check_staff_providers
from notify_gateway.cli.findings import State
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import SystemClock
from notify_gateway.settings import Deployment, Settings
from notify_gateway.use_cases.staff_sessions import Visit, look
from tests.support.openid import SITE, TENANT, OpenIdProvider, openid_provider
from tests.support.staff import browser, parameters
from tests.support.templates import Templates
from tests.use_cases.conftest import House, furnished


@dataclass
class Site:
    """The application, and the provider at which its people sign in."""

    house: House
    app: FastAPI
    provider: OpenIdProvider

    def come_in(self, name: str, client: TestClient, there: httpx2.Client | None = None, path: str = "") -> Any:
        with httpx2.Client() as fresh:
            begun = client.get(path or f"/sign-in/with/{name}?next=/account")
            assert begun.status_code == 303, begun.text
            return client.get(self.provider.visit(begun.headers["location"], there or fresh))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("openid")
    with contextmanager(furnished)(folder, templates, None) as house, openid_provider(folder) as provider:
        settings = house.gateway.settings.model_copy(update={"staff_providers": folder / "providers.toml", "base_url": SITE})
        runtime = replace(house.runtime, gateway=replace(house.gateway, settings=settings, clock=SystemClock()))
        yield Site(replace(house, runtime=runtime), create_app(runtime), provider)


def robin(site: Site, **claims: object) -> None:
    site.provider.knows("robin", **({"tid": TENANT, "oid": "object-1", "name": "Robin Officer", "roles": ["early-years"]} | claims))


def kim(site: Site, acr: str = "AAL3", selected: str | None = None, *more: tuple[str, str, str]) -> None:
    roles = [("1", "RXX", "S8000:G8000:R8015"), *more]
    listed = [{"person_roleid": person, "org_code": org, "role_code": code} for person, org, code in roles]
    claims = {"name": "Kim Integration", "nhsid_nrbac_roles": listed} | ({"selected_roleid": selected} if selected else {})
    site.provider.knows("kim", acr=acr, **claims)


def test_somebody_signs_in_as_at_entra_id(site: Site) -> None:
    robin(site)
    client = browser(site.app)
    assert site.come_in("entra", client).headers["location"] == "/account"
    assert "Robin Officer" in client.get("/account").text


@pytest.mark.parametrize("selected", [None, "1"], ids=["no role selected", "role selected"])
def test_somebody_signs_in_as_at_cis2_with_a_key_for_a_secret(site: Site, selected: str | None) -> None:
    kim(site, "AAL3", selected)
    client = browser(site.app)
    assert site.come_in("cis2", client).headers["location"] == "/account"
    assert "Trust engineer" in client.get("/account").text


def test_whoever_may_not_come_in_stays_out(site: Site) -> None:
    refusals = []
    for claims in ({"tid": "33333333-0000-4000-8000-000000000023"}, {"roles": ["canteen"]}, {"roles": "early-years"}, {"oid": None}):
        robin(site, **claims)
        refusals.append(site.come_in("entra", browser(site.app)))
    kim(site, "AAL1")
    refusals.append(site.come_in("cis2", browser(site.app)))
    kim(site, "AAL3", "2", ("2", "RYY", "S8000:G8000:R8015"))
    refusals.append(site.come_in("cis2", browser(site.app)))
    site.provider.refuses()
    refusals.append(site.come_in("entra", browser(site.app)))
    codes = (
        Code.STAFF_TENANT,
        Code.STAFF_NO_ROLE,
        Code.STAFF_NO_ROLE,
        Code.STAFF_TOKEN_REFUSED,
        Code.STAFF_ASSURANCE,
        Code.STAFF_NO_ROLE,
        Code.STAFF_SIGN_IN_BROKEN_OFF,
    )
    for code, answer in zip(codes, refusals, strict=True):
        assert (answer.status_code, code.value in answer.text) == (403, True), code
        assert not any("staff=" in line and "Max-Age=0" not in line for line in answer.headers.get_list("set-cookie"))


def test_a_code_of_one_client_is_nothing_to_the_other(site: Site) -> None:
    """Mix-up: the answer of one provider, brought to the address of another, is refused, whoever's browser brings it."""
    robin(site)
    client = browser(site.app)
    with httpx2.Client() as there:
        at_cis2 = parameters(site.provider.visit(client.get("/sign-in/with/cis2").headers["location"], there))
    with httpx2.Client() as there:
        at_entra = parameters(site.provider.visit(client.get("/sign-in/with/entra").headers["location"], there))
    assert at_entra["iss"] == site.provider.issuer
    swapped = client.get("/sign-in/callback/entra", params=at_entra | {"code": at_cis2["code"]})
    assert (swapped.status_code, Code.STAFF_TOKEN_REFUSED.value in swapped.text) == (403, True)
    elsewhere = client.get("/sign-in/callback/entra", params=at_cis2)
    assert (elsewhere.status_code, Code.STAFF_SIGN_IN_STALE.value in elsewhere.text) == (403, True)


def test_proving_anew_has_the_provider_ask_again(site: Site) -> None:
    robin(site)
    client = browser(site.app)
    with httpx2.Client() as there:
        site.come_in("entra", client, there)
        assert site.come_in("entra", client, there, "/sign-in/again?next=/account").headers["location"] == "/account"
    found = look(site.house.gateway, client.cookies["staff"])
    assert isinstance(found, Visit)
    assert found.stepped_up


def test_doctor_finds_the_providers_well_and_explains_one_that_is_wrong(site: Site) -> None:
    settings, clock = site.house.gateway.settings, site.house.clock
    found = list(check_staff_providers(settings, clock))
    assert [(each.name, each.state) for each in found] == [("identity provider entra", State.OK), ("identity provider cis2", State.OK)]

    def wrong(before: str, after: str) -> list[Any]:
        file = settings.staff_providers.with_name("wrong.toml")
        file.write_text(settings.staff_providers.read_text().replace(before, after))
        return list(check_staff_providers(_with(settings, file), clock))

    issuer = site.provider.issuer
    for before, after, told in (
        (f'issuer = "{issuer}"', f'issuer = "{issuer}/"', "another issuer"),
        (f'issuer = "{issuer}"', f'issuer = "{issuer}/realm"', "no OpenID Connect configuration"),
        (f'issuer = "{issuer}"', 'issuer = "http://127.0.0.1:9"', "does not answer"),
        ("entra.secret", "missing.secret", "cannot be read"),
        ('shape = "entra"', 'shape = "entra"\nalgorithm = "RS512"', "algorithm"),
        ('shape = "entra"', 'shape = "azure"', "shape"),
    ):
        first = wrong(before, after)[0]
        assert (first.state, told in first.value, bool(first.fix)) == (State.FAIL, True, True), first


def test_doctor_says_whether_the_database_keeps_organisations_apart(site: Site) -> None:
    live = site.house.gateway.settings.model_copy(update={"deployment": Deployment.LIVE})
    assert [each.state for each in check_staff_providers(live, site.house.clock)] == [State.FAIL], (
        "a provider on this machine is for practice"
    )
    issuer, file = site.provider.issuer, live.staff_providers.with_name("live.toml")
    file.write_text(live.staff_providers.read_text().replace(issuer, "https://login.example.invalid"))
    *_, rows = check_staff_providers(_with(live, file), site.house.clock)
    assert (rows.name, rows.state, "migrate --roles" in rows.fix) == ("rows of pages", State.WARN, True)


def _with(settings: Settings, file: object) -> Settings:
    return settings.model_copy(update={"staff_providers": file})
