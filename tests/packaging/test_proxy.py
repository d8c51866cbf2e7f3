# SPDX-License-Identifier: MIT
"""The TLS proxy's configuration, run by a real nginx before two stub gateways."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

import pytest

from tests.support.proxy import NativeProxy
from tests.support.waiting import eventually
from tools.make_secrets import self_signed

REQUEST_ID = "c1ab3fba-6bae-4ba4-b257-5a87c44d4a91"
REFUSED = [
    "/docs/more",
    "/metrics",
    "/metrics/",
    "/ops",
    "/ops/sign-in",
    "/ops/checks.json",
    "/%6Detrics",
    "/static/../metrics",
    "/static/%2e%2e/metrics",
    "/authority/../metrics",
    "/openapi.json/more",
    "/own-answers/503.json",
    "/_status/more",
    "/oauth2/token/more",
]
PASSED = {
    "/": "/",
    "/?CANARY": "/",
    "/static/site.css": "/static",
    "/static/CANARY": "/static",
    "/openapi.json": "/openapi.json",
    "/docs": "/docs",
    "/errors": "/errors",
    "/errors.json": "/errors.json",
    "/errors/NG-4001": "/errors",
    "/schemas/view.json": "/schemas",
    "/fhir/R4/$process-messages": "/fhir/R4/process-messages",
    "/log/keys": "/log",
    "/reconciliation/2026-11-20": "/reconciliation",
    "/log/checkpoint": "/log",
    "/ig/export": "/ig",
    "/oauth2/token": "/oauth2/token",
    "/_status": "/_status",
}
"""What is passed on, and the name under which it is logged."""


@dataclass
class Stub:
    """A gateway that remembers what reached it."""

    seen: list[tuple[str, str, Message, bytes]] = field(default_factory=list)
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen.append((self.command, self.path, self.headers, body))
                self.send_response(202 if self.command == "POST" else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def stubs() -> Iterator[list[Stub]]:
    made = [Stub(), Stub()]
    yield made
    for stub in made:
        stub.stop()


def _secrets(folder: Path) -> Path:
    folder.mkdir()
    certificate, key = self_signed(("localhost", "proxy"))
    (folder / "tls_certificate").write_text(certificate)
    (folder / "tls_key").write_text(key)
    return folder


@pytest.fixture
def proxy(tmp_path: Path, stubs: list[Stub]) -> Iterator[NativeProxy]:
    made = NativeProxy(tmp_path / "proxy", secrets=_secrets(tmp_path / "secrets"), gateways=[stub.port for stub in stubs])
    try:
        yield made.start()
    finally:
        made.stop()


def _ask(
    proxy: NativeProxy, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None, method: str | None = None
) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(proxy.url + path, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, context=proxy.context(), timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def _seen(stubs: list[Stub]) -> list[tuple[str, str, Message, bytes]]:
    return [seen for stub in stubs for seen in stub.seen]


def test_the_gateway_is_told_who_called_and_never_what_the_caller_claims_of_itself(proxy: NativeProxy, stubs: list[Stub]) -> None:
    claims = {
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "elsewhere",
        "Forwarded": "for=203.0.113.7",
    }
    claims |= {"X-Real-IP": "203.0.113.7", "X-Client-Certificate-Verified": "SUCCESS", "X-Client-Certificate-Fingerprint": "00"}
    status, _, _ = _ask(proxy, "/fhir/R4/$process-message?mode=dry", body=b"{}", headers=claims)
    assert status == 202
    ((method, path, headers, body),) = _seen(stubs)
    assert (method, path, body) == ("POST", "/fhir/R4/$process-message?mode=dry", b"{}")
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Forwarded-Host"] == f"localhost:{proxy.port}"
    assert headers["Forwarded"] is None
    assert headers["X-Real-IP"] is None
    assert headers["X-Client-Certificate-Verified"] == "NONE"
    assert headers["X-Client-Certificate-Fingerprint"] is None


def test_both_replicas_get_work_over_kept_connections(proxy: NativeProxy, stubs: list[Stub]) -> None:
    for _ in range(8):
        assert _ask(proxy, "/_status")[0] == 200
    assert all(stub.seen for stub in stubs)
    assert all(headers["Connection"] is None for _, _, headers, _ in _seen(stubs))


def test_nothing_that_a_caller_made_up_is_written_even_when_the_gateways_are_gone(proxy: NativeProxy, stubs: list[Stub]) -> None:
    made_up = {"Referer": "https://x/?CANARY", "User-Agent": "CANARY", "X-Request-ID": "CANARY", "Authorization": "Bearer CANARY"}
    assert _ask(proxy, "/fhir/R4/Patient/CANARY?name=CANARY", headers=made_up)[0] == 200
    for stub in stubs:
        stub.stop()
    assert _ask(proxy, f"/fhir/R4/Task/{REQUEST_ID}?CANARY", headers=made_up)[0] == 503
    assert _ask(proxy, "/CANARY?CANARY", headers=made_up)[0] == 404
    assert _ask(proxy, "/fhir/R4/$process-message", headers={"X-Request-ID": REQUEST_ID}, method="CANARY")[0] in {405, 503}
    eventually(lambda: proxy.logs().count('"route"') >= 4, what="four lines in the access log")
    assert "CANARY" not in proxy.logs()
    lines = [json.loads(line) for line in proxy.access_log.read_text().splitlines()]
    assert sorted(line["route"] for line in lines) == ["/fhir/R4/Task", "/fhir/R4/process-message", "other", "other"]
    assert {line["request"]: line["method"] for line in lines} == {"": "GET", REQUEST_ID: "other"}


def test_a_gateway_that_is_gone_is_answered_for_in_fhir_with_the_callers_ids(proxy: NativeProxy, stubs: list[Stub]) -> None:
    for stub in stubs:
        stub.stop()
    status, headers, body = _ask(
        proxy, "/fhir/R4/$process-message", body=b"{}", headers={"X-Request-ID": REQUEST_ID, "X-Correlation-ID": "<x>"}
    )
    assert status == 503
    assert headers["Content-Type"] == "application/fhir+json"
    assert headers["Retry-After"] == "5"
    assert headers["X-Request-ID"] == REQUEST_ID
    assert headers["X-Correlation-ID"] is None
    assert json.loads(body)["issue"][0]["code"] == "transient"


def test_a_replica_that_is_gone_is_passed_over(proxy: NativeProxy, stubs: list[Stub]) -> None:
    stubs[0].stop()
    assert [_ask(proxy, "/fhir/R4/$process-message", body=b"{}")[0] for _ in range(6)] == [202] * 6
    assert len(stubs[1].seen) == 6


def test_a_body_of_five_megabytes_passes_and_a_larger_one_is_refused_in_fhir(proxy: NativeProxy, stubs: list[Stub]) -> None:
    largest = b"x" * (5 * 1024 * 1024)
    assert _ask(proxy, "/fhir/R4/$process-message", body=largest)[0] == 202
    assert _seen(stubs)[0][3] == largest
    with (
        socket.create_connection(("127.0.0.1", proxy.port)) as plain,
        proxy.context().wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        head = f"POST /fhir/R4/$process-message HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(largest) + 1}\r\n\r\n"
        tls.sendall(head.encode())
        answer = b""
        while b"too-long" not in answer and (more := tls.recv(65536)):
            answer += more
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"OperationOutcome" in answer
    assert b"Retry-After" not in answer


def test_bodies_are_never_written_to_disk(proxy: NativeProxy, stubs: list[Stub]) -> None:
    written: list[str] = []
    stop = threading.Event()
    watcher = threading.Thread(target=lambda: _watch(proxy.folder / "run", written, stop))
    watcher.start()
    for _ in range(3):
        assert _ask(proxy, "/fhir/R4/$process-message", body=b"x" * 4_000_000)[0] == 202
    stop.set()
    watcher.join()
    assert written == []


def _watch(folder: Path, written: list[str], stop: threading.Event) -> None:
    while not stop.wait(0.001):
        written += [str(path) for path in folder.rglob("*") if path.is_file() and path.name != "nginx.pid"]


@pytest.mark.parametrize(("path", "route"), PASSED.items())
def test_the_front_page_and_what_it_links_to_are_passed_on(proxy: NativeProxy, stubs: list[Stub], path: str, route: str) -> None:
    assert _ask(proxy, path)[0] == 200
    assert [seen[1] for seen in _seen(stubs)] == [path]
    eventually(lambda: proxy.access_log.read_text(), what="a line in the access log")
    (line,) = map(json.loads, proxy.access_log.read_text().splitlines())
    assert line["route"] == route
    assert "CANARY" not in proxy.logs()


def test_every_link_of_the_front_page_is_passed_on() -> None:
    page = resources.files("notify_gateway.web").joinpath("static", "index.html").read_text("utf-8")
    links = set(re.findall(r'(?:href|src)="(/[^"]*)"', page))
    assert links >= {"/openapi.json", "/static/site.css"}
    assert {link for link in links if link not in PASSED and not link.startswith("/static/")} == set()


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_not_ours_to_offer_is_not_found(proxy: NativeProxy, stubs: list[Stub], path: str) -> None:
    status, headers, body = _ask(proxy, path)
    assert status == 404
    assert json.loads(body)["resourceType"] == "OperationOutcome"
    assert headers["Strict-Transport-Security"]
    assert "nginx/" not in str(headers)
    assert _seen(stubs) == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
def test_old_tls_is_refused(proxy: NativeProxy) -> None:
    context = proxy.context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")  # else this side would refuse, and nothing were shown of the other
    with socket.create_connection(("127.0.0.1", proxy.port)) as plain, pytest.raises(ssl.SSLError) as refusal:
        context.wrap_socket(plain, server_hostname="localhost")
    assert refusal.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"


def test_with_mutual_tls_only_callers_with_a_known_certificate_get_an_answer(tmp_path: Path, stubs: list[Stub]) -> None:
    secrets = _secrets(tmp_path / "secrets")
    certificate, key = self_signed(("client",))
    (secrets / "client_ca").write_text(certificate)
    (tmp_path / "client.pem").write_text(certificate + key)
    proxy = NativeProxy(tmp_path / "proxy", secrets=secrets, gateways=[stub.port for stub in stubs], mutual_tls=True)
    try:
        proxy.start()
        assert _ask(proxy, "/fhir/R4/metadata")[0] == 400
        context = proxy.context()
        context.load_cert_chain(str(tmp_path / "client.pem"))
        with urllib.request.urlopen(f"{proxy.url}/fhir/R4/metadata", context=context, timeout=10) as answer:
            assert answer.status == 200
    finally:
        proxy.stop()
    ((_, _, headers, _),) = _seen(stubs)
    assert headers["X-Client-Certificate-Verified"] == "SUCCESS"
    assert len(headers["X-Client-Certificate-Fingerprint"]) == 40
