# SPDX-License-Identifier: MIT
"""A front door for back-books that fails as it is told to: what no real gateway can be made to do at the right moment."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Fails:
    """A call that is refused as a whole."""

    status: int
    code: str = ""
    retry_after: int | None = 0


@dataclass(frozen=True)
class BreaksOff:
    """A call whose lines are all kept, and whose answer ends after so many results without a summary."""

    after: int


@dataclass(frozen=True)
class PutsOff:
    """A call that puts off the lines that contain this, with this status."""

    what: bytes
    status: int = 425


@dataclass(frozen=True)
class Stops:
    """A call that takes so many lines and then says that it cannot go on."""

    after: int
    retry_after: int = 0


@dataclass
class ScriptedGateway:
    """Plays ``script``, a step for each call, then takes everything. Lines that contain ``BAD`` are refused, known ones are duplicates."""

    script: Sequence[Fails | BreaksOff | PutsOff | Stops] = ()
    held: dict[bytes, int] = field(default_factory=dict)
    calls: list[list[bytes]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        gateway, steps = self, iter(self.script)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                lines = self.rfile.read(int(self.headers["Content-Length"])).split(b"\n")[:-1]
                gateway.tokens.append(self.headers["Authorization"].removeprefix("Bearer "))
                step = next(steps, None)
                if isinstance(step, Fails):
                    self.refuse(step)
                    return
                gateway.calls.append(lines)
                body = b"".join(json.dumps(each).encode() + b"\n" for each in gateway.answers(lines, step))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-ndjson")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def refuse(self, step: Fails) -> None:
                coding = {"system": "x", "code": step.code or "REC_SERVER_ERROR"}
                body = json.dumps({"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [coding]}}]}).encode()
                self.send_response(step.status)
                if step.retry_after is not None:
                    self.send_header("Retry-After", str(step.retry_after))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answers(self, lines: Sequence[bytes], step: BreaksOff | PutsOff | Stops | None) -> list[dict[str, Any]]:
        taken = lines[: step.after] if isinstance(step, Stops) else lines
        results = [{"line": number} | self._result(line, step) for number, line in enumerate(taken, 1)]
        if isinstance(step, BreaksOff):
            return results[: step.after]
        stopped = {"status": 503, "code": "NG-9002", "retry_after": step.retry_after} if isinstance(step, Stops) else None
        return [*results, {"summary": {"complete": stopped is None, "stopped": stopped}}]

    def _result(self, line: bytes, step: object) -> dict[str, Any]:
        if isinstance(step, PutsOff) and step.what in line:
            return {"status": step.status, "code": "NG-6005", "issues": [{"code": "NG-6005"}]}
        if b"BAD" in line:
            return {"status": 422, "code": "NG-4001", "issues": [{"code": "NG-4001", "expression": "Bundle.entry[9]"}]}
        known = line in self.held
        number = self.held.setdefault(line, len(self.held) + 1)
        result = {"location": f"{self.url}/fhir/R4/Task/{number}", "reference": f"SEN-{number}", "promise": "signed"}
        return result | ({"status": 409, "code": "NG-6001"} if known else {"status": 202})
