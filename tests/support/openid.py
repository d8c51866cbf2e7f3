# SPDX-License-Identifier: MIT
"""A real OpenID provider for tests (the npm package oidc-provider), with a client shaped like Entra ID's and one like NHS CIS2's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
from joserfc.jwk import RSAKey

from tests.support.processes import Process
from tests.support.waiting import answers, free_port
from tools.set_up_bruno import FOLDER
from tools.set_up_tests import find_program

TENANT = "22222222-0000-4000-8000-000000000023"
SITE = "http://testserver"
SECRET = "only for tests, and long enough"


@dataclass
class OpenIdProvider:
    """The running provider; ``accounts`` are whoever can be signed in there, by their subject."""

    folder: Path
    issuer: str
    clients: list[dict[str, Any]]
    key: RSAKey
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def knows(self, subject: str, *, acr: str = "AAL3", **claims: object) -> None:
        """From now on there is somebody with these claims; whoever is sent there is signed in as them."""
        self.accounts[subject] = {"claims": claims, "acr": acr}
        self._write(subject)

    def refuses(self) -> None:
        """From now on nobody is signed in."""
        self._write(None)

    def visit(self, url: str, browser: httpx2.Client) -> str:
        """Follow the browser through the provider; return where it is sent in the end."""
        for _ in range(10):
            answer = browser.get(url)
            assert answer.status_code in (302, 303), answer.text
            url = urljoin(url, answer.headers["location"])
            if url.startswith(SITE):
                return url
        raise AssertionError("the provider leads in a circle")

    def _write(self, subject: str | None) -> None:
        key = self.key.as_dict(private=True) | {"use": "sig", "alg": "RS256"}
        world = {"clients": self.clients, "accounts": self.accounts, "keys": [key], "next": subject}
        (self.folder / "world.json").write_text(json.dumps(world), "utf-8")


@contextmanager
def openid_provider(folder: Path) -> Iterator[OpenIdProvider]:
    """Keep the provider running while the block runs; ``folder`` then holds providers.toml."""
    port, signs, proves = free_port(), RSAKey.generate_key(2048, auto_kid=True), RSAKey.generate_key(2048, {"kid": "gateway-1"})
    clients = [
        _client("entra", client_secret=SECRET, token_endpoint_auth_method="client_secret_post"),
        _client(
            "cis2",
            jwks={"keys": [proves.as_dict(private=False) | {"use": "sig", "alg": "RS512"}]},
            token_endpoint_auth_method="private_key_jwt",
            token_endpoint_auth_signing_alg="RS512",
        ),
    ]
    running = OpenIdProvider(folder, f"http://127.0.0.1:{port}", clients, signs)
    running.refuses()
    _write_secret(folder / "entra.secret", SECRET)
    _write_secret(folder / "cis2.pem", proves.as_pem(private=True).decode())
    (folder / "providers.toml").write_text(_PROVIDERS.format(issuer=running.issuer, folder=folder, tenant=TENANT), "utf-8")
    node, script = find_program("node"), Path(__file__).with_name("openid_provider.mjs")
    assert node is not None, "Node.js is missing: make set-up"
    process = Process(
        [node, script, FOLDER, str(port), folder / "world.json"],
        name="openid",
        log=folder / "openid.log",
        ready=lambda: answers(f"{running.issuer}/.well-known/openid-configuration"),
    )
    try:
        process.start()
        yield running
    finally:
        process.kill9(group=True)


def _client(name: str, **more: object) -> Mapping[str, Any] | Any:
    return {
        "client_id": f"gateway-at-{name}",
        "redirect_uris": [f"{SITE}/sign-in/callback/{name}"],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        **more,
    }


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")


_PROVIDERS = """
[[provider]]
id = "entra"
name = "Stockton-on-Tees Borough Council"
shape = "entra"
issuer = "{issuer}"
client_id = "gateway-at-entra"
client_secret_file = "{folder}/entra.secret"
tenants = ["{tenant}"]
grant = [{{ value = "early-years", organisation = "E06000004", role = "officer" }}]

[[provider]]
id = "cis2"
name = "NHS CIS2"
shape = "cis2"
issuer = "{issuer}"
client_id = "gateway-at-cis2"
client_key_file = "{folder}/cis2.pem"
client_key_id = "gateway-1"
acr_asked = "AAL3"
acr_accepted = ["AAL3"]
grant = [{{ value = "RXX/R8015", organisation = "RXX", role = "trust-engineer" }}]
"""
