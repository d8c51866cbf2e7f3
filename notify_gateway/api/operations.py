# SPDX-License-Identifier: MIT
"""Health for machines: ``/_ping`` and ``/_status``, exempt from sign-in as on the NHS API platform; metrics without identity."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from notify_gateway import __version__
from notify_gateway.api.http import json_response
from notify_gateway.api.service import service
from notify_gateway.privacy.disclosure import SCHEMA
from notify_gateway.store.engine import reading
from notify_gateway.use_cases import proofs
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.measures import Measures

router = APIRouter(tags=["Operations"])


@router.get("/_ping", response_class=Response)
async def ping() -> Response:
    """Say that the process answers."""
    return json_response({"version": __version__})


@router.get("/_status", response_class=Response)
async def status(request: Request) -> Response:
    """Say whether the service can keep its promises now: 200 and ``pass``, or 503 and ``fail`` with the checks that failed."""
    parts = service(request)
    checks = await asyncio.to_thread(_checks, parts.gateway)
    failed = any(check["status"] == "fail" for check in checks.values())
    # Whoever tries things out must be able to see that they are not tried out on real children.
    deployment = parts.gateway.settings.deployment.value
    said = {"status": "fail" if failed else "pass", "version": __version__, "deployment": deployment, "checks": checks}
    return json_response(said, 503 if failed else 200)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Return Prometheus metrics: this process's own counters, and gauges of the whole service. No label holds an identifier."""
    text = await asyncio.to_thread(_metrics, service(request).measures)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@router.get("/schemas/view.json", response_class=Response)
async def view_schema() -> Response:
    """Return the JSON Schema of the pseudonymised view: all that anybody but the authority can ever read."""
    return json_response(SCHEMA)


def _metrics(measures: Measures) -> bytes:
    return generate_latest() + generate_latest(measures)


def _checks(gateway: Gateway) -> dict[str, dict[str, str]]:
    return {
        "database": _check(lambda: _answers(gateway.engine)),
        "shred-store": _check(lambda: _answers(gateway.shred_engine)),
        "log": _check(lambda: _log(gateway)),
        "postcodes": _check(lambda: gateway.postcodes.edition),
        **({"witnesses": _witnesses(gateway)} if gateway.witnesses else {}),
        **({"timestamps": _timestamps(gateway)} if gateway.settings.timestamp_url else {}),
    }


def _check(look: Callable[[], str]) -> dict[str, str]:
    try:
        return {"status": "pass", "observed": look()}
    except (SQLAlchemyError, OSError, LogBehind) as error:
        return {"status": "fail", "observed": str(error) if isinstance(error, LogBehind) else type(error).__name__}


def _witnesses(gateway: Gateway) -> dict[str, str]:
    # A witness that is away takes nothing from what the service promises: it is told, and nothing is refused for it.
    try:
        found = proofs.witnesses(gateway)
    except SQLAlchemyError as error:
        return {"status": "warn", "observed": type(error).__name__}
    return {"status": "pass" if all(each.well for each in found) else "warn", "observed": "; ".join(each.sentence() for each in found)}


def _timestamps(gateway: Gateway) -> dict[str, str]:
    # As with witnesses: nothing is refused because an authority is away.
    try:
        well, said = proofs.timestamp_standing(gateway)
    except SQLAlchemyError as error:
        return {"status": "warn", "observed": type(error).__name__}
    return {"status": "pass" if well else "warn", "observed": said}


class LogBehind(Exception):
    """The log does not keep up."""


def _answers(engine: Engine) -> str:
    with reading(engine).connect() as connection:
        connection.scalar(select(1))
    return engine.dialect.name


def _log(gateway: Gateway) -> str:
    if (why := proofs.stopped(gateway)) is not None:
        raise LogBehind(f"nothing is signed: {why}")
    age = proofs.pending_age(gateway)
    if age is not None and age > gateway.settings.promise_within.total_seconds():
        raise LogBehind(f"the oldest event has waited {age:.0f} s for its place in the log; is the sequencer running?")
    return "nothing waits" if age is None else f"the oldest event has waited {max(age, 0):.1f} s"
