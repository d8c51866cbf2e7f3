# SPDX-License-Identifier: MIT
"""The real front door of the demonstration: an HTTP server in a thread, and the trust and authority that call it."""

from __future__ import annotations

import socket
import threading
import time
from base64 import b64decode
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx2
import uvicorn

from notify_gateway.cli.failures import CommandFailed

START_WITHIN = 20.0
PATIENCE = 15.0


class DemonstrationStopped(CommandFailed):
    """A step did not come out as it must."""

    def __init__(self, step: str, what: str) -> None:
        super().__init__(
            f"The demonstration stopped: {step}", f"{what}.", "Run it again with --data and a new folder; if it stays, report it."
        )


class ServerThread:
    """Serves while the ``with`` block runs."""

    def __init__(self, server: uvicorn.Server, listening: socket.socket) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="front-door", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        pause, until = threading.Event(), time.monotonic() + START_WITHIN
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > until:
                raise DemonstrationStopped("start", "The front door did not open")
            pause.wait(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=START_WITHIN)


@dataclass(frozen=True, slots=True)
class Answer:
    """A 202: where the Task is, and what the sender can verify."""

    location: str
    seconds: float
    reference: str
    authority: str
    leaf: bytes
    promise: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token: a trust's system or an authority's."""

    client: httpx2.Client
    token: str

    def get(self, path: str) -> httpx2.Response:
        """GET a path or an address."""
        return self.client.get(path, headers=self._bearer())

    def post(self, path: str, json: object = None) -> httpx2.Response:
        """POST JSON to a path."""
        return self.client.post(path, headers=self._bearer(), **({} if json is None else {"json": json}))  # type: ignore[arg-type]

    def post_message(self, body: bytes) -> tuple[httpx2.Response, float]:
        """POST a FHIR message; return the response and the seconds it took."""
        headers = self._bearer() | {
            "Content-Type": "application/fhir+json",
            "X-Request-ID": str(uuid4()),
            "X-Correlation-ID": str(uuid4()),
        }
        began = time.perf_counter()
        response = self.client.post("/fhir/R4/$process-message", content=body, headers=headers)
        return response, time.perf_counter() - began

    def notify(self, body: bytes) -> Answer:
        """POST a message that must be accepted."""
        response, seconds = self.post_message(body)
        if response.status_code != 202:
            raise DemonstrationStopped("posted", f"The gateway answered {response.status_code}: {', '.join(codes(response.json()))}")
        said = {part["url"]: part for part in response.json()["extension"][0]["extension"]}
        return Answer(
            location=response.headers["location"],
            seconds=seconds,
            reference=said["reference"]["valueString"],
            authority=said["authority"]["valueCode"],
            leaf=b64decode(said["leaf"]["valueBase64Binary"]),
            promise=said["promise"]["valueString"],
        )

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def codes(outcome: dict[str, Any]) -> list[str]:
    """Return the catalogue codes that an OperationOutcome names."""
    return [coding["code"] for issue in outcome["issue"] for coding in issue["details"]["coding"] if coding["code"].startswith("NG-")]
