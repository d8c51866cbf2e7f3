# SPDX-License-Identifier: MIT
"""A small OpenID provider that asks for no password: whoever is chosen on its page is signed in (code with PKCE, as Entra ID shapes it).

It keeps everything in memory, says of itself that it is for practice, and is started by the demonstration and by nothing else.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from notify_gateway.cli.practice.personas import CLIENT, TENANT, Persona
from notify_gateway.web.pages import ROLES

CODE_LASTS: Final = 60.0
TOKEN_LASTS: Final = 300
MOST_CODES: Final = 100
MOST_BODY: Final = 16 * 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STYLE = (
    "body{font:1.1rem/1.5 Arial,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#0b0c0c}"
    "li{list-style:none;margin:0 0 1rem}ul{padding:0}a{color:#0b4f52;font-weight:bold}"
    "p.practice{background:#fff3c4;padding:.75rem 1rem;border-left:.3rem solid #b58900}"
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A code that was given out, and what it is bound to."""

    persona: Persona
    nonce: str
    challenge: str
    redirect_uri: str
    at: float


@dataclass
class PracticeProvider:
    """The provider at the address ``issuer``; ``callback`` is the one place to which it sends anybody."""

    issuer: str
    callback: str
    secret: str
    people: tuple[Persona, ...]
    codes: dict[str, Issued] = field(default_factory=dict)
    now: Callable[[], float] = time.time
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True))

    def app(self) -> Starlette:
        """Return the application to be served."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _configuration(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                "notify_gateway_practice": True,
            }
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        """Show the made-up people; whoever is chosen is sent back with a code."""
        asked = dict(request.query_params)
        wanted = {"client_id": CLIENT, "response_type": "code", "code_challenge_method": "S256", "redirect_uri": self.callback}
        if any(asked.get(name) != value for name, value in wanted.items()) or not asked.get("state") or not asked.get("code_challenge"):
            return HTMLResponse("<p>This is no request that the practice provider knows.</p>", 400, _HEADERS)
        chosen = next((each for each in self.people if each.key == asked.get("as")), None)
        if chosen is None:
            return HTMLResponse(self._page(asked), headers=_HEADERS)
        code = self._issue(Issued(chosen, asked.get("nonce", ""), asked["code_challenge"], self.callback, time.monotonic()))
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return RedirectResponse(f"{self.callback}?{back}", 303, _HEADERS)

    async def _token(self, request: Request) -> Response:
        """Exchange a code, once, for an ID token."""
        body = await request.body()
        given = dict(parse_qsl(body[:MOST_BODY].decode("utf-8", "replace")))
        if given.get("client_id") != CLIENT or not hmac.compare_digest(given.get("client_secret", "").encode(), self.secret.encode()):
            return JSONResponse({"error": "invalid_client"}, 401)
        issued = self.codes.pop(given.get("code", ""), None)
        verifier = given.get("code_verifier", "")
        if (
            issued is None
            or time.monotonic() - issued.at > CODE_LASTS
            or given.get("redirect_uri") != issued.redirect_uri
            or not hmac.compare_digest(create_s256_code_challenge(verifier).encode(), issued.challenge.encode())
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": TOKEN_LASTS}
        return JSONResponse(token | {"id_token": self._id_token(issued)}, headers={"Cache-Control": "no-store"})

    def _issue(self, issued: Issued) -> str:
        while len(self.codes) >= MOST_CODES:
            self.codes.pop(next(iter(self.codes)))
        code = secrets.token_urlsafe(24)
        self.codes[code] = issued
        return code

    def _id_token(self, issued: Issued) -> str:
        return self.sign(self.claims(issued))

    def sign(self, claims: dict[str, Any]) -> str:
        """Return an ID token."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def claims(self, issued: Issued) -> dict[str, Any]:
        """Return what is said of the person who was chosen."""
        now = int(self.now())
        return {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": issued.persona.subject,
            "oid": issued.persona.subject,
            "tid": TENANT,
            "name": issued.persona.name,
            "roles": [issued.persona.value],
            "nonce": issued.nonce,
            "iat": now,
            "exp": now + TOKEN_LASTS,
            "auth_time": now,
        }

    def _page(self, asked: dict[str, str]) -> str:
        rows = "".join(
            f'<li><a href="{escape("/authorize?" + urlencode(asked | {"as": each.key}))}">{escape(each.name)}</a><br>'
            f"{escape(ROLES[each.role])}, {escape(each.place)}. {escape(each.told)}</li>"
            for each in self.people
        )
        return (
            '<!doctype html><html lang="en-GB"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>Choose who you are – practice provider</title><style>{_STYLE}</style></head><body><main>"
            "<h1>Choose who you are</h1>"
            '<p class="practice">This is a practice provider. The people are made up, and so are the children.</p>'
            f"<ul>{rows}</ul></main></body></html>"
        )
