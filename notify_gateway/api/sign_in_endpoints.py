# SPDX-License-Identifier: MIT
"""Where systems sign in: the token endpoint (RFC 6749, private_key_jwt) and the document that says how (SMART App Launch)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from notify_gateway.api.http import json_response, read_body, require_content_type
from notify_gateway.api.limits import address_of
from notify_gateway.api.service import Service, service
from notify_gateway.credentials.assertions import ASSERTION_TYPE, SignInRefused, read
from notify_gateway.credentials.keys import ALGORITHMS
from notify_gateway.domain.catalogue import Code, entry
from notify_gateway.domain.errors import Issue, NotifyError, Refused, Unavailable
from notify_gateway.use_cases.access import SCOPES
from notify_gateway.use_cases.sign_in import TOKEN_PATH, Issued

router = APIRouter(tags=["Sign-in"])

FORM = "application/x-www-form-urlencoded"
MOST_BODY = 16 * 1024
_KNOWN = ("grant_type", "client_assertion_type", "client_assertion", "scope")
_OAUTH_ERRORS = {
    Code.GRANT_NOT_SUPPORTED: "unsupported_grant_type",
    Code.SIGN_IN_SCOPE: "invalid_scope",
    Code.RATE_LIMITED: "temporarily_unavailable",
}
_NOT_IN_DESCRIPTIONS = re.compile(r'[^\x20-\x7e]|["\\]')


@router.post(TOKEN_PATH, response_class=Response)
async def token(request: Request) -> Response:
    """Give a system a bearer token of ten minutes for a client assertion that it signed with its registered key."""
    parts = service(request)
    try:
        issued = await _token(parts, request)
    except NotifyError as error:
        return _refusal(error)
    except SQLAlchemyError:
        return _refusal(Unavailable(Code.DATABASE_UNAVAILABLE))
    document = {
        "access_token": issued.text,
        "token_type": "Bearer",
        "expires_in": int(issued.lasts.total_seconds()),
        "scope": " ".join(sorted(issued.scopes)),
    }
    return json_response(document, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


@router.get("/fhir/R4/.well-known/smart-configuration", response_class=Response)
async def smart_configuration(request: Request) -> Response:
    """Say how systems sign in: token endpoint, method, algorithms and scopes (SMART App Launch 2.2)."""
    parts = service(request)
    return json_response(
        {
            "token_endpoint": parts.reception.token_url,
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "scopes_supported": sorted(SCOPES["trust"]),
            "response_types_supported": [],
            "capabilities": ["client-confidential-asymmetric"],
        }
    )


async def _token(parts: Service, request: Request) -> Issued:
    require_content_type(request, FORM)
    fields = _form(await read_body(request, MOST_BODY))
    if fields.get("grant_type") is None:
        raise Refused(Issue(Code.SIGN_IN_PARAMETERS))
    if fields["grant_type"] != "client_credentials":
        raise Refused(Issue(Code.GRANT_NOT_SUPPORTED))
    if fields.get("client_assertion_type", ASSERTION_TYPE) != ASSERTION_TYPE:
        raise SignInRefused(Code.ASSERTION_TYPE)
    if "client_assertion" not in fields or "client_assertion_type" not in fields:
        raise Refused(Issue(Code.SIGN_IN_PARAMETERS))
    assertion = fields["client_assertion"]
    with parts.limits.signing_in(address_of(request.scope), _claimed(assertion)):
        issued = await parts.receive(assertion, fields.get("scope"))
    parts.limits.spend(issued.client_id)
    return issued


def _form(body: bytes) -> dict[str, str]:
    """Return the parameters that the endpoint knows; raises ``Refused`` when one is given twice, or when it is no form."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=20) if body else []
    except ValueError:
        raise Refused(Issue(Code.SIGN_IN_PARAMETERS)) from None
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise Refused(Issue(Code.SIGN_IN_PARAMETERS))
    # RFC 6749 3.2: a parameter without a value counts as left out, an unknown one is passed over.
    return {name: value for name, value in pairs if name in _KNOWN and value}


def _claimed(assertion: str) -> str:
    """Return who the assertion says it is from, for counting failures; what cannot be read goes by the empty name."""
    try:
        unproven = read(assertion)
    except SignInRefused:
        return ""
    return f"{unproven.issuer} {unproven.kid}"


def _refusal(error: NotifyError) -> Response:
    """Return the answer of RFC 6749 5.2, with the code of the catalogue beside it."""
    known = entry(error.issues[0].code)
    detail = error.detail if isinstance(error, SignInRefused) and error.detail else known.why
    fallback = "invalid_client" if known.status == 401 else "temporarily_unavailable" if known.status >= 500 else "invalid_request"
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after)
    if known.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="notify-gateway", error="invalid_client"'
    document = {
        "error": _OAUTH_ERRORS.get(known.code, fallback),
        "error_description": _NOT_IN_DESCRIPTIONS.sub("'", f"{known.title}. {detail} {known.fix}"),
        "error_uri": f"/errors/{known.code.value}",
        "code": known.code.value,
    }
    return json_response(document, known.status, headers)
