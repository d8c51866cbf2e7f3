# SPDX-License-Identifier: MIT
"""Signing in with assertions that must not pass (RFC 7523, SMART Backend Services); played when the kit signs in with a key."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from notify_gateway.cli.conformance.case import Case, Forged
from notify_gateway.cli.sign_in import SignIn, algorithm_of
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import SystemClock

GROUP: Final = "sign-in"


def cases() -> Iterator[Case]:
    """Give them."""
    forgeries = (
        ("an assertion that was used", Code.ASSERTION_SPENT, lambda key: (key.assertion(),) * 2),
        ("nonsense", Code.ASSERTION_FORM, lambda _: ("nonsense",)),
        ("no algorithm", Code.ASSERTION_ALGORITHM, lambda key: (_unsigned(key.assertion()),)),
        ("a spoilt signature", Code.ASSERTION_SIGNATURE, lambda key: (_spoilt(key.assertion()),)),
        ("an unknown kid", Code.ASSERTION_KEY_UNKNOWN, lambda key: (_made(key, kid=f"not-{uuid4()}"),)),
        ("an unknown client", Code.ASSERTION_CLIENT_UNKNOWN, lambda key: (_made(key, client_id=str(uuid4())),)),
        ("for another service", Code.ASSERTION_AUDIENCE, lambda key: (_made(key, audience="https://elsewhere.example/token"),)),
        ("expired", Code.ASSERTION_EXPIRED, lambda key: (_made(key, now=SystemClock().now() - timedelta(hours=1)),)),
        ("not yet good", Code.ASSERTION_TOO_SOON, lambda key: (_made(key, now=SystemClock().now() + timedelta(hours=1)),)),
    )
    for title, code, make in forgeries:
        yield Case(GROUP, title, "RFC 7523 3, RFC 7515", (Forged(make, code),))


def _made(
    key: SignIn, *, kid: str | None = None, client_id: str | None = None, audience: str | None = None, now: datetime | None = None
) -> str:
    from notify_gateway.credentials.assertions import make

    return make(
        key=key.key,
        kid=kid or key.kid,
        algorithm=algorithm_of(key.key),
        client_id=client_id or key.client_id,
        audience=audience or key.audience or key.token_url,
        jti=str(uuid4()),
        now=now or SystemClock().now(),
    )


def _unsigned(assertion: str) -> str:
    header = urlsafe_b64encode(b'{"alg":"none","kid":"k"}').decode().rstrip("=")
    return f"{header}.{assertion.split('.')[1]}."


def _spoilt(assertion: str) -> str:
    head, claims, signature = assertion.split(".")
    return f"{head}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
