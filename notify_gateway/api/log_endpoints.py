# SPDX-License-Identifier: MIT
"""What anybody may know of the audit log: its latest checkpoint and the keys to verify with. Leaves are personal data and not here."""

from __future__ import annotations

import asyncio
from base64 import b64encode

from fastapi import APIRouter, Request, Response

from notify_gateway.api.http import json_response
from notify_gateway.api.service import service
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Unavailable
from notify_gateway.privacy.keys import fingerprint
from notify_gateway.use_cases import proofs

router = APIRouter(prefix="/log", tags=["Log"])


@router.get("/checkpoint", response_class=Response)
async def read_checkpoint(request: Request) -> Response:
    """Return the latest signed checkpoint (C2SP tlog-checkpoint)."""
    note = await asyncio.to_thread(proofs.checkpoint, service(request).gateway)
    if note is None:
        raise Unavailable(Code.LOG_BEHIND, retry_after=1)
    return Response(note, media_type="text/plain; charset=utf-8")


@router.get("/keys", response_class=Response)
async def read_keys(request: Request) -> Response:
    """Return the public keys. Compare them, once, with what the service told you by another way."""
    public = service(request).runtime.public
    return json_response(
        {
            "log": public.log.vkey,
            "promises": public.promises.vkey,
            "gateway": {
                "kid": public.gateway.kid,
                "ed25519": b64encode(public.gateway.raw).decode(),
                "fingerprint": fingerprint(public.gateway),
            },
        }
    )
