# SPDX-License-Identifier: MIT
"""``notify-gateway pretend-authority``: an authority of one's own, to try the service with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from notify_gateway.cli.failures import CommandFailed

PRIVATE_KEY, TOKEN = "authority.key", "token"


def pretend_authority(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8090,
    gateway_url: Annotated[str | None, typer.Option(help="The service's address; otherwise NOTIFY_GATEWAY_BASE_URL.")] = None,
    gateway_key: Annotated[
        Path | None, typer.Option(help="The gateway's public key file; otherwise gateway.pub.json of the keys folder.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Private key to open deliveries with; otherwise authority.key of the keys folder, if there.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with its token, to collect and acknowledge; otherwise token of the keys folder, if there.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Its webhook's address as registered, such as https://council.example/deliveries.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where it keeps what it got; otherwise pretend-authority below the data folder.")
    ] = None,
    poll: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks at what waits.")] = 2.0,
) -> None:
    """Pretend to be an authority: verify webhooks at /deliveries, collect what waits, open it, acknowledge it. Made-up children only.

    It keeps each delivery once, in applied.sqlite3 of its folder, and prints what it does without naming a child. Without a token it
    only takes webhooks; without a private key it opens nothing.
    """
    import asyncio
    import signal

    from notify_gateway.cli.pretend.authority import Equipment, PretendAuthority
    from notify_gateway.cli.pretend.journal import Journal
    from notify_gateway.cli.run import listen
    from notify_gateway.cli.service import settings
    from notify_gateway.domain.clock import SystemClock
    from notify_gateway.privacy.keys import RecipientPrivateKey, VerifyingKey, load
    from notify_gateway.runtime import GATEWAY_PUBLIC
    from notify_gateway.settings import Deployment

    chosen = settings()
    if chosen.deployment is Deployment.LIVE:
        raise CommandFailed(
            "A live deployment has no pretend authority", "It is for made-up children.", "Set NOTIFY_GATEWAY_DEPLOYMENT to test."
        )
    private, token = key or _if_there(chosen.keys / PRIVATE_KEY), token_file or _if_there(chosen.keys / TOKEN)
    equipment = Equipment(
        gateway_url=(gateway_url or chosen.base_url).rstrip("/"),
        gateway_key=load(gateway_key or chosen.keys / GATEWAY_PUBLIC, VerifyingKey),
        address=address,
        token=token.read_text("utf-8").strip() if token else None,
        private_key=load(private, RecipientPrivateKey) if private else None,
        poll_every=poll,
    )
    listening = listen(host, port)

    async def work(journal: Journal) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        collecting = f"collects from {equipment.gateway_url}" if equipment.token else "has no token and collects nothing"
        _say(f"takes webhooks at http://{host}:{port}/deliveries; {collecting}; holds {journal.count()} deliveries")
        await PretendAuthority(equipment, journal, SystemClock(), _say).run(listening, stop)

    with Journal((folder or chosen.data_dir / "pretend-authority") / "applied.sqlite3") as journal:
        asyncio.run(work(journal))


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None


def _say(words: str) -> None:
    typer.echo(f"pretend authority: {words}")
