# SPDX-License-Identifier: MIT
"""Logs that were closed, for everybody: what each was closed at, which keys verify it, and its hashes. They say nothing of anybody."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from audit.note import Verifier
from audit.shards import ClosedLog
from audit.tiles import Tile
from notify_gateway.api.http import json_response, whole_number
from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound
from notify_gateway.runtime import PublicKeys, promise_name_of
from notify_gateway.use_cases import shards

router = APIRouter(prefix="/log/closed", tags=["Log"])

_FOR_EVER = "public, max-age=31536000, immutable"


@router.get("", response_class=Response)
async def list_closed(request: Request) -> Response:
    """Return the logs that were closed, oldest first: name, last checkpoint, the keys that verify it, and whether its entries were deleted.

    Each log's first entry commits to the one before.
    """
    parts = service(request)
    logs = await asyncio.to_thread(shards.all_closed, parts.gateway)
    names = [*(each.origin for each in logs), parts.runtime.public.log.name]
    listed = [_listed(each, following, parts.runtime.public) for each, following in zip(logs, names[1:], strict=True)]
    return json_response({"logs": listed})


@router.get("/{number}/checkpoint", response_class=Response)
async def read_closed_checkpoint(request: Request, number: str) -> Response:
    """Return the signed checkpoint that the log was closed at, with the cosignatures of witnesses that it had."""
    log = await asyncio.to_thread(shards.closed_log, service(request).gateway, whole_number(number, Code.CLOSED_LOG_UNKNOWN))
    return Response(log.note, media_type="text/plain; charset=utf-8")


@router.get("/{number}/tile/{path:path}", response_class=Response)
async def read_closed_tile(request: Request, number: str, path: str) -> Response:
    """Return a tile of hashes (C2SP tlog-tiles) of a closed log. It is there also when the entries were deleted."""
    wanted, log = Tile.from_path(path), whole_number(number, Code.CLOSED_LOG_UNKNOWN)
    if wanted is None or wanted.level is None:
        raise NotFound(Issue(Code.LOG_TILE_UNKNOWN))
    hashes = await asyncio.to_thread(shards.tile, service(request).gateway, log, wanted)
    return Response(hashes, media_type="application/octet-stream", headers={"Cache-Control": _FOR_EVER})


def _listed(log: ClosedLog, following: str, public: PublicKeys) -> dict[str, object]:
    closed_at = shards.instant(log.closed_at)
    signed = [each.key for each in public.log_keys.keys if each.since is None or each.since <= closed_at]
    return {
        "number": log.epoch,
        "origin": log.origin,
        "size": log.size,
        "root": log.root.hex(),
        "closed_at": closed_at.isoformat(),
        "followed_by": following,
        "entries_deleted_at": None if log.deleted_at is None else shards.instant(log.deleted_at).isoformat(),
        "verifiers": [Verifier(log.origin, each.raw).vkey for each in signed],
        "promises": [Verifier(promise_name_of(log.origin), each.key.raw).vkey for each in public.gateway_keys.keys],
    }
