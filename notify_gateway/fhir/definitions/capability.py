# SPDX-License-Identifier: MIT
"""The CapabilityStatement: what this deployment does, for software that asks before it speaks."""

from __future__ import annotations

from typing import Any, Final

from notify_gateway.fhir import names
from notify_gateway.fhir.definitions import TYPES
from notify_gateway.fhir.definitions.canonical import PUBLISHED_ON, PUBLISHER, VERSION, Json, url_of
from notify_gateway.fhir.definitions.operations import PROCESS_MESSAGES, RECEIPT

_HL7: Final = "http://hl7.org/fhir"
_OAUTH_URIS: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SECURITY_SERVICES: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_PROTOCOLS: Final = "http://terminology.hl7.org/CodeSystem/message-transport"

DEFINITION_PARAMETERS: Final = {"url": "uri", "version": "token", "name": "string", "_id": "token"}
"""The search parameters of every type of definition."""
TASK_PARAMETERS: Final = {"identifier": "token", "_lastUpdated": "date"}
AUDIT_EVENT_PARAMETERS: Final = {"date": "date", "entity": "reference", "agent": "reference", "type": "token", "subtype": "token"}


def capability_statement(*, base_url: str, token_url: str, software_version: str) -> Json:
    """Return the CapabilityStatement of the deployment at ``base_url``."""
    address = f"{base_url}/fhir/R4"
    return {
        "resourceType": "CapabilityStatement",
        "id": "notify-gateway",
        "url": f"{address}/metadata",
        "version": VERSION,
        "name": "NotifyGateway",
        "title": "notify_gateway",
        "status": "active",
        "date": PUBLISHED_ON,
        "publisher": PUBLISHER,
        "description": "Takes section 23 notifications from health bodies and delivers them, sealed, to the responsible authorities.",
        "kind": "instance",
        "software": {"name": "notify_gateway", "version": software_version},
        "implementation": {"description": "notify_gateway", "url": address},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [_rest(token_url)],
        "messaging": [
            {
                "endpoint": [{"protocol": {"system": _PROTOCOLS, "code": "http"}, "address": f"{address}/$process-message"}],
                "documentation": "Send both X-Request-ID and X-Correlation-ID. 409 with issue code duplicate is a success.",
                "supportedMessage": [{"mode": "receiver", "definition": f"{names.DEFINITION}|{version}"} for version in _versions()],
            }
        ],
    }


def _versions() -> list[str]:
    return sorted(names.DEFINITION_VERSIONS)


def _rest(token_url: str) -> Json:
    return {
        "mode": "server",
        "security": {
            "extension": [{"url": _OAUTH_URIS, "extension": [{"url": "token", "valueUri": token_url}]}],
            "cors": False,
            "service": [{"coding": [{"system": _SECURITY_SERVICES, "code": code, "display": code}]} for code in ("SMART-on-FHIR", "OAuth")],
            "description": "OAuth 2 client credentials with a JWT signed by the client's own key (private_key_jwt). "
            "Definitions and this statement are open to everybody.",
        },
        "resource": [_bundle(), *(_definitions(kind) for kind in TYPES), _task(), _audit_event()],
        "operation": [
            {"name": "process-message", "definition": f"{_HL7}/OperationDefinition/MessageHeader-process-message"},
            {"name": "process-messages", "definition": url_of("OperationDefinition", PROCESS_MESSAGES)},
        ],
    }


def _bundle() -> Json:
    return {"type": "Bundle", "operation": [{"name": "validate", "definition": f"{_HL7}/OperationDefinition/Resource-validate"}]}


def _definitions(kind: str) -> Json:
    return {
        "type": kind,
        "documentation": "The project's own definitions, open to everybody.",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": _parameters(DEFINITION_PARAMETERS),
    }


def _task() -> Json:
    return {
        "type": "Task",
        "documentation": "The sender's own notifications. Identifiers are searched for by POST to _search alone: no address holds one.",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": _parameters(TASK_PARAMETERS),
        "operation": [{"name": "receipt", "definition": url_of("OperationDefinition", RECEIPT)}],
    }


def _audit_event() -> Json:
    return {
        "type": "AuditEvent",
        "documentation": "The audit log, for information governance alone. A pseudonym is searched for by POST to _search alone.",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": _parameters(AUDIT_EVENT_PARAMETERS),
    }


def _parameters(kinds: dict[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "type": kind} for name, kind in kinds.items()]
