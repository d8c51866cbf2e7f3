# SPDX-License-Identifier: MIT
"""Opens the service's parts from its settings: databases, key files, code tables, signers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from audit.log import Sequencer
from audit.note import Signer, Verifier
from mappings.authorities import Directory
from mappings.postcodes import PostcodeTable
from notify_gateway.domain.clock import Clock, SystemClock
from notify_gateway.privacy.keys import PseudonymRoots, SigningKey, SigningPurpose, VerifyingKey, load, save
from notify_gateway.settings import Settings
from notify_gateway.store.engine import open_engine
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core, Gateway
from notify_gateway.use_cases.reveal import Vault

GATEWAY_KEY = "gateway.key.json"
GATEWAY_PUBLIC = "gateway.pub.json"
LOG_KEY = "log.key.json"
LOG_PUBLIC = "log.pub.json"
PSEUDONYM_ROOTS = "pseudonyms.key.json"


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What anybody needs to verify: the log's and the gateway's keys as vkeys, and the gateway's key as it signs sealed headers."""

    log: Verifier
    promises: Verifier
    gateway: VerifyingKey


@dataclass(frozen=True)
class Runtime:
    """The open service, as one process sees it."""

    gateway: Gateway
    public: PublicKeys
    promise_signer: Signer

    @classmethod
    def open(cls, settings: Settings, clock: Clock | None = None) -> Runtime:
        """Open databases, keys and tables.

        Raises ``KeyFileError`` or ``PostcodeError`` when one that is needed is not there; ``notify-gateway doctor`` explains each.
        """
        core = open_core(settings, clock)
        gateway = Gateway(
            settings=core.settings,
            clock=core.clock,
            engine=core.engine,
            shred_engine=core.shred_engine,
            signing_key=core.signing_key,
            pseudonyms=load(settings.keys / PSEUDONYM_ROOTS, PseudonymRoots).keys(),
            directory=Directory.load(),
            postcodes=PostcodeTable.open(settings.postcodes),
        )
        promises = Signer(promise_name(settings), core.signing_key.private)
        log_public = load(settings.keys / LOG_PUBLIC, VerifyingKey)
        public = PublicKeys(Verifier(settings.log_origin, log_public.raw), promises.verifier, core.signing_key.public())
        return cls(gateway, public, promises)

    def close(self) -> None:
        """Give the databases' connections back."""
        self.gateway.close()


def open_core(settings: Settings, clock: Clock | None = None) -> Core:
    """Open what worker and scheduler need, and no more: they hold neither pseudonym roots nor tables. Raises ``KeyFileError``."""
    return Core(
        settings=settings,
        clock=clock or SystemClock(),
        engine=open_engine(settings.main_url),
        shred_engine=open_engine(settings.shred_url),
        signing_key=load(settings.keys / GATEWAY_KEY, SigningKey),
    )


def open_vault(settings: Settings, clock: Clock | None = None) -> Vault:
    """Open what the opener needs: none of the service's private keys. Raises ``KeyFileError``."""
    return Vault(
        clock=clock or SystemClock(),
        engine=open_engine(settings.main_url, pool_size=2),
        shred_engine=open_engine(settings.shred_url, pool_size=2),
        gateway_public=load(settings.keys / GATEWAY_PUBLIC, VerifyingKey),
    )


def promise_name(settings: Settings) -> str:
    """Return the name under which promises are signed: never the log's own, for the log's key signs checkpoints alone."""
    return f"{settings.log_origin}/promise"


def make_keys(settings: Settings) -> list[str]:
    """Make those of the service's key files that are not there yet; return their names. Existing ones are never touched."""
    settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    made: list[str] = []

    def ensure(name: str, write: Callable[[], None]) -> None:
        if not (settings.keys / name).exists():
            write()
            made.append(name)

    for private, public, purpose in ((GATEWAY_KEY, GATEWAY_PUBLIC, SigningPurpose.GATEWAY), (LOG_KEY, LOG_PUBLIC, SigningPurpose.LOG)):
        ensure(private, lambda name=private, purpose=purpose: save(settings.keys / name, SigningKey.generate(purpose)))  # type: ignore[misc]
        key = load(settings.keys / private, SigningKey)
        ensure(public, lambda name=public, key=key: save(settings.keys / name, key.public()))  # type: ignore[misc]
    ensure(PSEUDONYM_ROOTS, lambda: save(settings.keys / PSEUDONYM_ROOTS, PseudonymRoots.generate()))
    return made


def open_sequencer(settings: Settings, clock: Clock | None = None) -> Sequencer:
    """Return the log's sequencer, the only part that needs the log's private key and the guard file."""
    key = load(settings.keys / LOG_KEY, SigningKey)
    settings.guard_file.parent.mkdir(parents=True, exist_ok=True)
    return Sequencer(
        engine=open_engine(settings.main_url, pool_size=2),
        tables=audit_tables,
        signer=Signer(settings.log_origin, key.private),
        origin=settings.log_origin,
        guard_path=settings.guard_file,
        now=(clock or SystemClock()).now,
    )


def start_sequencer(sequencer: Sequencer, stop: threading.Event) -> threading.Thread:
    """Run the sequencer in a thread of its own until ``stop`` is set (embedded mode)."""
    thread = threading.Thread(target=sequencer.run_forever, args=(stop,), name="sequencer", daemon=True)
    thread.start()
    return thread
