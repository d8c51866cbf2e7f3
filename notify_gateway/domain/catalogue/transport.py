# SPDX-License-Identifier: MIT
"""Errors of the request itself: size, content type, headers (BaRS conventions)."""

from __future__ import annotations

from notify_gateway.domain.catalogue.codes import Code
from notify_gateway.domain.catalogue.entry import Entry

ENTRIES = (
    Entry(
        code=Code.BODY_TOO_LARGE,
        title="The body is too large",
        why="A message without attachments is bounded in size, so that no sender can slow the service for the others.",
        fix="Send one notification per message, without embedded documents or long narratives.",
        status=413,
        issue="too-long",
        rec="SEND_BAD_REQUEST",
    ),
    Entry(
        code=Code.CONTENT_TYPE,
        title="The content type is not supported",
        why="The endpoint reads JSON in one form only.",
        fix="Send the Content-Type that the endpoint documents: application/fhir+json for FHIR, application/json elsewhere.",
        status=415,
        issue="not-supported",
        rec="SEND_UNSUPPORTED_MEDIA_TYPE",
    ),
    Entry(
        code=Code.NOT_ACCEPTABLE,
        title="No acceptable form of answer",
        why="The endpoint answers in JSON only.",
        fix="Accept application/fhir+json (application/json elsewhere) or leave the Accept header out.",
        status=406,
        issue="not-supported",
        rec="SEND_NOT_ACCEPTABLE",
    ),
    Entry(
        code=Code.CONTENT_ENCODING,
        title="Compressed bodies are not accepted",
        why="A compressed body hides its true size and its digest.",
        fix="Send the body without Content-Encoding.",
        status=415,
        issue="not-supported",
        rec="SEND_UNSUPPORTED_MEDIA_TYPE",
    ),
    Entry(
        code=Code.REQUEST_ID_MISSING,
        title="X-Request-ID is missing",
        why="Each request carries its own identifier, so that a repeat is recognised (BaRS transactional integrity).",
        fix="Send a new UUID as X-Request-ID; repeat it only when sending the very same bytes again.",
        status=400,
        issue="required",
        rec="SEND_BAD_REQUEST",
    ),
    Entry(
        code=Code.REQUEST_ID_INVALID,
        title="X-Request-ID is not a UUID",
        why="The identifier of a request is a UUID (BaRS transactional integrity).",
        fix="Send a UUID in its usual form of 36 characters as X-Request-ID.",
        status=400,
        issue="value",
        rec="SEND_BAD_REQUEST",
    ),
    Entry(
        code=Code.CORRELATION_ID_MISSING,
        title="X-Correlation-ID is missing",
        why="The correlation identifier joins new, update and delete of one notification (BaRS transactional integrity).",
        fix="Send a UUID as X-Correlation-ID, and the same one with every later message on this notification.",
        status=400,
        issue="required",
        rec="SEND_BAD_REQUEST",
    ),
    Entry(
        code=Code.CORRELATION_ID_INVALID,
        title="X-Correlation-ID is not a UUID",
        why="The correlation identifier is a UUID (BaRS transactional integrity).",
        fix="Send a UUID in its usual form of 36 characters as X-Correlation-ID.",
        status=400,
        issue="value",
        rec="SEND_BAD_REQUEST",
    ),
    Entry(
        code=Code.METHOD_NOT_ALLOWED,
        title="The method is not allowed here",
        why="The address exists, but not for this HTTP method.",
        fix="Use a method that the Allow header of the answer names.",
        status=405,
        issue="not-supported",
        rec="SEND_METHOD_NOT_ALLOWED",
    ),
    Entry(
        code=Code.NO_SUCH_PAGE,
        title="There is nothing at this address",
        why="The path names no endpoint of the service.",
        fix="Compare the path with the documentation; paths are case-sensitive.",
        status=404,
        issue="not-found",
        rec="SEND_NOT_FOUND",
    ),
    Entry(
        code=Code.PARAMETER_INVALID,
        title="A parameter is missing or malformed",
        why="A query, path or body parameter does not have the documented form.",
        fix="Compare the request with the documentation of the endpoint.",
        status=400,
        issue="value",
        rec="SEND_BAD_REQUEST",
    ),
)
