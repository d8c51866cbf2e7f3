# SPDX-License-Identifier: MIT
"""What is to be had afterwards: the Task, the proof, the public parts; and what is to be had by nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from notify_gateway.cli.conformance.case import Case, Get, Message, Post, Receipt, Search, Who
from notify_gateway.cli.examples.draft import Draft
from notify_gateway.domain.catalogue import Code
from notify_gateway.fhir import names

TRACKING: Final = "tracking"
PROOF: Final = "proof"
PUBLIC: Final = "public"
_NOBODYS = "/fhir/R4/Task/00000000-0000-4000-8000-00000000dead"
_METADATA, _SMART = "/fhir/R4/metadata", "/fhir/R4/.well-known/smart-configuration"
_IN_ADDRESS = "/fhir/R4/Task?identifier=https://example.org/Id|1"
_STANDS = {"requested", "received", "accepted", "in-progress", "completed"}


def cases() -> Iterator[Case]:
    """Give them."""
    yield Case(TRACKING, "the Task of a notification", "FHIR R4 Task", (Post(202), Get("{task}", 200, holds=_is_under_way)))
    withdrawn = Post(202), Post(202, message=Message.DELETE), Get("{task}", 200, holds=_is_cancelled)
    yield Case(TRACKING, "the Task of one that was withdrawn", "FHIR R4 Task", withdrawn)
    yield Case(TRACKING, "a Task that nobody has", "404, as for another's", (Get(_NOBODYS, 404, Code.TASK_UNKNOWN),))
    yield Case(TRACKING, "a Task that cannot be", "404", (Get("/fhir/R4/Task/1", 404, Code.TASK_UNKNOWN),))
    yield Case(TRACKING, "a Task without a token", "RFC 6750", (Post(202), Get("{task}", 401, Code.TOKEN_MISSING, Who.NOBODY)))
    yield Case(TRACKING, "the receipt of nothing", "404", (Get(f"{_NOBODYS}/$receipt", 404, Code.TASK_UNKNOWN),))
    yield Case(TRACKING, "found by the sender's own identifier", "FHIR R4 search by POST", (Post(202), Search(_by_identifier)))
    bare = Search(lambda draft: {"identifier": draft.at["focus"]["identifier"][0]["value"]}, 400, Code.PARAMETER_INVALID)
    yield Case(TRACKING, "a search by a bare identifier", "whose it is must be said", (Post(202), bare))
    unknown = Search(lambda _: {"patient": "1"}, 400, Code.PARAMETER_UNKNOWN)
    yield Case(TRACKING, "a search by a person", "no identifier of a person finds anything", (unknown,))
    yield Case(TRACKING, "an identifier in the address", "addresses are logged", (Get(_IN_ADDRESS, 400, Code.SEARCH_BY_POST),))
    yield Case(PROOF, "the receipt of an acceptance", "promised within 60 seconds; RFC 6962, C2SP tlog-proof", (Post(202), Receipt()))
    waited = Post(202, headers={"Prefer": "wait=5"}), Receipt()
    yield Case(PROOF, "the receipt in the answer itself", "RFC 7240 Prefer: wait", waited)
    yield Case(PUBLIC, "the process answers", "NHS API platform _ping", (Get("/_ping", 200, who=Who.NOBODY),))
    yield Case(PUBLIC, "the service is well", "NHS API platform _status", (Get("/_status", 200, who=Who.NOBODY, holds=_is_well),))
    yield Case(PUBLIC, "the log's checkpoint", "C2SP tlog-checkpoint", (Get("/log/checkpoint", 200, who=Who.NOBODY),))
    yield Case(PUBLIC, "the keys to verify with", "compare them once by another way", (Get("/log/keys", 200, who=Who.NOBODY),))
    yield Case(PUBLIC, "what the service can do", "FHIR R4 CapabilityStatement", (Get(_METADATA, 200, who=Who.NOBODY, holds=_is_ours),))
    yield Case(PUBLIC, "how to sign in", "SMART Backend Services", (Get(_SMART, 200, who=Who.NOBODY),))
    yield Case(PUBLIC, "a page that does not exist", "404", (Get("/fhir/R4/Patient", 404, Code.NO_SUCH_PAGE),))


def _by_identifier(draft: Draft) -> dict[str, str]:
    own = draft.at["focus"]["identifier"][0]
    return {"identifier": f"{own['system']}|{own['value']}"}


def _is_ours(statement: dict[str, Any]) -> str | None:
    if statement.get("resourceType") != "CapabilityStatement" or statement.get("fhirVersion") != "4.0.1":
        return "it is no CapabilityStatement of FHIR 4.0.1"
    return None if names.DEFINITION in json.dumps(statement) else "it does not name the message's definition"


def _is_under_way(task: dict[str, Any]) -> str | None:
    return None if task.get("status") in _STANDS else f"the Task's status is {task.get('status')}"


def _is_cancelled(task: dict[str, Any]) -> str | None:
    return None if task.get("status") == "cancelled" else f"the Task's status is {task.get('status')}, not cancelled"


def _is_well(status: dict[str, Any]) -> str | None:
    return None if status.get("status") == "pass" else "the status is not pass"
