# SPDX-License-Identifier: MIT
"""NHS England's MESH sandbox as a process of the tests, and a wire to it that may hang, break off or answer nonsense."""

from __future__ import annotations

import atexit
import http.client
import http.server
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path

import httpx2

from tests.support.processes import Process, base_environment
from tests.support.waiting import answers, free_port
from tools.set_up_mesh_sandbox import python
from workers.channels.mesh_mailbox import MeshMailbox
from workers.channels.mesh_protocol import Arrived, MeshAccess

OURS, THEIRS, OTHERS = "X26ABC1", "X26ABC2", "X26ABC3"
"""The mailboxes that the sandbox has: the gateway's, an authority's, and one that has nothing to do with either."""
WORKFLOW = "TEST_WORKFLOW"
ROUTE = {"mailbox": THEIRS, "workflow": WORKFLOW}
SHARED_KEY = b"TestKey"


class MeshSandbox:
    """The sandbox on a free port, keeping all in memory and checking every signature; ``arguments`` are uvicorn's own."""

    def __init__(self, *arguments: str | Path, scheme: str = "http") -> None:
        self.port = free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.folder = Path(tempfile.mkdtemp(prefix="notify-gateway-mesh-"))
        environment = {"STORE_MODE": "memory", "AUTH_MODE": "full", "SHARED_KEY": SHARED_KEY.decode()}
        serve = ("-m", "uvicorn", "mesh_sandbox.api:app", "--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning")
        self.process = Process(
            [python(), *serve, *arguments],
            name="mesh",
            log=self.folder / "mesh.log",
            env=base_environment() | environment,
            ready=lambda: scheme == "https" or answers(f"{self.url}/health"),
        )

    def start(self) -> MeshSandbox:
        """Start it and return when it answers."""
        if not python().exists():
            raise RuntimeError("the MESH sandbox is not installed: python -m tools.set_up_mesh_sandbox")
        self.process.start()
        return self

    def stop(self) -> None:
        """End it and remove its folder."""
        self.process.kill9(group=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def access(self, mailbox: str = OURS, *, url: str | None = None, timeout: float = 5.0, **more: object) -> MeshAccess:
        """Return what opens the mailbox, here or through another address."""
        wait = timedelta(seconds=timeout)
        values = {"url": url or self.url, "mailbox": mailbox, "password": "password", "shared_key": SHARED_KEY, "timeout": wait}
        return MeshAccess(**(values | more))  # type: ignore[arg-type]

    def reset(self) -> None:
        """Forget every message."""
        self._ask("DELETE", "reset")

    def add_event(self, message_id: str, status: str, code: str | None = None) -> None:
        """Change what tracking says of a message."""
        self._ask("POST", f"message/{message_id}/event", {"status": status, "code": code, "event": "TRANSFER", "description": "by a test"})

    def report(self, linked: str, *, mailbox: str = OURS, workflow: str = WORKFLOW) -> None:
        """Put the report into the mailbox that MESH writes when nobody has fetched a message for five days."""
        content = {"mailbox_id": mailbox, "code": "14", "description": "by a test", "workflow_id": workflow, "linked_message_id": linked}
        self._ask("POST", "report", content)

    @contextmanager
    def open(self, mailbox: str) -> Iterator[MeshMailbox]:
        """Lend the mailbox, as its owner sees it."""
        opened = MeshMailbox(self.access(mailbox))
        try:
            yield opened
        finally:
            opened.close()

    def arrived(self, mailbox: str = THEIRS) -> list[Arrived]:
        """Return what waits in the mailbox, oldest first; it stays there."""
        with self.open(mailbox) as opened:
            found = [opened.read(message_id, most=2**26) for message_id in opened.waiting(limit=500)]
        return [each for each in found if each is not None]

    def _ask(self, method: str, path: str, content: object = None) -> None:
        answer = httpx2.request(method, f"{self.url}/messageexchange/admin/{path}", json=content, timeout=10)
        assert answer.status_code == 200, answer.text


@cache
def shared_mesh() -> MeshSandbox:
    """Return the sandbox that all tests of this process share, started at the first call; it ends with the process."""
    sandbox = MeshSandbox()
    atexit.register(sandbox.stop)
    return sandbox.start()


class Wire:
    """A way to the sandbox on which messages to some mailboxes meet with a mishap before they reach it.

    ``deaf``: they reach it, and the line breaks before the answer; ``mute``: the answer does not come.
    """

    HANG, ERROR, RESET, GARBAGE = "X26HANG", "X26ERROR", "X26RESET", "X26GARBAGE"

    def __init__(self, sandbox: MeshSandbox) -> None:
        self._letting_go = threading.Event()
        self.hanging = threading.Event()
        self.deaf = self.mute = False
        wire = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                wire._carry(self, sandbox.port)

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="wire", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of what hangs and end."""
        self._letting_go.set()
        self._server.shutdown()
        self._server.server_close()

    def _carry(self, asked: http.server.BaseHTTPRequestHandler, port: int) -> None:
        body = _body(asked)
        asked.close_connection = True
        match asked.headers.get("Mex-To"):
            case self.HANG:
                self.hanging.set()
                self._letting_go.wait(30)
                return
            case self.ERROR:
                asked.send_error(500)
                return
            case self.RESET:
                return
            case self.GARBAGE:
                _answer(asked, 202, [("Content-Type", "application/json")], b'{"message_id": ["\\u0000"]}')
                return
        onward = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {
            name: value for name, value in asked.headers.items() if name.lower() not in ("host", "transfer-encoding", "content-length")
        }
        onward.request(asked.command, asked.path, body, headers)
        answer = onward.getresponse()
        content = answer.read()
        onward.close()
        if self.mute and asked.command == "POST":
            self.hanging.set()
            self._letting_go.wait(30)
        elif not (self.deaf and asked.command == "POST"):
            _answer(asked, answer.status, answer.getheaders(), content)


def _body(asked: http.server.BaseHTTPRequestHandler) -> bytes:
    if asked.headers.get("Transfer-Encoding") != "chunked":
        return asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
    body = b""
    while size := int(asked.rfile.readline(), 16):
        body += asked.rfile.read(size)
        asked.rfile.readline()
    asked.rfile.readline()
    return body


def _answer(asked: http.server.BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
    asked.send_response(status)
    for name, value in headers:
        if name.lower() not in ("transfer-encoding", "connection", "content-length"):
            asked.send_header(name, value)
    asked.send_header("Content-Length", str(len(content)))
    asked.send_header("Connection", "close")  # said, for the wire closes it: a client that kept it would meet with a reset
    asked.end_headers()
    asked.wfile.write(content)
