# SPDX-License-Identifier: MIT
"""The identity providers of one process: what they say of themselves and their keys, asked for when needed and remembered for a while."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from notify_gateway.credentials.id_tokens import Asked, KeyNotPublished, verify
from notify_gateway.credentials.providers import Provider, ProvidersRefused, read_providers
from notify_gateway.domain.clock import Clock
from notify_gateway.egress.openid import Client, Metadata, ProviderAway, read_keys, read_metadata
from notify_gateway.settings import Deployment, Settings

CALLBACK = "/sign-in/callback"
FRESH_FOR = timedelta(hours=1)
"""After how long a provider is asked anew what it says of itself, and for its keys."""
HELD_FOR = timedelta(hours=24)
"""How long what it said is good for while it does not answer."""
LOOK_AGAIN_AFTER = timedelta(minutes=1)
"""How often a provider is asked for its keys at most, whoever names an unknown kid."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a provider said, and when."""

    metadata: Metadata
    keys: Sequence[Mapping[str, Any]]
    at: datetime


class Providers:
    """The providers of the settings; none where no file is named. Safe to use from several threads."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Read the file; raises ``ProvidersRefused`` when it cannot be used, above all for a practice provider in a live deployment."""
        self._settings, self._clock = settings, clock
        live = settings.deployment is Deployment.LIVE
        held = read_providers(settings.staff_providers, live=live) if settings.staff_providers is not None else ()
        self._providers = {each.id: each for each in held}
        self._known: dict[str, Known] = {}
        self._tried: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def all(self) -> tuple[Provider, ...]:
        """Return the providers in the order of the file."""
        return tuple(self._providers.values())

    def get(self, provider_id: str) -> Provider | None:
        """Return the provider of that id."""
        return self._providers.get(provider_id)

    def client(self, provider: Provider) -> Client:
        """Return who we are at the provider; raises ``ProvidersRefused`` when our secret cannot be read."""
        back = f"{self._settings.base_url.rstrip('/')}{CALLBACK}/{provider.id}"
        return Client(provider.client_id, provider.secret().get_secret_value(), provider.client_key_id, back)

    def metadata(self, provider: Provider) -> Metadata:
        """Return what the provider says of itself; raises ``ProviderAway``."""
        return self._know(provider).metadata

    def verify(self, provider: Provider, id_token: str, asked: Asked) -> Mapping[str, Any]:
        """Return the claims of an ID token; raises ``IdTokenRefused``, and ``ProviderAway`` where there are no keys to judge it by."""
        now = self._clock.now()
        try:
            return verify(id_token, provider, keys=self._know(provider).keys, asked=asked, now=now)
        except KeyNotPublished:
            if not self._may_look_again(provider, now):
                raise
        return verify(id_token, provider, keys=self._ask(provider).keys, asked=asked, now=now)

    def look(self, provider: Provider) -> Known:
        """Ask the provider now, whatever is remembered; raises ``ProviderAway`` and ``ProvidersRefused``."""
        self.client(provider)
        return self._ask(provider)

    def _know(self, provider: Provider) -> Known:
        now, known = self._clock.now(), self._known.get(provider.id)
        if known is not None and now - known.at < FRESH_FOR:
            return known
        try:
            return self._ask(provider)
        except ProviderAway:
            if known is None or now - known.at > HELD_FOR:
                raise
            return known

    def _ask(self, provider: Provider) -> Known:
        metadata = read_metadata(provider.discovery, issuer=provider.issuer)
        if metadata.practice and self._settings.deployment is Deployment.LIVE:
            raise ProvidersRefused(f"provider {provider.id} says of itself that it is for practice")
        if metadata.algorithms and provider.algorithm.value not in metadata.algorithms:
            raise ProviderAway("algorithm")
        now = self._clock.now()
        known = Known(metadata, read_keys(metadata), now)
        with self._lock:
            self._known[provider.id], self._tried[provider.id] = known, now
        return known

    def _may_look_again(self, provider: Provider, now: datetime) -> bool:
        with self._lock:
            if now - self._tried.get(provider.id, now) < LOOK_AGAIN_AFTER:
                return False
            self._tried[provider.id] = now
            return True
