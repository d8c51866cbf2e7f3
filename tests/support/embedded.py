# SPDX-License-Identifier: MIT
"""The embedded default as one process, ``python -m tests.support.embedded PORT``: what ``notify-gateway demo`` serves, without its play."""

from __future__ import annotations

import sys

from notify_gateway.app import create_app
from notify_gateway.cli.doctor import examiner
from notify_gateway.cli.embedded import Embedded
from notify_gateway.cli.run import listen, make_server
from notify_gateway.cli.service import opened


def main(port: int) -> None:
    """Serve until SIGTERM."""
    with opened() as runtime, Embedded(runtime) as embedded:
        settings, clock = runtime.gateway.settings, runtime.gateway.clock
        server = make_server(create_app(runtime, on_commit=embedded.wake, examine=examiner(settings, clock)), settings)
        server.run(sockets=[listen("127.0.0.1", port)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
