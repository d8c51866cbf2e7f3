# SPDX-License-Identifier: MIT
"""A pretend authority's system in a process of its own: answers each POST with its digest and remembers when each delivery first came."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import time
from collections import Counter

import uvloop
from aiohttp import web

first_at: dict[str, float] = {}
posts: Counter[str] = Counter()
letting_go = asyncio.Event()


async def receive(request: web.Request) -> web.Response:
    """Take one delivery."""
    body = await request.read()
    delivery_id = request.headers["Idempotency-Key"]
    first_at.setdefault(delivery_id, time.monotonic())
    posts[delivery_id] += 1
    return web.json_response({"delivery_id": delivery_id, "received": hashlib.sha256(body).hexdigest()})


async def hang(_: web.Request) -> web.Response:
    """Take a connection and answer nothing until everything that hangs is let go."""
    await letting_go.wait()
    return web.Response(status=503)


async def let_go(_: web.Request) -> web.Response:
    """Let go of everything that hangs."""
    letting_go.set()
    return web.Response()


async def count(_: web.Request) -> web.Response:
    """Say how many different deliveries came."""
    return web.json_response(len(first_at))


async def tally(_: web.Request) -> web.Response:
    """Say when each delivery first came (seconds of the machine's monotonic clock) and how often each came."""
    return web.json_response({"first_at": first_at, "posts": posts})


async def forget(_: web.Request) -> web.Response:
    """Begin anew."""
    letting_go.clear()
    first_at.clear()
    posts.clear()
    return web.Response()


def main() -> None:
    """Serve on the port given, on 127.0.0.1."""
    app = web.Application()
    app.add_routes([web.post("/deliveries", receive), web.post("/hang", hang), web.post("/let_go", let_go)])
    app.add_routes([web.get("/count", count), web.get("/tally", tally), web.post("/forget", forget)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main()
