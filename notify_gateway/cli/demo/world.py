# SPDX-License-Identifier: MIT
"""The demonstration's folder: settings, keys, databases, postcodes, a trust and authorities. Made once, and found again."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mappings.postcodes import PostcodeError, PostcodeTable, compile_table, demonstration_source
from notify_gateway.cli.examples.draft import MIDDLESBROUGH, STOCKTON, Home
from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.postcodes import DEMONSTRATION
from notify_gateway.domain.model import OrganisationType
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, Suite, load, save
from notify_gateway.runtime import GATEWAY_PUBLIC, Runtime, make_keys
from notify_gateway.settings import Deployment, Settings
from notify_gateway.store import parties
from notify_gateway.store.engine import reading
from notify_gateway.store.migrate import upgrade_all
from notify_gateway.use_cases import onboard

TRUST, TRUST_NAME = "RXX", "Example Community NHS Trust"
ACTOR = "operator:demonstration"
MARK = "demonstration.json"
TOKENS_LAST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Council:
    """An authority of the demonstration, with the key files that its own machine would hold."""

    home: Home
    folder: Path
    token: str

    @property
    def key_file(self) -> Path:
        """Return the private working key."""
        return self.folder / "working.key"


@dataclass(frozen=True, slots=True)
class World:
    """Whoever takes part, and the tokens of this run; those of earlier runs are revoked."""

    runtime: Runtime
    trust_token: str
    collecting: Council
    receiving: Council

    @property
    def gateway_key_file(self) -> Path:
        """Return the gateway's public key file."""
        return self.runtime.gateway.settings.keys / GATEWAY_PUBLIC


def settings_for(folder: Path, base_url: str, staff_providers: Path | None = None, opener_socket: Path | None = None) -> Settings:
    """Return the settings of a demonstration in ``folder``, whatever the environment says of a real service."""
    return Settings(
        _env_file=None,  # type: ignore[call-arg]  # an argument of pydantic-settings, not of the model
        deployment=Deployment.DEMONSTRATION,
        data_dir=folder,
        base_url=base_url,
        log_origin="notify-gateway.example/demonstration",
        database_url=None,
        shred_database_url=None,
        broker_url=None,
        keys_dir=None,
        postcodes_dir=None,
        opener_keys_dir=None,
        opener_socket=opener_socket,
        staff_providers=staff_providers,
        trusted_proxy="",
        webhook_allow_private=True,
    )


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keep the folder for this demonstration while the block runs.

    Raises ``CommandFailed`` when something else lives in it, or another demonstration runs there.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = folder / MARK
    if not mark.exists() and any(folder.iterdir()):
        raise CommandFailed(
            "The folder belongs to something else",
            f"{folder} is not empty, and no demonstration made it.",
            "Give an empty or a new folder with --data.",
        )
    with mark.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandFailed(
                "A demonstration runs there already", f"Another process uses {folder}.", "End it, or give another folder with --data."
            ) from None
        if file.tell() == 0:
            file.write(json.dumps({"made by": "notify-gateway demo", "children": "all made up"}) + "\n")
            file.flush()
        yield


def set_up(settings: Settings, webhook_url: str) -> World:
    """Make what is missing in the settings' folder and return whoever takes part. Safe to do again."""
    make_keys(settings)
    upgrade_all(settings.main_url, settings.shred_url)
    try:
        PostcodeTable.open(settings.postcodes)
    except PostcodeError:
        compile_table(demonstration_source(), settings.postcodes, edition=DEMONSTRATION)
    runtime = Runtime.open(settings)
    gateway = runtime.gateway
    with reading(gateway.engine).begin() as connection:
        known = parties.find_client(connection, kind="trust", code=TRUST)
    if known is None:
        onboard.register_trust(gateway, ods=TRUST, name=TRUST_NAME, organisation_type=OrganisationType.NHS_TRUST, actor=ACTOR)
    collecting = _council(runtime, STOCKTON, None)
    receiving = _council(runtime, MIDDLESBROUGH, webhook_url)
    return World(runtime, _new_token(runtime, "trust", TRUST), collecting, receiving)


def _council(runtime: Runtime, home: Home, webhook_url: str | None) -> Council:
    gateway = runtime.gateway
    channel = "webhook" if webhook_url else "pull"
    held = gateway.receivers.get().get(home.gss)
    if held is None or (held.channel, held.route.get("url")) != (channel, webhook_url):
        onboard.register_authority(
            gateway, gss=home.gss, custody="authority-held", channel=channel, route={"url": webhook_url}, actor=ACTOR
        )
    folder = keys_of(runtime, home.gss, ((RecipientPurpose.WORKING, Suite.MLKEM768_X25519), (RecipientPurpose.RECOVERY, Suite.X25519)))
    return Council(home, folder, _new_token(runtime, "authority", home.gss))


def keys_of(runtime: Runtime, gss: str, wanted: Sequence[tuple[RecipientPurpose, Suite]]) -> Path:
    """Make and register the keys that an authority on the service lacks; return the folder that its own machine would have."""
    gateway = runtime.gateway
    folder = gateway.settings.data_dir / "authorities" / gss
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for purpose, suite in wanted:
        key = _key(folder / f"{purpose.value}.key", gss, purpose, suite)
        if all(key.kid != known.kid for known in gateway.receivers.get()[gss].keys):
            onboard.register_key(gateway, key=key.public(), actor=ACTOR)
    return folder


def _key(path: Path, gss: str, purpose: RecipientPurpose, suite: Suite) -> RecipientPrivateKey:
    if path.exists():
        return load(path, RecipientPrivateKey)
    key = RecipientPrivateKey.generate(gss, purpose, suite)
    save(path, key)
    save(path.with_name(f"{path.name}.pub"), key.public())
    return key


def _new_token(runtime: Runtime, kind: str, code: str) -> str:
    gateway = runtime.gateway
    with reading(gateway.engine).begin() as connection:
        client = parties.find_client(connection, kind=kind, code=code)
        earlier = parties.list_tokens(connection, client.id) if client else []
    for token in earlier:
        if token.revoked_at is None:
            onboard.revoke_token(gateway, token_id=token.id, actor=ACTOR)
    return onboard.issue_token(gateway, kind=kind, code=code, lasts=TOKENS_LAST, actor=ACTOR).text
