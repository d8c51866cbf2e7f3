# SPDX-License-Identifier: MIT
"""The front page: what this address is, for whoever opens it in a browser."""

from __future__ import annotations

from functools import cache
from importlib import resources

from fastapi import APIRouter, Response

router = APIRouter(tags=["Pages"])


@router.get("/", response_class=Response)
async def landing() -> Response:
    """Show the front page."""
    return Response(_page(), media_type="text/html; charset=utf-8")


@cache
def _page() -> bytes:
    return resources.files("notify_gateway.web").joinpath("static", "index.html").read_bytes()
