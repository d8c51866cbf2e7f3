# SPDX-License-Identifier: MIT
"""The identity providers examined: each answers, is who it should be, publishes keys, and takes what we ask for."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from notify_gateway.cli.findings import Check, State
from notify_gateway.credentials.providers import Provider, ProvidersRefused
from notify_gateway.domain.clock import Clock
from notify_gateway.egress.openid import ProviderAway
from notify_gateway.settings import Deployment, Settings
from notify_gateway.store.engine import open_engine
from notify_gateway.store.row_level import holds_rows
from notify_gateway.use_cases.staff_providers import Providers

_REASONS = {
    "another-issuer": (
        "says that it is another issuer than the file does",
        "Copy issuer from the provider's own /.well-known/openid-configuration, to the last character.",
    ),
    "no-pkce": ("does not take PKCE with S256", "Turn PKCE on at the provider: nobody signs in without it."),
    "algorithm": ("does not sign with the algorithm of the file", "Set algorithm to one that the provider signs ID tokens with."),
    "no-keys": ("publishes no keys", "Ask whoever runs the provider: without keys none of its answers can be believed."),
    "address": ("names an address that cannot be used", "Ask whoever runs the provider: its addresses are https, as its issuer is."),
    "status-404": ("has no OpenID Connect configuration there", "Correct issuer: the configuration stands below it at /.well-known."),
}


def check_staff_providers(settings: Settings, clock: Clock) -> Iterator[Check]:
    """Each provider of the settings can be used; nothing is said where there is none."""
    try:
        providers = Providers(settings, clock)
    except ProvidersRefused as error:
        yield Check(
            "identity providers", State.FAIL, str(error), "Mend the file that NOTIFY_GATEWAY_STAFF_PROVIDERS names; see docs/staff.md."
        )
        return
    for provider in providers.all():
        yield _look(providers, provider)
    if providers.all() and settings.deployment is Deployment.LIVE:
        yield _rows(settings)


def _rows(settings: Settings) -> Check:
    engine = open_engine(settings.main_url, pool_size=1)
    try:
        held = holds_rows(engine)
    except SQLAlchemyError as error:
        return Check("rows of pages", State.WARN, f"not known ({type(error).__name__})", "See the checks of the databases.")
    finally:
        engine.dispose()
    if held:
        return Check("rows of pages", State.OK, "the database shows each organisation its own")
    fix = "Use PostgreSQL and set its roles up: notify-gateway migrate --roles (docs/operators.md, Database roles)."
    return Check("rows of pages", State.WARN, "the code alone keeps organisations apart", fix)


def _look(providers: Providers, provider: Provider) -> Check:
    name = f"identity provider {provider.id}"
    try:
        known = providers.look(provider)
    except ProvidersRefused as error:
        return Check(name, State.FAIL, str(error), "Mend the file or its mode; docs/staff.md says what it holds.")
    except ProviderAway as error:
        value, fix = _REASONS.get(
            error.reason, (f"does not answer as it must ({error.reason})", "See that this machine reaches it by https.")
        )
        return Check(name, State.FAIL, value, fix)
    fitting = sum(key.get("use", "sig") == "sig" for key in known.keys)
    return Check(name, State.OK, f"answers; {fitting} keys, {provider.algorithm.value}, {len(provider.grant)} grants")
