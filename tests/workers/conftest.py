# SPDX-License-Identifier: MIT
"""Fixtures of the workers' tests: a receiver, a signer, a webhook channel and its event loop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.workers.receiver import Receiver
from workers.channels.signature import RequestSigner


class FixedClock:
    """Noon of the first of January 2025, UTC."""

    def now(self) -> datetime:
        return datetime(2025, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def signer() -> RequestSigner:
    return RequestSigner("gateway-1", Ed25519PrivateKey.generate())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.close()
