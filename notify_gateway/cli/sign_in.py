# SPDX-License-Identifier: MIT
"""Signing in as a trust's system does: an assertion made with a private key file, exchanged for a short token at the token endpoint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from notify_gateway.cli.failures import CommandFailed

if TYPE_CHECKING:
    import httpx2

    from notify_gateway.credentials.keys import PrivateOrPublic

RENEW_BEFORE = 30.0
"""Seconds before its expiry at which a token is no longer handed out."""
MOST_KEY_BYTES = 64 * 1024


@dataclass
class SignIn:
    """A client of the token endpoint: its id, its private key with the kid, and the token that it holds at the moment.

    ``audience`` is what the deployment calls its token endpoint, where that differs from ``token_url``; ``post`` sends the request.
    """

    token_url: str
    client_id: str
    key: PrivateOrPublic = field(repr=False)
    kid: str
    audience: str | None = None
    post: Callable[..., httpx2.Response] | None = field(default=None, repr=False)
    _held: tuple[str, float] | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @classmethod
    def with_key_file(cls, token_url: str, client_id: str, path: Path, kid: str | None = None, *, audience: str | None = None) -> SignIn:
        """Return the client whose private key is in a PEM or JWK file; ``kid`` may be left out where the file names it.

        Raises ``CommandFailed`` when the file holds no private key of a kind that is taken, or when there is no kid.
        """
        key = read_private_key(path)
        named = kid or key.kid
        if not named:
            raise CommandFailed("The key has no kid", "The file does not name one.", "Give the kid under which the key is registered.")
        return cls(token_url, client_id, key, named, audience)

    def bearer(self) -> str:
        """Return a token that is good for at least 30 seconds, asked for if need be; raises ``CommandFailed``. Any thread may ask."""
        with self._lock:
            if self._held is None or time.monotonic() >= self._held[1]:
                asked = time.monotonic()
                token, lasts = self._ask()
                self._held = (token, asked + lasts - RENEW_BEFORE)
            return self._held[0]

    def forget(self) -> None:
        """Ask for a new token the next time, as after a 401."""
        self._held = None

    def assertion(self) -> str:
        """Return a fresh assertion, good for one use."""
        from notify_gateway.credentials.assertions import make
        from notify_gateway.domain.clock import SystemClock

        return make(
            key=self.key,
            kid=self.kid,
            algorithm=algorithm_of(self.key),
            client_id=self.client_id,
            audience=self.audience or self.token_url,
            jti=str(uuid4()),
            now=SystemClock().now(),
        )

    def _ask(self) -> tuple[str, float]:
        import httpx2

        from notify_gateway.credentials.assertions import ASSERTION_TYPE

        form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
        send = self.post or httpx2.post
        try:
            answer = send(self.token_url, data=form, timeout=10.0, follow_redirects=False)
            document = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            why = f"{self.token_url}: {type(error).__name__}."
            raise CommandFailed("The token endpoint does not answer", why, "Check the address, and that the service runs.") from None
        if answer.status_code != 200 or not isinstance(document, dict):
            raise _refused(answer.status_code, document)
        try:
            return str(document["access_token"]), float(document["expires_in"])
        except (KeyError, TypeError, ValueError):
            raise _refused(answer.status_code, None) from None


def read_private_key(path: Path) -> PrivateOrPublic:
    """Return the private key of a PEM or JWK file; raises ``CommandFailed`` when it holds none that can sign in."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    from notify_gateway.credentials.keys import strict_json

    with path.open("rb") as file:
        content = file.read(MOST_KEY_BYTES)
    try:
        if content.lstrip().startswith(b"{"):
            key: Any = import_key(strict_json(content))
        else:
            key = _of_native(load_pem_private_key(content, password=None))
        algorithm_of(key)
        if not key.is_private:
            raise ValueError("a public key")
    except (JoseError, ValueError, TypeError, KeyError):
        raise CommandFailed(
            "The key file cannot be used",
            "It holds no private key of RSA, EC P-384 or Ed25519 without a passphrase.",
            "Give the private key as PEM or JWK.",
        ) from None
    return key  # type: ignore[no-any-return]


def algorithm_of(key: PrivateOrPublic) -> str:
    """Return the algorithm that a key signs with: the one it is bound to, else the usual one of its kind; raises ``ValueError``."""
    from notify_gateway.credentials.keys import ALGORITHMS

    bound = key.get("alg")
    for name, (kind, curve) in ALGORITHMS.items():
        if kind == key.key_type and curve in (None, key.get("crv")) and bound in (None, name):
            return name
    raise ValueError("no algorithm for this kind of key")


def _of_native(native: object) -> PrivateOrPublic:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    match native:
        case RSAPrivateKey():
            return RSAKey.import_key(native)
        case EllipticCurvePrivateKey():
            return ECKey.import_key(native)
        case Ed25519PrivateKey():
            return OKPKey.import_key(native)
    raise ValueError("another kind of key")


def _refused(status: int, document: object) -> CommandFailed:
    found = document if isinstance(document, dict) else {}
    why = str(found.get("error_description") or found.get("error") or "It gave no reason.")
    code = f" ({found['code']})" if "code" in found else ""
    return CommandFailed(f"The token endpoint answered {status}{code}", why, "Mend that, then run the command again.")
