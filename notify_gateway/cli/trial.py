# SPDX-License-Identifier: MIT
"""Who judges a message that is only tried: the service's own parts on this machine, or a running service over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from notify_gateway.cli.failures import CommandFailed

if TYPE_CHECKING:
    import httpx2

    from notify_gateway.store.parties import Client
    from notify_gateway.use_cases.gateway import Gateway

Judge: TypeAlias = Callable[[bytes], dict[str, Any]]
"""Takes the bytes of a message, returns an OperationOutcome."""

PATIENCE = 30.0
MOST_TRIES = 6
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One error or remark of an OperationOutcome."""

    severity: str
    code: str
    title: str
    expression: str | None
    diagnostics: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one message, read from the OperationOutcome."""

    accepted: bool
    event: str | None
    layers: tuple[tuple[str, str, int], ...]
    """Name, verdict and count of faults of each."""
    facts: dict[str, str]
    """Authority, how it was found, and the editions of the tables, by the names of the extension."""
    lines: tuple[str, ...]
    """How far it came, in words."""
    errors: tuple[Fault, ...]
    remarks: tuple[Fault, ...]

    @classmethod
    def of(cls, outcome: dict[str, Any]) -> Judged:
        """Read an OperationOutcome; without the extension of a dry run (the body was not even taken in) it is a refusal."""
        parts = [part for extension in outcome.get("extension", ()) for part in extension.get("extension", ())]
        layers = [{each["url"]: _value(each) for each in part["extension"]} for part in parts if part["url"] == "layer"]
        facts = {part["url"]: str(_value(part)) for part in parts if part["url"] != "layer"}
        found = [_fault(issue) for issue in outcome["issue"] if "coding" in issue.get("details", {})]
        errors = tuple(fault for fault in found if fault.severity in ("error", "fatal"))
        return cls(
            accepted=facts.pop("verdict", "") == "would-be-accepted" and not errors,
            event=facts.pop("event", None),
            layers=tuple((layer["name"], layer["verdict"], layer["count"]) for layer in layers),
            facts=facts,
            lines=tuple(issue["details"]["text"] for issue in outcome["issue"] if "text" in issue.get("details", {})),
            errors=errors,
            remarks=tuple(fault for fault in found if fault not in errors),
        )


def _value(part: dict[str, Any]) -> Any:
    return next(value for name, value in part.items() if name.startswith("value"))


def _fault(issue: dict[str, Any]) -> Fault:
    coding = issue["details"]["coding"][-1]
    return Fault(
        severity=issue["severity"],
        code=coding["code"],
        title=coding.get("display", ""),
        expression=next(iter(issue.get("expression", ())), None),
        diagnostics=issue.get("diagnostics", ""),
    )


@contextmanager
def judged_here(sender: str | None) -> Iterator[Judge]:
    """Give the judgement of this machine's service, as for the trust ``sender``, or the only one there is; raises ``CommandFailed``."""
    from notify_gateway.api.verdict import validation_outcome
    from notify_gateway.cli.service import opened
    from notify_gateway.domain.identity import PrivateBytes
    from notify_gateway.fhir.parameters import resource_within
    from notify_gateway.use_cases.dry_run import dry_run

    with opened() as runtime:
        client = _trust(runtime.gateway, sender)
        yield lambda body: validation_outcome(dry_run(runtime.gateway, PrivateBytes(resource_within(body)), client))


@contextmanager
def judged_at(url: str, bearer: Callable[[], str]) -> Iterator[Judge]:
    """Give the judgement of the service at ``url``; raises ``CommandFailed`` when it does not answer, or does not let this caller in."""
    import httpx2

    with httpx2.Client(base_url=url.rstrip("/"), timeout=PATIENCE, follow_redirects=False) as client:
        yield lambda body: _ask(client, bearer, body)


def _ask(client: httpx2.Client, bearer: Callable[[], str], body: bytes) -> dict[str, Any]:
    import httpx2

    pause = threading.Event()
    for _ in range(MOST_TRIES):
        headers = {
            "Authorization": f"Bearer {bearer()}",
            "Content-Type": "application/fhir+json",
            "X-Request-ID": str(uuid4()),
        }
        try:
            answer = client.post("/fhir/R4/Bundle/$validate", content=body, headers=headers)
            outcome = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            why = f"{client.base_url}: {type(error).__name__}."
            raise CommandFailed("The service does not answer", why, "Check the address, and that the service runs.") from None
        if answer.status_code not in (429, 503):
            break
        pause.wait(min(float(answer.headers.get("retry-after", 1)), LONGEST_PAUSE))
    if not isinstance(outcome, dict) or outcome.get("resourceType") != "OperationOutcome":
        raise CommandFailed("That is not the service", f"It answered {answer.status_code}, not in FHIR.", "Check the address.")
    if answer.status_code in (401, 403, 404, 405) or answer.status_code >= 429:
        said = Judged.of(outcome).errors
        raise CommandFailed(
            f"The service answered {answer.status_code}{f' ({said[0].code})' if said else ''}",
            said[0].diagnostics if said else "It gave no reason.",
            "Mend that, then run the command again.",
        )
    return outcome


def _trust(gateway: Gateway, sender: str | None) -> Client:
    from notify_gateway.store.engine import reading
    from notify_gateway.store.parties import list_clients

    with reading(gateway.engine).begin() as connection:
        known = [client for client in list_clients(connection, "trust") if client.closed_at is None]
    wanted = [client for client in known if sender is None or client.code == sender.strip().upper()]
    if len(wanted) == 1:
        return wanted[0]
    if sender is not None or not known:
        raise CommandFailed(
            "There is no such trust here",
            "A message is judged as its sender's, and this machine's service does not know it.",
            "Register it (notify-gateway trusts register), or ask a running service with --url.",
        )
    raise CommandFailed("Whose message is it?", "Several trusts are registered here.", "Name the sender with --as ODS.")
