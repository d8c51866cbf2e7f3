# SPDX-License-Identifier: MIT
"""The web application: routers, error answers, start and stop."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from importlib import resources

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from notify_gateway import __version__
from notify_gateway.api import (
    audit_event_endpoints,
    authority_endpoints,
    bulk_endpoints,
    closed_log_endpoints,
    definition_endpoints,
    fhir_endpoints,
    ig_endpoints,
    log_endpoints,
    openapi,
    operations,
    reconciliation_endpoints,
    sign_in_endpoints,
    task_endpoints,
    validate_endpoints,
)
from notify_gateway.api.endpoints import ENDPOINTS
from notify_gateway.api.http import Envelope, error_response
from notify_gateway.api.service import Service
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotFound, NotifyError, Refused, Unavailable
from notify_gateway.runtime import Runtime
from notify_gateway.use_cases.bulk import Turns
from notify_gateway.use_cases.try_channel import Reach
from notify_gateway.web import docs, errors, landing, pages
from notify_gateway.web.devices import card as device_card
from notify_gateway.web.devices import pages as device_pages
from notify_gateway.web.entrance import account as staff_account
from notify_gateway.web.entrance import sign_in as staff_sign_in
from notify_gateway.web.entrance.answers import is_for_people
from notify_gateway.web.entrance.answers import refusal as refusal_for_people
from notify_gateway.web.entrance.desk import Entrance
from notify_gateway.web.entrance.door import mark
from notify_gateway.web.inbox.routers import ROUTERS as INBOX
from notify_gateway.web.operations import deliveries as operations_deliveries
from notify_gateway.web.operations import failed as operations_failed
from notify_gateway.web.operations import pages as operations_pages
from notify_gateway.web.operations import sign_in as operators_sign_in
from notify_gateway.web.operations.answers import is_ours, refusal
from notify_gateway.web.operations.desk import Desk, Examine
from notify_gateway.web.paper.press import Press
from notify_gateway.web.paper.routers import ROUTERS as PAPER

FOR_PEOPLE = ("/inbox/", "/notifications/", "/team/", "/devices/", "/sign-in/", "/account/")
"""Below these a wrong address was typed or followed by a person."""


def create_app(
    runtime: Runtime, *, on_commit: Callable[[], None] = lambda: None, examine: Examine | None = None, reach: Reach | None = None
) -> FastAPI:
    """Return the application of one gateway process; ``on_commit`` is called after each group commit and must not raise or block.

    ``examine`` looks at the machine for the operations pages, ``reach`` tries whether an authority can be reached.
    """
    parts = Service(runtime, on_commit)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        parts.start()
        if runtime.gateway.settings.staff_providers is not None:
            pages.warm_up()
        try:
            yield
        finally:
            parts.stop()
            door.close()
            press.close()

    app = FastAPI(
        title="notify_gateway",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        # Spans and log records of the framework would quote query strings and exception texts.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.service = parts
    app.state.turns = Turns()
    app.state.desk = Desk(parts.gateway, examine, reach)
    app.state.entrance = door = Entrance(parts.gateway)
    app.state.press = press = Press()
    for router in (
        fhir_endpoints.router,
        bulk_endpoints.router,
        task_endpoints.router,
        definition_endpoints.router,
        validate_endpoints.router,
        sign_in_endpoints.router,
        authority_endpoints.router,
        log_endpoints.router,
        closed_log_endpoints.router,
        ig_endpoints.router,
        audit_event_endpoints.router,
        reconciliation_endpoints.router,
        operations.router,
        landing.router,
        errors.router,
        docs.router,
        operators_sign_in.router,
        operations_pages.router,
        operations_failed.router,
        operations_deliveries.router,
        device_pages.router,
        device_card.router,
        *INBOX,
        *PAPER,
        staff_sign_in.router,
        staff_account.router,
    ):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=str(resources.files("notify_gateway.web").joinpath("static"))), name="static")
    openapi.install(app, ENDPOINTS)
    app.add_exception_handler(NotifyError, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_middleware(Envelope, limits=parts.limits, answer=_known)
    return app


async def _known(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotifyError)
    if is_for_people(request):
        return await refusal_for_people(request, error)
    return refusal(request, error) if is_ours(request) else error_response(request, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        if request.url.path.startswith(FOR_PEOPLE):
            mark(request)
        return await _known(request, NotFound(Issue(Code.NO_SUCH_PAGE)))
    response = error_response(request, NotFound(Issue(Code.METHOD_NOT_ALLOWED)))
    response.headers["Allow"] = ", ".join(sorted(_methods(request))) or "GET, HEAD"
    return response


def _methods(request: Request) -> set[str]:
    """Return the methods of all routes of this address; one that names it is not joined by those that would take it for an id."""
    found = [(named, methods) for path, named, methods in _paths(request.app) if path.fullmatch(request.url.path)]
    exact = [methods for named, methods in found if named]
    return set().union(*(exact or [methods for _, methods in found]))


@cache
def _paths(app: FastAPI) -> list[tuple[re.Pattern[str], bool, set[str]]]:
    routes = [route for route in iter_route_contexts(app.routes) if hasattr(route, "path_regex")]
    return [(route.path_regex, "{" not in str(route.path), route.methods or set()) for route in routes]


async def _parameters(request: Request, _error: Exception) -> Response:
    return error_response(request, Refused(Issue(Code.PARAMETER_INVALID)))


async def _database(request: Request, _error: Exception) -> Response:
    return await _known(request, Unavailable(Code.DATABASE_UNAVAILABLE))
