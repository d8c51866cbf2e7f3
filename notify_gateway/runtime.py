# SPDX-License-Identifier: MIT
"""Opens the service's parts from its settings: databases, key files, code tables, signers."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from audit.cosigning import Publisher
from audit.log import Sequencer
from audit.note import Signer, Verifier
from audit.policy import Policy, PolicyRefused, parse_policy
from audit.timestamping import Stamper
from mappings.authorities import Directory
from mappings.postcodes import PostcodeTable
from notify_gateway.domain.clock import Clock, SystemClock
from notify_gateway.egress.post import PostClient
from notify_gateway.egress.witnesses import require_usable
from notify_gateway.privacy.keys import PseudonymRoots, SigningKey, SigningPurpose, VerifyingKey, load, save
from notify_gateway.privacy.log_keys import GatewayKeys, LogKeys
from notify_gateway.settings import Deployment, Settings
from notify_gateway.store.engine import open_engine
from notify_gateway.store.tables import audit_tables, cosigning_tables, succession_tables, timestamps
from notify_gateway.use_cases import gateway_keys, log_keys
from notify_gateway.use_cases.gateway import Core, Gateway
from notify_gateway.use_cases.reveal import Vault
from notify_gateway.use_cases.sequence import CountingSequencer

GATEWAY_KEY = gateway_keys.GATEWAY_KEY
GATEWAY_PUBLIC = gateway_keys.GATEWAY_PUBLIC
LOG_KEY = log_keys.LOG_KEY
LOG_PUBLIC = log_keys.LOG_PUBLIC
PSEUDONYM_ROOTS = "pseudonyms.key.json"
LOOKS_FOR_STAMPS = timedelta(seconds=5)
"""How often it is looked whether a time stamp is due."""


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What anybody needs to verify: the log's and the gateway's keys as vkeys, and the gateway's key as it signs sealed headers."""

    log: Verifier
    log_keys: LogKeys
    promises: Verifier
    gateway: VerifyingKey
    gateway_keys: GatewayKeys


@dataclass(frozen=True)
class Runtime:
    """The open service, as one process sees it."""

    gateway: Gateway
    public: PublicKeys
    promise_signers: tuple[Signer, ...]

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
            other_keys=core.other_keys,
            pseudonyms=load(settings.keys / PSEUDONYM_ROOTS, PseudonymRoots).keys(),
            directory=Directory.load(),
            postcodes=PostcodeTable.open(settings.postcodes),
            witnesses=open_policy(settings),
        )
        coming = gateway_keys.next_key(settings.keys)
        signing = (core.signing_key, *([coming] if coming is not None else []))
        promises = tuple(Signer(promise_name(settings), each.private) for each in signing)
        log_public = load(settings.keys / LOG_PUBLIC, VerifyingKey)
        public = PublicKeys(
            Verifier(settings.log_origin, log_public.raw),
            log_keys.published(settings.keys),
            promises[0].verifier,
            core.signing_key.public(),
            gateway_keys.published(settings.keys),
        )
        return cls(gateway, public, promises)

    def close(self) -> None:
        """Give the databases' connections back."""
        self.gateway.close()


def open_core(settings: Settings, clock: Clock | None = None) -> Core:
    """Open what worker and scheduler need, and no more: they hold neither pseudonym roots nor tables. Raises ``KeyFileError``."""
    signing_key = load(settings.keys / GATEWAY_KEY, SigningKey)
    return Core(
        settings=settings,
        clock=clock or SystemClock(),
        engine=open_engine(settings.main_url),
        shred_engine=open_engine(settings.shred_url),
        signing_key=signing_key,
        other_keys=gateway_keys.others(settings.keys, signing_key.public()),
    )


def open_vault(settings: Settings, clock: Clock | None = None) -> Vault:
    """Open what the opener needs: none of the service's private keys. Raises ``KeyFileError``."""
    public = load(settings.keys / GATEWAY_PUBLIC, VerifyingKey)
    return Vault(
        clock=clock or SystemClock(),
        engine=open_engine(settings.main_url, pool_size=2),
        shred_engine=open_engine(settings.shred_url, pool_size=2),
        gateway_public=public,
        other_keys=gateway_keys.others(settings.keys, public),
    )


def promise_name(settings: Settings) -> str:
    """Return the name under which promises are signed: never the log's own, for the log's key signs checkpoints alone."""
    return promise_name_of(settings.log_origin)


def promise_name_of(origin: str) -> str:
    """Return the name under which promises about the log of that name are signed."""
    return f"{origin}/promise"


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
    ensure(gateway_keys.GATEWAY_KEYS, lambda: save(settings.keys / gateway_keys.GATEWAY_KEYS, gateway_keys.published(settings.keys)))
    ensure(log_keys.LOG_KEYS, lambda: save(settings.keys / log_keys.LOG_KEYS, log_keys.published(settings.keys)))
    ensure(PSEUDONYM_ROOTS, lambda: save(settings.keys / PSEUDONYM_ROOTS, PseudonymRoots.generate()))
    return made


def open_sequencer(settings: Settings, clock: Clock | None = None) -> Sequencer:
    """Return the log's sequencer, the only part that needs the log's private key and the guard file."""
    signer, *beside = log_keys.signers(settings.keys, settings.log_origin)
    settings.guard_file.parent.mkdir(parents=True, exist_ok=True)
    return CountingSequencer(
        engine=open_engine(settings.main_url, pool_size=2, by_index=True),
        tables=audit_tables,
        signer=signer,
        beside=beside,
        stop=succession_tables.stop,
        origin=settings.log_origin,
        guard_path=settings.guard_file,
        now=(clock or SystemClock()).now,
    )


def open_policy(settings: Settings) -> Policy | None:
    """Return the policy of the log's witnesses, or None if there are none.

    Raises ``PolicyRefused`` when the file is no policy, is about other logs, or names a witness that cannot be asked; ``OSError`` when it
    cannot be read.
    """
    if settings.witness_policy is None:
        return None
    policy = parse_policy(settings.witness_policy.read_bytes())
    require_usable(policy, live=settings.deployment is Deployment.LIVE)
    own = Verifier(settings.log_origin, load(settings.keys / LOG_PUBLIC, VerifyingKey).raw)
    if policy.logs and own not in [log.key for log in policy.logs]:
        raise PolicyRefused("the logs that the policy lists are others than this service's")
    return policy


@contextmanager
def open_publisher(settings: Settings, clock: Clock | None = None) -> Iterator[Publisher | None]:
    """Give what has the log's checkpoints cosigned, or None without witnesses. Raises what ``open_policy`` raises."""
    policy = open_policy(settings)
    if policy is None:
        yield None
        return
    with PostClient() as client:
        yield Publisher(
            engine=open_engine(settings.main_url, pool_size=2),
            tables=audit_tables,
            cosigning=cosigning_tables,
            policy=policy,
            origin=settings.log_origin,
            ask=client.ask,
            now=(clock or SystemClock()).now,
        )


@contextmanager
def open_stamper(settings: Settings, clock: Clock | None = None) -> Iterator[Stamper | None]:
    """Give what has the log's checkpoints time-stamped, or None where no time-stamping authority is set."""
    if settings.timestamp_url is None:
        yield None
        return
    with PostClient("application/timestamp-query") as client:
        yield Stamper(
            engine=open_engine(settings.main_url, pool_size=2),
            tables=audit_tables,
            timestamps=timestamps,
            url=settings.timestamp_url,
            every=settings.timestamp_every,
            ask=client.ask,
            now=(clock or SystemClock()).now,
        )


@contextmanager
def beside_the_sequencer(settings: Settings, clock: Clock | None = None) -> Iterator[None]:
    """While the block runs, witnesses and time-stamping authority are asked from threads of their own, which nothing waits for.

    Raises what ``open_policy`` raises.
    """
    with open_publisher(settings, clock) as publisher, open_stamper(settings, clock) as stamper:
        stop, threads = threading.Event(), []
        if publisher is not None:
            threads.append(("witnesses", publisher.run_forever, settings.witness_every))
        if stamper is not None:
            threads.append(("time stamps", stamper.run_forever, min(settings.timestamp_every, LOOKS_FOR_STAMPS)))
        running = [threading.Thread(target=run, args=(stop, every.total_seconds()), name=name, daemon=True) for name, run, every in threads]
        for thread in running:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in running:
                thread.join(timeout=5)


def start_sequencer(sequencer: Sequencer, stop: threading.Event) -> threading.Thread:
    """Run the sequencer in a thread of its own until ``stop`` is set (embedded mode)."""
    thread = threading.Thread(target=sequencer.run_forever, args=(stop,), name="sequencer", daemon=True)
    thread.start()
    return thread


def collect_less() -> None:
    """The collector passes over what is loaded by now, which lives as long as the process, and looks less often at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
