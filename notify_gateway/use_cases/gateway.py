# SPDX-License-Identifier: MIT
"""What every act needs at hand: databases, keys, tables and the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Generic, TypeVar

from sqlalchemy import Engine

from audit.policy import Policy
from mappings.authorities import Directory
from mappings.postcodes import PostcodeTable
from notify_gateway.domain.clock import Clock
from notify_gateway.privacy.keys import SigningKey, VerifyingKey
from notify_gateway.privacy.pseudonyms import PseudonymKeys
from notify_gateway.settings import Settings
from notify_gateway.store import parties
from notify_gateway.store.engine import reading

T = TypeVar("T")

PARTIES_KNOWN_FOR = timedelta(seconds=2)
"""How long a change of authorities, keys or tokens may take to be seen by a running process."""


class Remembered(Generic[T]):
    """A value that is read again once it is older than ``PARTIES_KNOWN_FOR``. Safe to use from several threads."""

    def __init__(self, read: Callable[[], T], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._held: tuple[float, T] | None = None

    def get(self) -> T:
        """Return the value, at most ``PARTIES_KNOWN_FOR`` old."""
        now = self._clock.now().timestamp()
        held = self._held
        if held is not None and 0 <= now - held[0] < PARTIES_KNOWN_FOR.total_seconds():
            return held[1]
        with self._lock:
            value = self._read()
            self._held = (now, value)
            return value

    def forget(self) -> None:
        """Read again at the next ``get``."""
        self._held = None


@dataclass(frozen=True)
class Core:
    """What every process of the service has: databases, the key that signs what goes out, the authorities. Opened once per process."""

    settings: Settings
    clock: Clock
    engine: Engine
    shred_engine: Engine
    signing_key: SigningKey
    other_keys: tuple[VerifyingKey, ...] = field(default=(), kw_only=True)
    """Keys that signed before, and the one that will: what is kept may bear the signature of one of them."""
    receivers: Remembered[dict[str, parties.Receiver]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "receivers", Remembered(self._read_receivers, self.clock))

    def _read_receivers(self) -> dict[str, parties.Receiver]:
        with reading(self.engine).begin() as connection:
            return parties.receivers(connection)

    def close(self) -> None:
        """Give the databases' connections back."""
        self.engine.dispose()
        self.shred_engine.dispose()


@dataclass(frozen=True)
class Gateway(Core):
    """What the front door has besides, and nobody else needs: the roots of the pseudonyms and the tables for routing."""

    pseudonyms: PseudonymKeys
    directory: Directory
    postcodes: PostcodeTable
    witnesses: Policy | None = None
