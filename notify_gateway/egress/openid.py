# SPDX-License-Identifier: MIT
"""Asking an identity provider: what it says of itself, its keys, who somebody is (OpenID Connect Core and Discovery 1.0; RFC 6749, 7636).

The operator names the provider, so it may stand anywhere; but answers are bounded in size and time, nothing is followed to another place,
and no proxy of the environment is asked. Authlib makes the requests, over httpx2.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

MOST_BYTES: Final = 512 * 1024
WITHIN: Final = 10.0
"""Seconds for the whole of an answer."""
EACH_STEP: Final = 4.0
_ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderAway(Exception):
    """The provider did not answer as it must; ``reason`` is a word of ours, and holds nothing of the answer."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class CodeRefused(Exception):
    """The provider does not take the code, or does not take us for its client; ``reason`` is a word of ours or of RFC 6749."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider says of itself, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: frozenset[str]
    names_itself: bool
    """Whether it names itself on the way back (RFC 9207)."""
    practice: bool


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are at the provider: with a secret, or with a private key (PEM) and its kid."""

    client_id: str
    secret: str
    key_id: str | None
    redirect_uri: str

    def __repr__(self) -> str:
        return f"Client(client_id={self.client_id})"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code was exchanged for."""

    id_token: str
    access_token: str | None

    def __repr__(self) -> str:
        return "Tokens(<withheld>)"


def read_metadata(url: str, *, issuer: str) -> Metadata:
    """Return what the provider says of itself; raises ``ProviderAway``, also when it is another than ``issuer``."""
    found = _fetch(url)
    if found.get("issuer") != issuer:
        raise ProviderAway("another-issuer")
    secure = issuer.startswith("https://")
    authorization, token, jwks = (_address(found.get(name), secure=secure) for name in _ADDRESSES)
    user = _address(found["userinfo_endpoint"], secure=secure) if found.get("userinfo_endpoint") else None
    algorithms, methods = found.get("id_token_signing_alg_values_supported"), found.get("code_challenge_methods_supported", ["S256"])
    if not isinstance(methods, list) or "S256" not in methods:
        raise ProviderAway("no-pkce")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=authorization,
        token_endpoint=token,
        jwks_uri=jwks,
        userinfo_endpoint=user,
        algorithms=frozenset(each for each in algorithms if isinstance(each, str)) if isinstance(algorithms, list) else frozenset(),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        practice=found.get("notify_gateway_practice") is True,
    )


def read_keys(metadata: Metadata) -> list[Mapping[str, Any]]:
    """Return the keys that the provider publishes; raises ``ProviderAway``."""
    keys = _fetch(metadata.jwks_uri).get("keys")
    if not isinstance(keys, list):
        raise ProviderAway("no-keys")
    return [each for each in keys if isinstance(each, dict)]


def authorization_url(metadata: Metadata, client: Client, *, scopes: tuple[str, ...], state: str, verifier: str, **more: str) -> str:
    """Return where the browser goes to sign in; what comes back is bound to ``state`` and, by PKCE, to ``verifier``."""
    with _session(client, scopes) as session:
        url, _ = session.create_authorization_url(metadata.authorization_endpoint, state=state, code_verifier=verifier, **more)
    return str(url)


def exchange(metadata: Metadata, client: Client, *, code: str, verifier: str) -> Tokens:
    """Return the tokens that a code is good for; raises ``CodeRefused`` when it is good for none, ``ProviderAway`` without an answer."""
    try:
        with _session(client, ()) as session:
            if client.key_id is not None:
                key, algorithm = _private_key(client.secret)
                session.client_secret = key
                session.register_client_auth_method(PrivateKeyJWT(metadata.token_endpoint, headers={"kid": client.key_id}, alg=algorithm))
            found = session.fetch_token(metadata.token_endpoint, code=code, code_verifier=verifier, grant_type="authorization_code")
    except OAuthError as error:
        known = ("invalid_grant", "invalid_client", "invalid_request", "unauthorized_client", "invalid_scope")
        raise CodeRefused(str(error.error) if error.error in known else "oauth") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, JoseError) as error:
        raise ProviderAway(type(error).__name__) from None
    id_token, access_token = found.get("id_token"), found.get("access_token")
    if not isinstance(id_token, str):
        raise CodeRefused("no-id-token")
    return Tokens(id_token, access_token if isinstance(access_token, str) else None)


def read_user(metadata: Metadata, tokens: Tokens, *, subject: str) -> Mapping[str, Any]:
    """Return what the provider says of the person at its user-info endpoint; raises ``ProviderAway``, also when it is about another."""
    if metadata.userinfo_endpoint is None or tokens.access_token is None:
        raise ProviderAway("no-userinfo")
    found = _fetch(metadata.userinfo_endpoint, authorization=f"Bearer {tokens.access_token}")
    if found.get("sub") != subject:
        raise ProviderAway("another-subject")
    return found


def _private_key(pem: str) -> tuple[RSAKey | ECKey, str]:
    try:
        return RSAKey.import_key(pem), "RS512"
    except (JoseError, ValueError, TypeError):
        return ECKey.import_key(pem), "ES384"


def _session(client: Client, scopes: tuple[str, ...]) -> OAuth2Client:
    return OAuth2Client(
        client_id=client.client_id,
        client_secret=client.secret,
        token_endpoint_auth_method="private_key_jwt" if client.key_id else "client_secret_post",
        scope=" ".join(scopes),
        redirect_uri=client.redirect_uri,
        code_challenge_method="S256",
        transport=_Bounded(),
        timeout=EACH_STEP,
        follow_redirects=False,
        trust_env=False,
    )


def _fetch(url: str, **headers: str) -> dict[str, Any]:
    given = {"User-Agent": "notify-gateway", "Accept": "application/json", "Accept-Encoding": "identity", **headers}
    try:
        with httpx2.Client(transport=_Bounded(), timeout=EACH_STEP, follow_redirects=False, trust_env=False) as client:
            answer = client.get(url, headers=given)
            found = answer.json() if answer.status_code == 200 else None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, RecursionError) as error:
        raise ProviderAway(type(error).__name__) from None
    if not isinstance(found, dict):
        raise ProviderAway(f"status-{answer.status_code}")
    return found


def _address(value: object, *, secure: bool) -> str:
    parts = urlsplit(value) if isinstance(value, str) and len(value) <= 500 else None
    if parts is None or parts.scheme not in (("https",) if secure else ("https", "http")) or not parts.hostname or parts.username:
        raise ProviderAway("address")
    return str(value)


@cache
def _trust() -> ssl.SSLContext:
    """Return the system's roots; to load them takes longer than a whole sign-in."""
    return ssl.create_default_context()


class _Bounded(httpx2.BaseTransport):
    """Breaks an answer off that is too long, or takes too long in all."""

    def __init__(self) -> None:
        self._inner = httpx2.HTTPTransport(verify=_trust(), trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer, whose body is read within the bounds or not at all."""
        answer = self._inner.handle_request(request)
        return httpx2.Response(
            answer.status_code, headers=answer.headers, stream=_BoundedStream(answer.stream), extensions=answer.extensions
        )

    def close(self) -> None:
        """Give the connection back."""
        self._inner.close()


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Iterator[bytes]:
        until, received = time.monotonic() + WITHIN, 0
        for chunk in self._inner:
            received += len(chunk)
            if received > MOST_BYTES or time.monotonic() > until:
                raise httpx2.ReadError("too much, or too slow")
            yield chunk

    def close(self) -> None:
        self._inner.close()
