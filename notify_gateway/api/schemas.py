# SPDX-License-Identifier: MIT
"""JSON Schemas of what the interfaces take and give, for the OpenAPI document. They say what is promised of a shape, not all of FHIR."""

from __future__ import annotations

from typing import Any, TypeAlias

from notify_gateway.settings import Deployment

Schema: TypeAlias = dict[str, Any]

UUID_PATTERN = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
CODE: Schema = {
    "type": "string",
    "pattern": "^NG-[1-9][0-9]{3}$",
    "description": "Code of the catalogue of errors; its page is /errors/{code}.",
}
INSTANT: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
BASE64: Schema = {"type": "string", "contentEncoding": "base64"}


def ref(name: str) -> Schema:
    """Return the reference to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def resource(kind: str, description: str, *, required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """Return the schema of a FHIR R4 resource of which only ``properties`` are described."""
    return {
        "type": "object",
        "description": description,
        "required": ["resourceType", *required],
        "properties": {"resourceType": {"const": kind}, **properties},
    }


def record(description: str = "", *, optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """Return the schema of a JSON object with exactly these properties; those named ``optional`` may be missing."""
    required = [name for name in properties if name not in optional]
    made = {"type": "object", "required": required, "properties": properties, "additionalProperties": False}
    return made | ({"description": description} if description else {})


def list_of(items: Schema, **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **more}


def text(description: str = "", **more: Any) -> Schema:
    """Return the schema of a string."""
    return {"type": "string", **({"description": description} if description else {}), **more}


def maybe(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


CODING = record("", optional=("system", "display"), system=text(), code=text(), display=text())
ISSUE: Schema = {
    "type": "object",
    "required": ["severity", "code", "details"],
    "properties": {
        "severity": {"enum": ["fatal", "error", "warning", "information"]},
        "code": text("FHIR issue type"),
        "details": {
            "type": "object",
            "properties": {"coding": list_of(CODING, description="The code of BaRS, and ours"), "text": text()},
        },
        "diagnostics": text("What is wrong, why, and how to mend it: fixed words, never a value of the message"),
        "expression": list_of(text("FHIRPath of the element at fault")),
        "extension": list_of({"type": "object"}),
    },
}
DELIVERY_STATE = record(
    "Where a delivery stands.",
    delivery_id=text(format="uuid"),
    state=text("A state of a delivery"),
    received_at=maybe(INSTANT),
    acknowledged_at=maybe(INSTANT),
    steps=list_of(
        record(
            "What the authority said of it after its acknowledgement.",
            optional=("on", "code", "suggested_authority"),
            step=text("The state that followed"),
            at=INSTANT,
            on=DAY,
            code=text("An outcome, or a reason for sending back"),
            suggested_authority=text("GSS code"),
        )
    ),
)
PROOF = record("A leaf of the log and the proof that it stands there.", leaf=BASE64, receipt=text("C2SP tlog-proof"))

SCHEMAS: dict[str, Schema] = {
    "OperationOutcome": resource(
        "OperationOutcome",
        "What was found, one issue each (FHIR R4). No value of the message is ever in it.",
        required=("issue",),
        issue=list_of(ISSUE, minItems=1),
        extension=list_of({"type": "object"}),
    ),
    "Problem": record(
        "What is wrong (RFC 9457).",
        type=text("Address of the error's page", format="uri-reference"),
        title=text(),
        status={"type": "integer", "minimum": 400, "maximum": 599},
        code=CODE,
        detail=text("Which rule it is"),
        fix=text("What to do"),
    ),
    "NotificationMessage": resource(
        "Bundle",
        "A message `early-years-send-notification`, version 1 (FHIR R4). The service checks far more than this schema can say.",
        required=("type", "timestamp", "entry"),
        type={"const": "message"},
        timestamp=INSTANT,
        entry=list_of(
            {
                "type": "object",
                "required": ["fullUrl", "resource"],
                "properties": {
                    "fullUrl": text(pattern="^urn:uuid:"),
                    "resource": {"type": "object", "required": ["resourceType"], "properties": {"resourceType": text()}},
                },
            },
            minItems=2,
        ),
    ),
    "Task": resource(
        "Task",
        "Where a notification stands, for its sender.",
        required=("id", "status", "intent"),
        id=text(format="uuid"),
        status={"enum": ["requested", "received", "accepted", "in-progress", "completed", "rejected", "failed", "cancelled"]},
        intent=text(),
        output=list_of({"type": "object"}),
    ),
    "Searchset": resource(
        "Bundle",
        "What was found (FHIR R4 searchset).",
        required=("type", "link"),
        type={"const": "searchset"},
        total={"type": "integer", "minimum": 0},
        link=list_of({"type": "object", "required": ["relation", "url"]}),
        entry=list_of({"type": "object", "required": ["fullUrl", "resource"]}),
    ),
    "TaskSearch": {
        "type": "object",
        "description": "The identifier, or how far back to look.",
        "properties": {
            "identifier": text("system|value; several with commas between"),
            "_lastUpdated": text("An instant or a day, with a prefix: ge, gt, le, lt"),
            "_count": {"type": "integer", "minimum": 1},
            "_page": text("From a next link"),
            "_format": {"type": "string", "enum": ["json", "application/json", "application/fhir+json"]},
        },
        "additionalProperties": False,
    },
    "AuditEvent": resource(
        "AuditEvent", "An entry of the log (FHIR R4, IHE BALP).", required=("id", "type", "recorded", "agent", "source")
    ),
    "AuditEventSearch": {
        "type": "object",
        "description": "What the entries are about.",
        "properties": {
            "date": text("An instant or a day, with a prefix: ge, gt, le, lt"),
            "entity": text("A notification's id or reference, several with commas between; or one child's pseudonym in the log"),
            "agent": text("An ODS or GSS code, or an actor of the log"),
            "type": text("A code, such as 110106 or rest"),
            "subtype": text("A code, such as disclose or create"),
            "_count": {"type": "integer", "minimum": 1},
            "_page": text("From a next link"),
        },
        "additionalProperties": False,
    },
    "Contact": record("A contact with the family.", on=DAY),
    "Outcome": record("What came of the notification.", outcome=text("A code of the CodeSystem authority-outcome"), on=DAY),
    "SentBack": record(
        "Why the child is not the authority's.",
        optional=("suggested_authority",),
        reason=text("A code of the CodeSystem sent-back-reason"),
        suggested_authority=maybe(text("GSS code of the authority that is thought responsible")),
    ),
    "CapabilityStatement": resource("CapabilityStatement", "What this deployment does (FHIR R4)."),
    "Definition": {
        "type": "object",
        "description": "A definition (FHIR R4).",
        "required": ["resourceType", "id", "url", "version", "status"],
    },
    "MessageToTry": {
        "description": "A message, or Parameters that hold one as `resource`. Whatever is sent is judged: faults are the answer."
    },
    "NotificationLines": {"description": "NDJSON: a message to a line, each judged as if it had come alone. Faults are in the answer."},
    "ResultLines": text("NDJSON: for each line what it came to (`status`, `code`, `location`, …); the last line is the `summary`"),
    "LogLines": text("NDJSON: the signed checkpoint, then each entry in order, in full or as its hash (`audit verify export` reads it)"),
    "Parameters": resource("Parameters", "Named values.", parameter=list_of({"type": "object", "required": ["name"]})),
    "Deliveries": record(
        "A page of what waits.",
        deliveries=list_of({"type": "object", "required": ["delivery_id", "reference"]}),
        more={"type": "boolean"},
    ),
    "Delivery": {"type": "object", "description": "A delivery document: the view, the sealed envelopes with their signed headers."},
    "DeliveryState": DELIVERY_STATE,
    "DeliveryReceipts": {"type": "object", "description": "A proof for each step that has happened.", "additionalProperties": PROOF},
    "Confirmation": record("What the authority's system holds.", digest=text("SHA-256 of the document, hex", pattern="^[0-9a-f]{64}$")),
    "RevealReason": record("Why the card is opened.", reason=text(minLength=1), case_reference=text(minLength=1)),
    "Card": {"type": "object", "description": "The child's card, opened."},
    "Ping": record("The process answers.", version=text()),
    "Status": record(
        "Whether the service can keep its promises.",
        status={"enum": ["pass", "fail"]},
        version=text(),
        deployment={"enum": [each.value for each in Deployment]},
        checks={"type": "object", "additionalProperties": record(status={"enum": ["pass", "fail"]}, observed=text())},
    ),
    "ErrorCatalogue": record(
        "Every code that an answer may name.",
        errors=list_of(
            record(
                code=CODE,
                title=text(),
                why=text(),
                fix=text(),
                retry={"type": "boolean", "description": "Whether the very same request may succeed later"},
                status={"type": "integer"},
                issue=text("FHIR issue type"),
                bars=text("Code of the BaRS vocabulary"),
                family=text(),
                since=text(),
                page=text(format="uri-reference"),
            )
        ),
    ),
    "PastedError": {"type": "object", "properties": {"error": text("Anything that holds a code of the form NG-1234")}},
    "OperatorForm": {
        "type": "object",
        "description": "A form of an operations page, which bears the token of the session that it was shown to.",
        "properties": {"form_token": text("The session's own token"), "token": text("An operator's token, to sign in with")},
    },
    "Checks": record(
        "What doctor finds.",
        failed={"type": "integer"},
        warned={"type": "integer"},
        checks={
            "type": "array",
            "items": record(name=text(), state={"enum": ["ok", "warn", "fail"]}, value=text(), fix=text("What to do; empty if nothing")),
        },
    ),
    "TokenRequest": {
        "type": "object",
        "description": "Client credentials with a signed assertion (RFC 6749 4.4, RFC 7523 2.2).",
        "required": ["grant_type", "client_assertion_type", "client_assertion"],
        "properties": {
            "grant_type": {"const": "client_credentials"},
            "client_assertion_type": {"const": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
            "client_assertion": text("A JWT that the client signed with its registered key", minLength=1),
            "scope": text("Scopes, with a space between; without it all that the client may have"),
        },
    },
    "AccessToken": record(
        "A token (RFC 6749 5.1).",
        access_token=text(),
        token_type={"const": "Bearer"},
        expires_in={"type": "integer", "description": "Seconds for which it is good", "minimum": 1, "maximum": 600},
        scope=text("What it allows"),
    ),
    "SignInError": record(
        "Why there is no token (RFC 6749 5.2).",
        error=text("invalid_client and others of the standard"),
        error_description=text("What is wrong, why, and how to mend it"),
        error_uri=text("Address of the error's page", format="uri-reference"),
        code=CODE,
    ),
    "SmartConfiguration": {
        "type": "object",
        "required": ["token_endpoint", "grant_types_supported", "capabilities"],
        "properties": {"token_endpoint": text(format="uri"), "grant_types_supported": list_of(text()), "capabilities": list_of(text())},
    },
    "Reconciliation": {
        "type": "object",
        "description": "What the signed log says happened on a day to the deliveries of one organisation; docs/operators.md explains it.",
        "required": ["format", "version", "day", "since", "until", "organisation", "made_at", "complete", "log", "totals", "deliveries"],
    },
    "HandOver": {"type": "object", "description": "What is sealed, to be opened in a browser.", "required": ["format", "envelopes"]},
    "Drill": {"type": "object", "description": "Words sealed to a recovery key.", "required": ["format", "kid", "header", "sealed"]},
    "JsonSchema": {"type": "object", "description": "A JSON Schema.", "required": ["$schema"]},
    "OpenApi": {"type": "object", "description": "This document.", "required": ["openapi", "paths"]},
}
