# SPDX-License-Identifier: MIT
"""The web application: routers, error answers, start and stop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib import resources

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from notify_gateway import __version__
from notify_gateway.api import authority_endpoints, fhir_endpoints, log_endpoints, operations
from notify_gateway.api.http import Envelope, error_response
from notify_gateway.api.service import Service
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, NotifyError, Refused, Unavailable
from notify_gateway.runtime import Runtime
from notify_gateway.web import landing


def create_app(runtime: Runtime, *, on_commit: Callable[[], None] = lambda: None) -> FastAPI:
    """Return the application of one gateway process; ``on_commit`` is called after each group commit and must not raise or block."""
    parts = Service(runtime, on_commit)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        parts.start()
        try:
            yield
        finally:
            parts.stop()

    app = FastAPI(
        title="notify_gateway",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # Spans and log records of the framework would quote query strings and exception texts.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.service = parts
    for router in (fhir_endpoints.router, authority_endpoints.router, log_endpoints.router, operations.router, landing.router):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=str(resources.files("notify_gateway.web").joinpath("static"))), name="static")
    app.add_exception_handler(NotifyError, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_middleware(Envelope)
    return app


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotifyError)
    return error_response(request, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = Code.METHOD_NOT_ALLOWED if error.status_code == 405 else Code.NO_SUCH_PAGE
    response = error_response(request, NotFound(Issue(code)))
    if allowed := (error.headers or {}).get("Allow"):
        response.headers["Allow"] = allowed
    return response


async def _parameters(request: Request, _error: Exception) -> Response:
    return error_response(request, Refused(Issue(Code.PARAMETER_INVALID)))


async def _database(request: Request, _error: Exception) -> Response:
    return error_response(request, Unavailable(Code.DATABASE_UNAVAILABLE))
