# SPDX-License-Identifier: MIT
"""Signing in at the running service, as a trust's system does it and as somebody else would try to."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.sign_in import SignIn
from notify_gateway.domain.clock import SystemClock
from notify_gateway.domain.model import OrganisationType
from notify_gateway.use_cases import client_keys
from notify_gateway.use_cases.client_keys import Offer
from notify_gateway.use_cases.gateway import PARTIES_KNOWN_FOR
from tests.support.forgeries import FORGERIES
from tests.support.messages import a_message
from tests.support.service import PULL, RunningService, a_message_for
from tests.support.services import eventually
from tests.support.signing import Assertion, TrustKey, form, jwks
from tests.support.waiting import ROOT

PATH = "/oauth2/token"


def bring_on(service: RunningService, ods: str, *keys: TrustKey) -> str:
    """Let the keys of a trust in by two people, and return its client id."""
    made = client_keys.invite(
        service.gateway,
        ods=ods,
        name="A trust",
        organisation_type=OrganisationType.NHS_TRUST,
        offer=Offer(jwks=jwks(*keys)),
        actor="operator:a",
    )
    client_keys.approve(service.gateway, ods=ods, fingerprints=[key.fingerprint for key in keys], actor="operator:b")
    return str(made.client_id)


def assertion(service: RunningService, key: TrustKey, client_id: str) -> Assertion:
    return Assertion(key, client_id, f"{service.base_url}{PATH}", SystemClock().now())


def ask(service: RunningService, fields: dict[str, str] | bytes, *, gateway: int = 0, **headers: str) -> httpx2.Response:
    client = service.clients[gateway % len(service.clients)]
    if isinstance(fields, bytes):
        return client.post(PATH, content=fields, headers={"Content-Type": "application/x-www-form-urlencoded"} | headers)
    return client.post(PATH, data=fields, headers=headers)


@pytest.fixture(scope="module")
def signed(service: RunningService) -> tuple[TrustKey, TrustKey, str]:
    """A trust with two live keys, its own for each kind of service."""
    first, second = TrustKey("first", number=20 + service.embedded), TrustKey("second", "RSA", number=20 + service.embedded)
    return first, second, bring_on(service, "ROA", first, second)


def test_a_trust_finds_the_endpoint_signs_in_and_notifies_as_itself_alone(
    service: RunningService, signed: tuple[TrustKey, TrustKey, str], tmp_path: Path
) -> None:
    first, second, client_id = signed
    told = service.clients[0].get("/fhir/R4/.well-known/smart-configuration")
    assert told.headers["content-type"] == "application/json"
    configuration: dict[str, Any] = told.json()
    assert configuration["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert {"RS512", "RS384", "ES384", "EdDSA"} <= set(configuration["token_endpoint_auth_signing_alg_values_supported"])

    for key in (first, second):
        path = tmp_path / f"{key.kid}.pem"
        path.write_bytes(key.private_pem)
        own = SignIn.with_key_file(configuration["token_endpoint"], client_id, path, key.kid)
        token = own.bearer()
        assert own.bearer() == token
        message = a_message_for(a_message(), PULL)
        mismatch = service.post(message, token=token)
        assert (mismatch.status_code, "NG-1106" in mismatch.text) == (403, True)
        accepted = service.post(a_message_for(a_message(), PULL).from_sender("ROA"), token=token)
        assert accepted.status_code == 202, accepted.text


def test_the_answer_is_that_of_the_standard(service: RunningService, signed: tuple[TrustKey, TrustKey, str]) -> None:
    first, _, client_id = signed
    answer = ask(service, form(assertion(service, first, client_id).signed()))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    document = answer.json()
    assert sorted(document) == ["access_token", "expires_in", "scope", "token_type"]
    assert (document["token_type"], document["expires_in"] <= 600) == ("Bearer", True)
    refused = ask(service, form(assertion(service, first, client_id).but(aud="https://x.example").signed()))
    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_client"
    assert f"{service.base_url}{PATH}" in refused.json()["error_description"]


def test_every_forgery_gets_401_with_its_reason(service: RunningService, signed: tuple[TrustKey, TrustKey, str]) -> None:
    first, _, client_id = signed
    told = {}
    for name, (_, forge) in FORGERIES.items():
        answer = ask(service, form(forge(assertion(service, first, client_id))))
        told[name] = (answer.status_code, answer.json()["code"], answer.json()["error"])
    assert told == {name: (401, code.value, "invalid_client") for name, (code, _) in FORGERIES.items()}


@pytest.mark.parametrize(
    ("body", "status", "error", "code"),
    [
        (b"", 400, "invalid_request", "NG-1202"),
        (b"grant_type=password", 400, "unsupported_grant_type", "NG-1201"),
        (b"grant_type=client_credentials", 400, "invalid_request", "NG-1202"),
        (b"grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request", "NG-1202"),
        (b"grant_type=client_credentials&client_assertion_type=saml&client_assertion=x", 401, "invalid_client", "NG-1204"),
        (b"\xff\xfe", 400, "invalid_request", "NG-1202"),
        (b"&".join(b"a%d=1" % number for number in range(30)), 400, "invalid_request", "NG-1202"),
        (b"grant_type=" + b"x" * 20_000, 413, "invalid_request", "NG-1001"),
    ],
)
def test_a_bad_request_is_answered_in_form(service: RunningService, body: bytes, status: int, error: str, code: str) -> None:
    answer = ask(service, body)
    assert (answer.status_code, answer.json()["error"], answer.json()["code"]) == (status, error, code)
    assert answer.headers["cache-control"] == "no-store"


def test_another_kind_of_body_is_refused(service: RunningService) -> None:
    answer = ask(service, b"{}", **{"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (415, "NG-1002")


def test_an_assertion_is_good_once_at_all_gateways_together_and_after_the_broker_was_wiped(
    service: RunningService, signed: tuple[TrustKey, TrustKey, str]
) -> None:
    first, _, client_id = signed
    text = assertion(service, first, client_id).signed()
    assert ask(service, form(text)).status_code == 200
    if not service.embedded:
        with redis.Redis.from_url(service.settings.broker) as broker:
            broker.flushall()
    for gateway in range(len(service.clients)):
        again = ask(service, form(text), gateway=gateway)
        assert (again.status_code, again.json()["code"]) == (401, "NG-1221")


def test_a_revoked_key_stops_its_tokens_and_leaves_the_other_s(service: RunningService) -> None:
    first, second = TrustKey("going", number=30 + service.embedded), TrustKey("staying", number=40 + service.embedded)
    client_id = bring_on(service, "ROB", first, second)
    tokens = [ask(service, form(assertion(service, key, client_id).signed())).json()["access_token"] for key in (first, second)]
    path = "/fhir/R4/Task/00000000-0000-4000-8000-000000000000"
    assert [service.get(path, token).status_code for token in tokens] == [404, 404]
    client_keys.revoke_key(service.gateway, ods="ROB", kid="going", actor="operator:a")
    within = PARTIES_KNOWN_FOR.total_seconds() + 1
    eventually(lambda: service.get(path, tokens[0]).status_code == 401, within=within, what="the token of the revoked key refused")
    assert service.get(path, tokens[1]).status_code == 404
    assert ask(service, form(assertion(service, first, client_id).signed())).json()["code"] == "NG-1212"


def test_neither_key_nor_assertion_nor_token_is_written_down(
    service: RunningService, signed: tuple[TrustKey, TrustKey, str], tmp_path: Path
) -> None:
    first, _, client_id = signed
    made = assertion(service, first, client_id)
    token = ask(service, form(made.signed())).json()["access_token"]
    ask(service, form(made.signed()))
    ask(service, form(made.signed()[:-8] + "AAAAAAAA"))
    for secret in (token, made.claims["jti"], made.signed().partition(".")[2], made.signed().rpartition(".")[2]):
        assert secret not in service.output()
    path = tmp_path / "private.pem"
    path.write_bytes(TrustKey("nobody", number=50).private_pem)
    with pytest.raises(CommandFailed) as failed:
        SignIn.with_key_file(f"{service.base_url}{PATH}", client_id, path, "first").bearer()
    assert "NG-1214" in failed.value.told.title


def test_the_commands_of_the_documentation_get_a_token(service: RunningService, tmp_path: Path) -> None:
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```", (ROOT / "docs/trusts.md").read_text(encoding="utf-8"))
    make, get = (next(block for block in blocks if word in block) for word in ("openssl genpkey", "SIGNATURE="))

    def run(script: str, **values: str) -> str:
        env = service.environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"} | values
        ended = subprocess.run(["bash", "-euc", script], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    read_out = run(make.replace("4096", "2048")).split(maxsplit=3)[-1]
    ods = f"RD{int(service.embedded)}"
    offer = Offer(jwks=(tmp_path / "rxx.jwks.json").read_bytes())
    made = client_keys.invite(
        service.gateway, ods=ods, name="D", organisation_type=OrganisationType.NHS_TRUST, offer=offer, actor="operator:a"
    )
    client_keys.approve(service.gateway, ods=ods, fingerprints=[read_out], actor="operator:b")
    told = run(get, KID="rxx-2026-11", CLIENT_ID=str(made.client_id), TOKEN_URL=f"{service.base_url}{PATH}")
    assert service.get("/fhir/R4/Task/00000000-0000-4000-8000-000000000000", json.loads(told)["access_token"]).status_code == 404
