# SPDX-License-Identifier: MIT
"""The audit log: what anybody may know of it, what information governance may read, and what an organisation may keep of its own."""

from __future__ import annotations

import asyncio
from base64 import b64encode

from fastapi import APIRouter, Request, Response

from audit.note import Verifier
from audit.tiles import Tile
from notify_gateway.api.http import closed_number, is_whole, json_response, whole_number
from notify_gateway.api.service import service
from notify_gateway.api.streams import ExportResponse
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, Refused, Unavailable
from notify_gateway.privacy.keys import fingerprint
from notify_gateway.use_cases import evidence, exporting, proofs
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, LOG_SCOPE, TRUST_SCOPE

router = APIRouter(prefix="/log", tags=["Log"])

_FOR_EVER = "public, max-age=31536000, immutable"
"""What a checkpoint has covered never changes."""


@router.get("/checkpoint", response_class=Response)
async def read_checkpoint(request: Request) -> Response:
    """Return the latest signed checkpoint (C2SP tlog-checkpoint); where there are witnesses, the latest that they have cosigned.

    With ``size`` it is the one of exactly that many entries, as the log signed it: not every size was signed.
    """
    if (size := request.query_params.get("size")) is not None:
        wanted = whole_number(size, Code.LOG_CHECKPOINT_UNKNOWN)
        found = await asyncio.to_thread(proofs.checkpoint_of, service(request).gateway, wanted)
        return Response(found, media_type="text/plain; charset=utf-8")
    note = await asyncio.to_thread(proofs.checkpoint, service(request).gateway)
    if note is None:
        raise Unavailable(Code.LOG_BEHIND, retry_after=1)
    return Response(note, media_type="text/plain; charset=utf-8")


@router.get("/timestamp", response_class=Response)
async def read_timestamp(request: Request) -> Response:
    """Return the latest time stamp of a checkpoint (RFC 3161), or that of the checkpoint of ``size``, as the authority answered it.

    It is over the checkpoint's text, without its signatures. Content-Location names the size; the checkpoint of that size is at
    ``/log/checkpoint?size=…``.
    """
    size = request.query_params.get("size")
    wanted = None if size is None else whole_number(size, Code.LOG_TIMESTAMP_UNKNOWN)
    found = await asyncio.to_thread(proofs.timestamp, service(request).gateway, wanted)
    headers = {"Content-Location": f"/log/timestamp?size={found.size}"}
    return Response(found.reply, media_type="application/timestamp-reply", headers=headers)


@router.get("/keys", response_class=Response)
async def read_keys(request: Request) -> Response:
    """Return the public keys. Compare them, once, with what the service told you by another way."""
    public = service(request).runtime.public
    return json_response(
        {
            "log": public.log.vkey,
            "log_keys": [
                {
                    "verifier": Verifier(public.log.name, each.key.raw).vkey,
                    "since": each.since.isoformat() if each.since else None,
                    "until": each.until.isoformat() if each.until else None,
                }
                for each in public.log_keys.keys
            ],
            "promises": public.promises.vkey,
            "gateway": {
                "kid": public.gateway.kid,
                "ed25519": b64encode(public.gateway.raw).decode(),
                "fingerprint": fingerprint(public.gateway),
            },
            "gateway_keys": [
                {
                    "kid": each.key.kid,
                    "ed25519": b64encode(each.key.raw).decode(),
                    "fingerprint": fingerprint(each.key),
                    "promises": Verifier(public.promises.name, each.key.raw).vkey,
                    "since": each.since.isoformat() if each.since else None,
                    "until": each.until.isoformat() if each.until else None,
                }
                for each in public.gateway_keys.keys
            ],
        }
    )


@router.get("/consistency", response_class=Response)
async def read_consistency(request: Request) -> Response:
    """Return the proof that the log of ``to`` entries begins with that of ``from``: one Base64 hash a line, as the verifier reads it."""
    sizes = [_size(request.query_params.get(name, "")) for name in ("from", "to")]
    proof = await asyncio.to_thread(proofs.consistency, service(request).gateway, old=sizes[0], new=sizes[1])
    return Response("".join(f"{b64encode(each).decode()}\n" for each in proof), media_type="text/plain; charset=utf-8")


@router.get("/tile/entries/{path:path}", response_class=Response)
async def read_entries(request: Request, path: str) -> Response:
    """Return a bundle of entries (C2SP tlog-tiles) to information governance. Who read which is in the log before they leave."""
    parts = service(request)
    client = await parts.admit(request, LOG_SCOPE)
    parts.require_healthy()
    tile = Tile.from_path(f"entries/{path}")
    if tile is None:
        raise NotFound(Issue(Code.LOG_TILE_UNKNOWN))
    bundle = await asyncio.to_thread(evidence.entries, parts.gateway, tile=tile, actor=client.actor)
    return Response(bundle, media_type="application/octet-stream")


@router.get("/export", response_class=Response)
async def export_own(request: Request) -> Response:
    """Return the signed log for the offline verifier, as far as it is the caller's.

    Entries in full where a trust sent or acted, or where an authority is told of; the hash alone elsewhere. It proves that nothing is
    missing all the same. That it was exported is in the log before it begins. With ``closed`` it is the closed log of that number.
    """
    parts = service(request)
    client = await parts.admit(request, TRUST_SCOPE, AUTHORITY_SCOPE)
    parts.require_healthy()
    closed = closed_number(request)
    return ExportResponse(await asyncio.to_thread(exporting.begin, parts.gateway, actor=client.actor, own=client, closed=closed))


@router.get("/tile/{path:path}", response_class=Response)
async def read_tile(request: Request, path: str) -> Response:
    """Return a tile of hashes (C2SP tlog-tiles). Bundles of entries, which are personal data, are at another address."""
    tile = Tile.from_path(path)
    if tile is None or tile.level is None:
        raise NotFound(Issue(Code.LOG_TILE_UNKNOWN))
    hashes = await asyncio.to_thread(proofs.tile, service(request).gateway, tile)
    return Response(hashes, media_type="application/octet-stream", headers={"Cache-Control": _FOR_EVER})


def _size(text: str) -> int:
    if not is_whole(text):
        raise Refused(Issue(Code.LOG_SIZES))
    return int(text)
