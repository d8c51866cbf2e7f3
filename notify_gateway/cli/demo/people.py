# SPDX-License-Identifier: MIT
"""The people of the demonstration: a practice provider that runs while it does, at which they sign in with one click."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from notify_gateway.cli.demo import inboxes
from notify_gateway.cli.demo.front_door import ServerThread
from notify_gateway.cli.demo.world import TRUST
from notify_gateway.cli.practice.personas import PROVIDER, personas, write_providers
from notify_gateway.cli.practice.provider import PracticeProvider
from notify_gateway.cli.run import listen
from notify_gateway.use_cases.staff_providers import CALLBACK


@contextmanager
def practising(folder: Path, base_url: str) -> Iterator[Path]:
    """Keep the practice provider running on a free port while the block runs; give the file of providers that names it."""
    people = personas(home=inboxes.MANAGED.gss, other=inboxes.HELD.gss, trust=TRUST)
    with listen("127.0.0.1", 0) as listening:
        host, port = listening.getsockname()
        issuer = f"http://{host}:{port}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file, secret = write_providers(folder, issuer, people)
        provider = PracticeProvider(issuer, f"{base_url}{CALLBACK}/{PROVIDER}", secret, people)
        config = uvicorn.Config(provider.app(), log_config=None, access_log=False, server_header=False)
        with ServerThread(uvicorn.Server(config), listening):
            yield file
