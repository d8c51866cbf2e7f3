# SPDX-License-Identifier: MIT
"""What each route, task and command does as seen by those whom the data is about; whatever discloses or changes leaves these events.

``public`` is for everybody; ``status`` tells an organisation where its own stands, or an operator how the service stands; the other two
are never done without an event. A route, task or command without a row fails the tests, and so does an act that leaves no event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from audit.vocabulary import Klass
from notify_gateway.api import casework_classes, device_classes, inbox_classes, paper_classes, staff_classes
from notify_gateway.fhir.definitions import TYPES


@dataclass(frozen=True, slots=True)
class Act:
    """The class of an act and the events that it always leaves."""

    klass: Klass
    events: tuple[str, ...] = ()


def _change(*events: str) -> Act:
    return Act(Klass.CHANGE, events)


def _disclose(*events: str) -> Act:
    return Act(Klass.DISCLOSE, events)


_DELIVERY: Final = "/authority/v1/deliveries/{delivery_id}"
_PUBLIC: Final = (
    *(f"GET /log/{what}" for what in ("checkpoint", "keys", "consistency", "timestamp", "tile/{path}")),
    *(f"GET /log/closed{what}" for what in ("", "/{number}/checkpoint", "/{number}/tile/{path}")),
    *("GET /", "GET /docs", "GET /openapi.json", "GET /schemas/view.json", "GET /_ping", "GET /_status"),
    "GET /ops/sign-in",
    *("GET /errors", "POST /errors", "GET /errors.json", "GET /errors/{code}"),
    *("GET /fhir/R4/metadata", "GET /fhir/R4/.well-known/smart-configuration"),
    *(f"GET /fhir/R4/{kind}{rest}" for kind in TYPES for rest in ("", "/{definition_id}")),
    *(f"command {name}" for name in ("audit verify", "audit timestamp verify", "config docs", "mappings check", "mappings explain")),
)
_STATUS: Final = (
    "command authorities alerts list",
    # Nothing of a dry run is kept, and its verdict is of the caller's own message.
    "POST /fhir/R4/Bundle/$validate",
    *(f"{method} /fhir/R4/Task{rest}" for method, rest in (("GET", ""), ("POST", "/_search"), ("GET", "/{task_id}"))),
    "GET /fhir/R4/Task/{task_id}/$receipt",
    # Counts, ages and codes; whoever operates sees no child and no identifier of one.
    "GET /metrics",
    *("GET /ops", *(f"GET /ops/{page}" for page in ("queues", "deliveries", "keys", "checks", "checks.json"))),
    *(f"GET /ops/{page}" for page in ("failed", "failed/item", "failed/retry", "deliveries/downtime")),
    *(f"command operations {what}" for what in ("home", "queues", "failed", "delivery", "deliveries", "uncollected", "keys", "checks")),
    "command operations downtime list",
    "command audit logs",
    # What the list shows, without identity, was offered to the authority before; that it was is in the log.
    "GET /authority/v1/deliveries",
    "GET /reconciliation/{day}",
    "GET /reconciliation/{day}.csv",
    f"GET {_DELIVERY}/state",
    f"GET {_DELIVERY}/receipts",
    "command authorities proposals",
    *(f"command {who} list" for who in ("trusts", "trusts keys", "authorities", "ig", "operators", "hold")),
    *(f"command {what}" for what in ("invariants", "slo", "reconcile")),
    *(f"command {what}" for what in ("config show", "doctor", "health", "keys show", "postcodes info", "postcodes lookup", "restore plan")),
)
_OWN: Final[Mapping[str, Act]] = {
    "POST /fhir/R4/$process-message": _change("notification:accepted", "notification:split", "delivery:queued"),
    "POST /fhir/R4/$process-messages": _change("notification:accepted", "notification:split", "delivery:queued"),
    "POST /oauth2/token": _change("token:issued"),
    "POST /ops/sign-in": _change("session:opened"),
    "POST /ops/sign-out": _change("session:closed"),
    "POST /ops/failed/retry": _change("delivery:requeued"),
    "POST /ops/failed/park": _change("delivery:parked"),
    "POST /ops/failed/give-up": _change("delivery:given_up"),
    "POST /ops/deliveries/test": _change("channel:tried"),
    "POST /ops/deliveries/downtime": _change("downtime:planned"),
    "POST /ops/deliveries/downtime/end": _change("downtime:ended"),
    f"GET {_DELIVERY}": _disclose("delivery:fetched"),
    f"POST {_DELIVERY}/received": _change("delivery:received"),
    f"POST {_DELIVERY}/acknowledge": _change("delivery:acknowledged"),
    f"POST {_DELIVERY}/contacted": _change("delivery:contacted"),
    f"POST {_DELIVERY}/outcome": _change("delivery:outcome"),
    f"POST {_DELIVERY}/send-back": _change("delivery:returned"),
    f"POST {_DELIVERY}/reveal": _disclose("reveal:granted", "opening:attempted", "envelope:opened"),
    "GET /log/tile/entries/{path}": _disclose("log_entries:viewed"),
    "GET /fhir/R4/AuditEvent": _disclose("log:searched"),
    "POST /fhir/R4/AuditEvent/_search": _disclose("log:searched"),
    "GET /fhir/R4/AuditEvent/{event_id}": _disclose("log_entries:viewed"),
    "GET /log/export": _disclose("export:attempted", "log:exported"),
    "GET /ig/export": _disclose("export:attempted", "log:exported"),
    "GET /ig/details/{reference}": _disclose("log:viewed"),
    "task workers.deliver": _disclose("delivery:attempted", "delivery:offered"),
    "command audit show": _disclose("log:viewed"),
    "command audit details": _disclose("log:viewed"),
    "command audit export": _disclose("export:attempted", "log:exported"),
    "command authorities register": _change("config:changed", "client:registered"),
    "command authorities propose": _change("authority:proposed"),
    "command authorities approve": _change("authority:approved", "config:changed"),
    "command authorities refuse": _change("proposal:refused"),
    "command authorities key propose": _change("key:proposed"),
    "command authorities key approve": _change("key:approved", "key:registered"),
    "command authorities key refuse": _change("proposal:refused"),
    "command authorities token": _change("token:issued"),
    "command authorities key add": _change("key:registered"),
    "command authorities key retire": _change("key:retired"),
    "command authorities alerts add": _change("config:changed"),
    "command authorities alerts remove": _change("config:changed"),
    "command trusts register": _change("client:registered"),
    "command trusts invite": _change("client:invited"),
    "command trusts approve": _change("client:approved"),
    "command trusts token": _change("token:issued"),
    "command trusts revoke": _change("token:revoked"),
    "command trusts keys add": _change("client:invited"),
    "command trusts keys revoke": _change("client_key:revoked"),
    "command trusts keys forget-address": _change("config:changed"),
    "command ig register": _change("client:registered"),
    "command ig token": _change("token:issued"),
    "command ig revoke": _change("token:revoked"),
    "command operations retry": _change("delivery:requeued"),
    "command operations park": _change("delivery:parked"),
    "command operations give-up": _change("delivery:given_up"),
    "command operations test": _change("channel:tried"),
    "command operations downtime plan": _change("downtime:planned"),
    "command operations downtime end": _change("downtime:ended"),
    "command operators token": _change("token:issued"),
    "command operators revoke": _change("token:revoked"),
    "command erase": _change("erasure:attempted", "notification:erased"),
    "command backup": _disclose("backup:attempted", "backup:made"),
    "command hold set": _change("hold:set"),
    "command hold release": _change("hold:ending"),
    "command audit close-year": _change("log:opened"),
    "command audit delete-entries": _change("log_entries:deleted"),
    "command restore open": _change("log:opened"),
    "command restore replay-erasures": _change("erasures:replayed"),
    "command keys rotate log": _change("key:made"),
    "command keys retire log": _change("key:retired"),
    "command keys rotate gateway": _change("key:made"),
    "command keys retire gateway": _change("key:retired"),
    "command postcodes load": _change("postcodes:switched"),
    "command postcodes demonstration": _change("postcodes:switched"),
}

ACTS: Final[Mapping[str, Act]] = MappingProxyType(
    dict.fromkeys(_PUBLIC, Act(Klass.PUBLIC))
    | dict.fromkeys(_STATUS, Act(Klass.STATUS))
    | dict(_OWN)
    | {
        name: Act(*row)
        for family in (casework_classes, inbox_classes, paper_classes, staff_classes, device_classes)
        for name, row in family.ROWS.items()
    }
)

NO_ACT: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("serve", "worker", "schedule", "sequence", "opener"), "A process; its acts are routes and tasks, or the log itself."
        ),
        **dict.fromkeys(
            ("send", "validate", "conformance run", "pretend-authority", "authority mesh-receive"),
            "A caller of the service, or of its carrier; the service records it.",
        ),
        **dict.fromkeys(
            (
                "authority open",
                "authority drill",
                "authority key make",
                "examples write",
                *(f"trusts keys {what}" for what in ("fingerprint", "make-jwks")),
            ),
            "Works on files of whoever calls it; no service is there.",
        ),
        **dict.fromkeys(("witness serve", "witness show", "witness key make"), "Another organisation's witness, which holds no entry."),
        **dict.fromkeys(("keys make", "keys sftp", "migrate"), "Comes before there is a log, or is no part of what the log is about."),
        "authorities key make-managed": "Makes a file of the opener's; nothing is sealed to the key before authorities key add.",
        "restore check": "Works on files of whoever calls it; no service is there.",
        "restore load": "Fills empty databases; restore open, which comes next, is in the log.",
        "demo": "A service of its own, which is gone with it.",
    }
)
"""Commands that do nothing to a service that has a log, and why."""
