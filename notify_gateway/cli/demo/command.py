# SPDX-License-Identifier: MIT
"""``notify-gateway demo``: the whole service in one process, shown at work, then left running."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.output import AsJson

if TYPE_CHECKING:
    import socket

    from notify_gateway.cli.demo.narrator import Narrator
    from notify_gateway.cli.demo.stage import Stage


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the demonstration instead of serving on.")] = False,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the service; a free one if it is taken.")] = 8080,
    data: Annotated[Path, typer.Option(help="Folder of the demonstration; what is there is used again.")] = Path("var/demo"),
    as_json: AsJson = False,
) -> None:
    """Show the whole service at work, with nothing else to install: one process, made-up children, this machine only.

    Makes keys, databases, a trust and two authorities, then sends notifications through the real front door and tells each step: posted,
    checked, split, sealed, committed, delivered, opened, acknowledged, proved. Then it serves until Ctrl-C, so that you can try it.
    """
    import signal
    from contextlib import ExitStack

    from notify_gateway.cli.demo.journey import Journey
    from notify_gateway.cli.demo.narrator import Narrator
    from notify_gateway.cli.demo.stage import staged
    from notify_gateway.cli.demo.world import claimed
    from notify_gateway.cli.logs import log_to_stderr
    from notify_gateway.cli.output import show

    log_to_stderr("warning")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    narrator = Narrator(silent=as_json)
    with ExitStack() as ending:
        ending.enter_context(claimed(data))
        stage = ending.enter_context(staged(data.resolve(), _listen_near(port, narrator)))
        Journey(stage.world, stage.client, narrator).play()
        if as_json:
            steps = [{"title": step.title, "words": step.words, "evidence": list(step.evidence)} for step in narrator.steps]
            show(True, {"base_url": stage.base_url, "steps": steps, "addresses": stage.addresses()})
        if not once:
            _serve_on(stage, narrator)


def _serve_on(stage: Stage, narrator: Narrator) -> None:
    """Print how to reach what runs, and return at Ctrl-C."""
    import threading

    from notify_gateway.cli.output import facts

    narrator.chapter("It goes on serving until Ctrl-C")
    narrator.aside(facts(stage.addresses()))
    narrator.chapter("Tokens of this run, for made-up children on this machine only")
    narrator.aside(facts(stage.tokens()))
    narrator.chapter("Send another, as the trust would")
    narrator.aside(stage.sending())
    narrator.chapter("Open what was delivered, as the authority would")
    narrator.aside(stage.opening())
    narrator.aside("")
    stage.voice.listener = narrator.aside
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        narrator.aside("\nEnding. What was made stays in the folder, for the next time.")


def _listen_near(port: int, narrator: Narrator) -> socket.socket:
    """Return a socket on ``port``, or on a free one if that is taken."""
    from notify_gateway.cli.failures import CommandFailed
    from notify_gateway.cli.run import listen

    try:
        return listen("127.0.0.1", port)
    except CommandFailed:
        listening = listen("127.0.0.1", 0)
        narrator.aside(f"Port {port} is taken; this demonstration is on port {listening.getsockname()[1]}.")
        return listening
