# SPDX-License-Identifier: MIT
"""The stage of the demonstration: service, front door and pretend authority, all of them running."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx2

from notify_gateway.app import create_app
from notify_gateway.cli.demo import inboxes
from notify_gateway.cli.demo.front_door import ServerThread
from notify_gateway.cli.demo.message import fresh
from notify_gateway.cli.demo.people import practising
from notify_gateway.cli.demo.world import TRUST, World, set_up, settings_for
from notify_gateway.cli.doctor import examiner
from notify_gateway.cli.embedded import Embedded
from notify_gateway.cli.pretend.authority import Equipment, PretendAuthority
from notify_gateway.cli.pretend.journal import Journal
from notify_gateway.cli.pretend.thread import PretendThread
from notify_gateway.cli.run import listen, make_server
from notify_gateway.privacy.keys import RecipientPrivateKey, VerifyingKey, load

LOOK_EVERY = 0.2


@dataclass(slots=True)
class Voice:
    """What the pretend authority says; heard once somebody listens."""

    listener: Callable[[str], None] = field(default=lambda _: None)

    def say(self, words: str) -> None:
        """Say it to whoever listens."""
        self.listener(f"pretend authority: {words}")


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs, and how to reach it."""

    world: World
    client: httpx2.Client
    base_url: str
    voice: Voice

    def addresses(self) -> dict[str, str]:
        """Return the addresses of the demonstration."""
        return {
            "front page": f"{self.base_url}/",
            "people sign in at": f"{self.base_url}/sign-in",
            "a trust posts to": f"{self.base_url}/fhir/R4/$process-message",
            "an authority collects at": f"{self.base_url}/authority/v1/deliveries",
            "how it is": f"{self.base_url}/_status",
            "the audit log's checkpoint": f"{self.base_url}/log/checkpoint",
            "interface": f"{self.base_url}/openapi.json",
        }

    def tokens(self) -> dict[str, str]:
        """Return the tokens of this run, which are good for made-up children on this machine and nothing else."""
        return {
            f"trust {TRUST}": self.world.trust_token,
            f"authority {self.world.collecting.home.gss} (collects)": self.world.collecting.token,
            f"authority {self.world.receiving.home.gss} (webhook)": self.world.receiving.token,
        }

    def sending(self) -> str:
        """Write a fresh message and return the command that posts it."""
        gateway = self.world.runtime.gateway
        file = gateway.settings.data_dir / "message.json"
        file.write_text(fresh(self.world.receiving.home, gateway.clock.now()).text(), "utf-8")
        headers = {
            "Authorization": f"Bearer {self.world.trust_token}",
            "Content-Type": "application/fhir+json",
            "X-Request-ID": str(uuid4()),
            "X-Correlation-ID": str(uuid4()),
        }
        parts = ["curl", "-i", f"{self.base_url}/fhir/R4/$process-message", "--data-binary", f"@{file}"]
        return shlex.join([*parts, *(part for name, value in headers.items() for part in ("-H", f"{name}: {value}"))])

    def opening(self) -> str:
        """Return the command that opens what the collecting authority has."""
        council = self.world.collecting
        keys = ["--key", str(council.key_file), "--gateway-key", str(self.world.gateway_key_file)]
        return f"notify-gateway authority open {shlex.quote(str(council.folder / 'deliveries'))}/*.json {shlex.join(keys)}"


@contextmanager
def staged(folder: Path, listening: socket.socket) -> Iterator[Stage]:
    """Keep everything running while the block runs: the service on ``listening``, the pretend authority on a free port."""
    with ExitStack() as ending:
        ending.enter_context(listening)
        receiving = ending.enter_context(listen("127.0.0.1", 0))
        base_url, webhook_url = _address(listening), f"{_address(receiving)}/deliveries"
        address = ending.enter_context(inboxes.socket_for_opener())
        settings = settings_for(folder, base_url, ending.enter_context(practising(folder, base_url)), address)
        world = set_up(settings, webhook_url)
        ending.callback(world.runtime.close)
        inboxes.set_up(world.runtime)
        ending.enter_context(inboxes.opening(settings))
        embedded = ending.enter_context(Embedded(world.runtime))
        app = create_app(world.runtime, on_commit=embedded.wake, examine=examiner(settings, world.runtime.gateway.clock))
        ending.enter_context(ServerThread(make_server(app, settings), listening))
        voice = Voice()
        journal = ending.enter_context(Journal(folder / "pretend-authority" / "applied.sqlite3"))
        authority = PretendAuthority(_equipment(world, base_url, webhook_url), journal, world.runtime.gateway.clock, voice.say)
        ending.enter_context(PretendThread(authority, receiving))
        client = ending.enter_context(httpx2.Client(base_url=base_url, timeout=30.0))
        yield Stage(world, client, base_url, voice)


def _equipment(world: World, base_url: str, webhook_url: str) -> Equipment:
    return Equipment(
        gateway_url=base_url,
        gateway_key=load(world.gateway_key_file, VerifyingKey),
        address=webhook_url,
        token=world.receiving.token,
        private_key=load(world.receiving.key_file, RecipientPrivateKey),
        poll_every=LOOK_EVERY,
    )


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()
    return f"http://{host}:{port}"
