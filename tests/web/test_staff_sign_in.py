# SPDX-License-Identifier: MIT
"""Signing in at a provider that lies, is somebody else, or is away: only the true answer to this browser's sign-in lets anybody in."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry
from sqlalchemy import select

from audit.events import read_leaf
from notify_gateway.app import create_app
from notify_gateway.credentials.claims import subject_hash
from notify_gateway.credentials.providers import ProvidersRefused
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import SystemClock
from notify_gateway.domain.staff import Role
from notify_gateway.settings import Deployment
from notify_gateway.store.tables import audit_tables, staff_sessions, staff_sign_ins
from notify_gateway.use_cases import staff
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.staff_sign_in import here
from tests.support.staff import STOCKTON, Practice, browser, come_in, parameters, practice
from tests.support.templates import Templates
from tests.use_cases.conftest import furnished

TENANT = "00000000-0000-4000-8000-000000000023"
OTHER_TENANT = "11111111-0000-4000-8000-000000000023"
MINE = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)


@dataclass
class Site:
    """The application, and the practice provider at which its people sign in."""

    gateway: Gateway
    app: FastAPI
    running: Practice

    def sessions(self) -> int:
        with self.gateway.engine.begin() as connection:
            return len(connection.execute(select(staff_sessions)).all())

    def events(self) -> list[Any]:
        with self.gateway.engine.begin() as connection:
            return [read_leaf(leaf) for leaf in connection.scalars(select(audit_tables.pending.c.leaf))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("sign-in")
    with contextmanager(furnished)(folder, templates, None) as house, practice(folder) as running:
        settings = house.gateway.settings.model_copy(update={"staff_providers": running.file, "base_url": "http://testserver"})
        gateway = replace(house.gateway, settings=settings, clock=SystemClock())
        yield Site(gateway, create_app(replace(house.runtime, gateway=gateway)), running)


@pytest.fixture(autouse=True)
def _tells_the_truth(site: Site) -> None:
    site.running.provider.lie = dict


def signed(claims: Mapping[str, Any], key: RSAKey, **header: object) -> str:
    """Return the claims signed, under a header that may say anything."""
    plain = RSAKey.import_key(key.as_pem(private=True))
    wanted = JWSRegistry(algorithms=[str(header.get("alg", "RS256"))], strict_check_header=False)
    return jwt.encode({"alg": "RS256", "kid": key.kid, **header}, dict(claims), plain, registry=wanted)


def by_hand(claims: Mapping[str, Any], header: Mapping[str, str], sign: Callable[[bytes], bytes] = lambda _: b"") -> str:
    """Return a token that no library would make."""
    parts = [_encoded(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join((*parts, _encoded(sign(".".join(parts).encode()))))


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def with_the_public_key_as_the_secret(claims: Mapping[str, Any], key: RSAKey) -> str:
    pem = key.as_pem(private=False)
    return by_hand(claims, {"alg": "HS256", "kid": key.kid or ""}, lambda text: hmac.digest(pem, text, "sha256"))


def changed_after_signing(claims: Mapping[str, Any], key: RSAKey) -> str:
    true, other = signed(claims, key).split("."), signed(claims | {"roles": [f"{STOCKTON}.manager"]}, MINE).split(".")
    return ".".join((true[0], other[1], true[2]))


Lie = Callable[[dict[str, Any], RSAKey], "str | Mapping[str, Any]"]
LIES: Mapping[str, tuple[Lie, Code]] = {
    "another issuer": (lambda c, _: c | {"iss": "https://evil.example"}, Code.STAFF_TOKEN_REFUSED),
    "no issuer": (lambda c, _: {k: v for k, v in c.items() if k != "iss"}, Code.STAFF_TOKEN_REFUSED),
    "a tenant that is not let in": (lambda c, _: c | {"tid": OTHER_TENANT}, Code.STAFF_TENANT),
    "no tenant": (lambda c, _: {k: v for k, v in c.items() if k != "tid"}, Code.STAFF_TENANT),
    "tenants as a list": (lambda c, _: c | {"tid": [TENANT]}, Code.STAFF_TENANT),
    "for another application": (lambda c, _: c | {"aud": "somebody-else"}, Code.STAFF_TOKEN_REFUSED),
    "for us and another application": (lambda c, _: c | {"aud": [c["aud"], "somebody-else"]}, Code.STAFF_TOKEN_REFUSED),
    "for us, by another party": (lambda c, _: c | {"azp": "somebody-else"}, Code.STAFF_TOKEN_REFUSED),
    "another nonce": (lambda c, _: c | {"nonce": "x" * 43}, Code.STAFF_TOKEN_REFUSED),
    "no nonce": (lambda c, _: {k: v for k, v in c.items() if k != "nonce"}, Code.STAFF_TOKEN_REFUSED),
    "expired": (lambda c, _: c | {"exp": int(time.time()) - 120}, Code.STAFF_TOKEN_REFUSED),
    "never expires": (lambda c, _: {k: v for k, v in c.items() if k != "exp"}, Code.STAFF_TOKEN_REFUSED),
    "made long ago": (lambda c, _: c | {"iat": int(time.time()) - 3600}, Code.STAFF_TOKEN_REFUSED),
    "made tomorrow": (lambda c, _: c | {"iat": int(time.time()) + 86400}, Code.STAFF_TOKEN_REFUSED),
    "not yet good": (lambda c, _: c | {"nbf": int(time.time()) + 600}, Code.STAFF_TOKEN_REFUSED),
    "times that are words": (lambda c, _: c | {"exp": "tomorrow"}, Code.STAFF_TOKEN_REFUSED),
    "no subject": (lambda c, _: {k: v for k, v in c.items() if k not in ("sub", "oid")}, Code.STAFF_TOKEN_REFUSED),
    "no signature (alg none)": (lambda c, _: by_hand(c, {"alg": "none"}), Code.STAFF_TOKEN_REFUSED),
    "HS256 with the public key as the secret": (with_the_public_key_as_the_secret, Code.STAFF_TOKEN_REFUSED),
    "another algorithm with the right key": (lambda c, k: signed(c, k, alg="PS256"), Code.STAFF_TOKEN_REFUSED),
    "a key that is not published": (lambda c, _: signed(c, MINE), Code.STAFF_TOKEN_REFUSED),
    "another key under a published kid": (lambda c, k: signed(c, MINE, kid=k.kid), Code.STAFF_TOKEN_REFUSED),
    "a key that the token brings along": (lambda c, _: signed(c, MINE, jwk=MINE.as_dict(private=False)), Code.STAFF_TOKEN_REFUSED),
    "claims changed after signing": (changed_after_signing, Code.STAFF_TOKEN_REFUSED),
    "no token at all": (lambda c, _: "not.a.token", Code.STAFF_TOKEN_REFUSED),
    "a token of a megabyte": (lambda c, _: "a" * 2**18 + ".b.c", Code.STAFF_TOKEN_REFUSED),
    "an e-mail address of a manager, and no role": (
        lambda c, _: (
            c | {"roles": [], "email": "sam.manager@stockton.example.gov.uk", "preferred_username": "sam.manager@stockton.example.gov.uk"}
        ),
        Code.STAFF_NO_ROLE,
    ),
    "a role that is known nowhere": (lambda c, _: c | {"roles": ["E06000004.king"]}, Code.STAFF_NO_ROLE),
    "roles as one text": (lambda c, _: c | {"roles": f"{STOCKTON}.manager"}, Code.STAFF_NO_ROLE),
    "roles left out for being too many": (
        lambda c, _: {k: v for k, v in c.items() if k != "roles"} | {"_claim_names": {"roles": "src1"}},
        Code.STAFF_GROUPS_MISSING,
    ),
    "roles in two organisations": (lambda c, _: c | {"roles": ["E06000004.officer", "E06000002.officer"]}, Code.STAFF_TWO_ORGANISATIONS),
}


@pytest.mark.parametrize("name", LIES)
def test_a_token_that_is_not_the_true_answer_lets_nobody_in(site: Site, name: str) -> None:
    lie, code = LIES[name]
    provider = site.running.provider
    provider.lie = lambda claims: lie(claims, provider.key)
    before, client = site.sessions(), browser(site.app)
    answer = come_in(client, site.running, "officer")
    assert (answer.status_code, code.value in answer.text) == (403, True), answer.text[-1500:]
    assert "staff" not in client.cookies
    assert site.sessions() == before
    denied = [event for event in site.events() if event.tag == "access:denied" and event.subject == "staff-sign-in"]
    assert denied
    assert "Go to the sign-in page" in answer.text


def test_the_true_answer_lets_somebody_in_with_the_role_of_their_group(site: Site) -> None:
    client = browser(site.app)
    answer = come_in(client, site.running, "manager", goes_to="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = client.get("/account").text
    assert "Sam Manager" in page
    assert "Manager" in page
    tags = [event.tag for event in site.events() if event.subject or event.actor]
    assert {"staff:added", "staff_session:opened"} <= set(tags)
    assert not any("Sam" in str(event) for event in site.events())


def test_roles_follow_the_groups_at_each_sign_in_and_the_log_says_so(site: Site) -> None:
    client = browser(site.app)
    come_in(client, site.running, "strategic-lead")
    site.running.provider.lie = lambda claims: claims | {"roles": [f"{STOCKTON}.ig-officer"]}
    come_in(client, site.running, "strategic-lead")
    assert "Information governance officer" in client.get("/account").text
    changed = [event for event in site.events() if event.tag == "staff:roles_changed"]
    assert (changed[-1].fields["before"], changed[-1].fields["after"]) == ("strategic-lead", "ig-officer")


def test_an_answer_is_good_for_one_use(site: Site) -> None:
    client = browser(site.app)
    begun = client.get("/sign-in/with/practice")
    back = site.running.choose(begun.headers["location"], "officer")
    held = client.cookies["sign-in"]
    assert client.get(back).status_code == 303
    client.cookies.set("sign-in", held)
    again = client.get(back)
    assert (again.status_code, Code.STAFF_SIGN_IN_STALE.value in again.text) == (403, True)


def test_an_answer_is_good_in_the_browser_that_asked_and_in_no_other(site: Site) -> None:
    """Nobody can be made to sign in as somebody else by a link (login CSRF)."""
    client, victim = browser(site.app), browser(site.app)
    back = site.running.choose(client.get("/sign-in/with/practice").headers["location"], "officer")
    victim.get("/sign-in/with/practice")
    for other in (victim, browser(site.app)):
        answer = other.get(back)
        assert (answer.status_code, Code.STAFF_SIGN_IN_STALE.value in answer.text) == (403, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iss": "https://another-provider.example"}, Code.STAFF_TOKEN_REFUSED),
        ({"iss": None}, Code.STAFF_TOKEN_REFUSED),
        ({"code": "stolen-or-made-up"}, Code.STAFF_TOKEN_REFUSED),
        ({"code": None}, Code.STAFF_SIGN_IN_BROKEN_OFF),
        ({"error": "access_denied", "code": None}, Code.STAFF_SIGN_IN_BROKEN_OFF),
        ({"error": "access_denied"}, Code.STAFF_SIGN_IN_BROKEN_OFF),
        ({"code": "x" * 5000}, Code.STAFF_SIGN_IN_STALE),
        ({"state": "guessed"}, Code.STAFF_SIGN_IN_STALE),
        ({"state": None}, Code.STAFF_SIGN_IN_STALE),
    ],
    ids=["mix-up", "unnamed issuer", "another code", "no code", "refused", "refused with a code", "long code", "another state", "no state"],
)
def test_an_answer_that_was_tampered_with_on_the_way_lets_nobody_in(site: Site, change: dict[str, str | None], code: Code) -> None:
    client = browser(site.app)
    back = parameters(site.running.choose(client.get("/sign-in/with/practice").headers["location"], "officer")) | change
    answer = client.get("/sign-in/callback/practice", params={name: value for name, value in back.items() if value is not None})
    assert (answer.status_code, code.value in answer.text) == (403, True)
    assert "staff" not in client.cookies


def test_an_answer_at_the_address_of_another_provider_is_none(site: Site) -> None:
    client = browser(site.app)
    back = parameters(site.running.choose(client.get("/sign-in/with/practice").headers["location"], "officer"))
    assert client.get("/sign-in/callback/another", params=back).status_code == 403
    assert client.get("/sign-in/with/another").status_code == 404


def test_a_code_is_bound_to_the_sign_in_that_asked_for_it(site: Site) -> None:
    """The code of one sign-in in the answer to another fails by PKCE, whoever's browser it is."""
    client = browser(site.app)
    first = parameters(site.running.choose(client.get("/sign-in/with/practice").headers["location"], "manager"))
    second = parameters(site.running.choose(client.get("/sign-in/with/practice").headers["location"], "officer"))
    answer = client.get("/sign-in/callback/practice", params=second | {"code": first["code"]})
    assert (answer.status_code, Code.STAFF_TOKEN_REFUSED.value in answer.text) == (403, True)


def test_sign_ins_that_nobody_ended_are_forgotten(site: Site) -> None:
    client = browser(site.app)
    begun = client.get("/sign-in/with/practice")
    asked = parameters(begun.headers["location"])
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    with site.gateway.engine.begin() as connection:
        connection.execute(staff_sign_ins.update().values(expires_at=site.gateway.clock.now() - timedelta(seconds=1)))
    assert client.get(site.running.choose(begun.headers["location"], "officer")).status_code == 403
    client.get("/sign-in/with/practice")
    with site.gateway.engine.begin() as connection:
        assert len(connection.execute(select(staff_sign_ins)).all()) == 1


def test_whoever_is_closed_stays_out(site: Site) -> None:
    client = browser(site.app)
    come_in(client, site.running, "other-officer")
    (member,) = [each for each in staff.list_members(site.gateway) if each.name == "Chris Elsewhere"]
    assert staff.close_member(site.gateway, member_id=member.id, actor="operator:test") == 1
    assert client.get("/account").headers["location"].startswith("/sign-in")
    answer = come_in(client, site.running, "other-officer")
    assert (answer.status_code, Code.STAFF_CLOSED.value in answer.text) == (403, True)
    staff.reopen_member(site.gateway, member_id=member.id, actor="operator:test")
    assert come_in(client, site.running, "other-officer").status_code == 303


def test_roles_by_the_register_are_not_the_provider_s_to_change(site: Site) -> None:
    (provider,) = site.app.state.entrance.reception.providers.all()
    persona = next(each for each in site.running.provider.people if each.key == "operator")
    member = staff.add_member(
        site.gateway, provider=provider, organisation=STOCKTON, subject=persona.subject, roles=[Role.MANAGER], actor="operator:test"
    )
    assert member.subject_hash == subject_hash(provider.issuer, persona.subject)
    client = browser(site.app)
    come_in(client, site.running, "operator")
    assert "Manager" in client.get("/account").text


def test_another_site_cannot_begin_a_sign_in(site: Site) -> None:
    client = browser(site.app)
    answer = client.get("/sign-in/with/practice?next=/account", headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Faccount")


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie:x",
        "account",
        "/" + "a" * 600,
        "/%0d\n",
    ],
    ids=["no scheme", "https", "backslash", "script", "header", "no slash", "long", "line"],
)
def test_nobody_is_led_to_another_site_after_signing_in(site: Site, address: str) -> None:
    assert here(address) == ""
    assert come_in(browser(site.app), site.running, "officer", goes_to=address).headers["location"] == "/inbox"


def test_a_provider_that_changes_its_keys_is_asked_again_once_a_minute_at_most(site: Site) -> None:
    provider, providers = site.running.provider, site.app.state.entrance.reception.providers
    assert come_in(browser(site.app), site.running, "officer").status_code == 303
    before, provider.key = provider.key, MINE
    assert come_in(browser(site.app), site.running, "officer").status_code == 403
    providers._tried["practice"] -= timedelta(minutes=1)
    assert come_in(browser(site.app), site.running, "officer").status_code == 303
    provider.key = before
    assert come_in(browser(site.app), site.running, "officer").status_code == 403
    providers._tried["practice"] -= timedelta(minutes=1)
    assert come_in(browser(site.app), site.running, "officer").status_code == 303


def test_a_provider_that_is_away_is_told_as_such(site: Site) -> None:
    away = site.running.file.with_name("away.toml")
    away.write_text(site.running.file.read_text().replace(site.running.provider.issuer, "http://127.0.0.1:9"))
    gateway = replace(site.gateway, settings=site.gateway.settings.model_copy(update={"staff_providers": away}))
    runtime = replace(site.app.state.service.runtime, gateway=gateway)
    answer = browser(create_app(runtime)).get("/sign-in/with/practice")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert Code.STAFF_PROVIDER_AWAY.value in answer.text


def test_a_live_deployment_does_not_start_with_the_practice_provider(site: Site) -> None:
    live = site.gateway.settings.model_copy(update={"deployment": Deployment.LIVE})
    with pytest.raises(ProvidersRefused, match="practice"):
        create_app(replace(site.app.state.service.runtime, gateway=replace(site.gateway, settings=live)))
