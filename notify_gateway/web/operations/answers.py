# SPDX-License-Identifier: MIT
"""What an operator's browser is answered when something is refused; machines get problem details, as everywhere."""

from __future__ import annotations

from fastapi import Request, Response

from notify_gateway.api.http import error_response
from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import NotifyError
from notify_gateway.web.operations.door import SIGN_IN
from notify_gateway.web.rendering import show


def is_ours(request: Request) -> bool:
    """Tell whether the request is for an operations page."""
    return request.url.path == "/ops" or request.url.path.startswith("/ops/")


def refusal(request: Request, error: NotifyError) -> Response:
    """Return the way to the sign-in page for whoever has to sign in, else a page that says what to do."""
    code = error.issues[0].code
    if code == Code.NO_SUCH_PAGE or "text/html" not in request.headers.get("accept", ""):
        return error_response(request, error)
    if code == Code.TOKEN_MISSING:
        return Response(status_code=303, headers={"Location": SIGN_IN})
    known = entry(code)
    answer = error_response(request, error)
    page = show("operations/refused.html", status=known.status, item=known)
    if "retry-after" in answer.headers:
        page.headers["Retry-After"] = answer.headers["retry-after"]
    return page
