# SPDX-License-Identifier: MIT
"""Rows of the table of endpoints: the audit log."""

from __future__ import annotations

from notify_gateway.api.openapi import Answer, Body, Endpoint
from notify_gateway.api.schemas import Schema
from notify_gateway.domain.catalogue import Code
from notify_gateway.use_cases.access import AUTHORITY_SCOPE, LOG_SCOPE, TRUST_SCOPE

SIZE: Schema = {"type": "integer", "minimum": 0}
NUMBER = {"number": {"type": "integer", "minimum": 0, "description": "Number of a closed log, as /log/closed gives it."}}

LOG = {
    ("GET", "/log/consistency"): Endpoint(
        "problem",
        {200: Answer("The proof, one Base64 hash a line.", media="text/plain")},
        (400, 404),
        codes={400: (Code.LOG_SIZES,), 404: (Code.LOG_TILE_UNKNOWN,)},
        query={"from": SIZE, "to": SIZE},
    ),
    ("GET", "/log/tile/{path}"): Endpoint(
        "problem",
        {200: Answer("Hashes, one after the other.", media="application/octet-stream")},
        (404,),
        codes={404: (Code.LOG_TILE_UNKNOWN,)},
    ),
    ("GET", "/log/checkpoint"): Endpoint(
        "problem",
        {200: Answer("A signed note (C2SP tlog-checkpoint).", media="text/plain")},
        (404,),
        codes={404: (Code.LOG_CHECKPOINT_UNKNOWN,)},
        query={"size": SIZE},
    ),
    ("GET", "/log/timestamp"): Endpoint(
        "problem",
        {200: Answer("A time-stamp reply (RFC 3161).", media="application/timestamp-reply", headers=("Content-Location",))},
        (404,),
        codes={404: (Code.LOG_TIMESTAMP_UNKNOWN,)},
        query={"size": SIZE},
    ),
    ("GET", "/log/closed"): Endpoint("problem", {200: Answer("The logs that were closed, oldest first.", "ClosedLogs")}),
    ("GET", "/log/closed/{number}/checkpoint"): Endpoint(
        "problem",
        {200: Answer("The signed note that the log was closed at, with its cosignatures.", media="text/plain")},
        (404,),
        codes={404: (Code.CLOSED_LOG_UNKNOWN,)},
        parameters=NUMBER,
    ),
    ("GET", "/log/closed/{number}/tile/{path}"): Endpoint(
        "problem",
        {200: Answer("Hashes, one after the other.", media="application/octet-stream")},
        (404,),
        codes={404: (Code.CLOSED_LOG_UNKNOWN, Code.LOG_TILE_UNKNOWN)},
        parameters=NUMBER,
    ),
    ("GET", "/log/keys"): Endpoint("problem", {200: Answer("The public keys.", "LogKeys")}),
    ("GET", "/log/tile/entries/{path}"): Endpoint(
        "problem",
        {200: Answer("Entries, each behind its length in two bytes.", media="application/octet-stream")},
        (404,),
        scope=LOG_SCOPE,
        codes={404: (Code.LOG_TILE_UNKNOWN,)},
    ),
    ("GET", "/log/export"): Endpoint(
        "problem",
        {200: Answer("The signed log, the caller's own entries in full.", "LogLines", "application/x-ndjson")},
        (404,),
        scope=(TRUST_SCOPE, AUTHORITY_SCOPE),
        codes={404: (Code.CLOSED_LOG_UNKNOWN,)},
        query={"closed": NUMBER["number"]},
    ),
    ("GET", "/fhir/R4/AuditEvent"): Endpoint(
        "fhir",
        {200: Answer("The entries that were asked for, in the log's order.", "Searchset", "application/fhir+json")},
        (400, 406),
        scope=LOG_SCOPE,
        codes={400: (Code.PARAMETER_INVALID, Code.PARAMETER_UNKNOWN, Code.SEARCH_BY_POST)},
        query={
            "date": {"type": "string", "description": "A date or an instant, with a prefix such as `ge`."},
            "entity": {"type": "string", "description": "A notification's id or reference; several with commas between."},
            "agent": {"type": "string", "description": "Who acted or is concerned: an ODS or GSS code, or an actor of the log."},
            "type": {"type": "string", "description": "A code, such as `110106` (export) or `rest`."},
            "subtype": {"type": "string", "description": "A code, such as `disclose` or `create`."},
            "_count": {"type": "integer", "minimum": 1},
            "_page": {"type": "string", "description": "Of a `next` link."},
        },
    ),
    ("POST", "/fhir/R4/AuditEvent/_search"): Endpoint(
        "fhir",
        {200: Answer("The entries that were asked for, in the log's order.", "Searchset", "application/fhir+json")},
        (400, 406, 408, 413, 415),
        scope=LOG_SCOPE,
        body=Body("AuditEventSearch", "application/x-www-form-urlencoded"),
        codes={400: (Code.PARAMETER_INVALID, Code.PARAMETER_UNKNOWN)},
    ),
    ("GET", "/fhir/R4/AuditEvent/{event_id}"): Endpoint(
        "fhir",
        {200: Answer("The entry.", "AuditEvent", "application/fhir+json")},
        (404, 406),
        scope=LOG_SCOPE,
        codes={404: (Code.AUDIT_EVENT_UNKNOWN,), 406: (Code.NOT_ACCEPTABLE,)},
        parameters={"event_id": {"type": "string", "format": "uuid"}},
    ),
    ("GET", "/ig/details/{reference}"): Endpoint(
        "problem",
        {200: Answer("The entries that commit to a detail, and what is left of each.", "EntryDetails")},
        (404,),
        scope=(LOG_SCOPE, AUTHORITY_SCOPE),
        codes={404: (Code.TASK_UNKNOWN,)},
        parameters={"reference": {"type": "string", "description": "A notification's reference, such as SEN-7K2M9QXR-C."}},
    ),
    ("GET", "/ig/export"): Endpoint(
        "problem",
        {200: Answer("The signed log, every entry in full.", "LogLines", "application/x-ndjson")},
        (404,),
        scope=LOG_SCOPE,
        codes={404: (Code.CLOSED_LOG_UNKNOWN,)},
        query={"closed": NUMBER["number"]},
    ),
}
