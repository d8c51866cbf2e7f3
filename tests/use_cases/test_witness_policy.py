# SPDX-License-Identifier: MIT
"""The witness policy as the service takes it: which addresses may be asked, which files are refused, and how a witness is reached."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from audit.cosignature import WitnessSigner
from audit.cosigning import Answer, Unreachable
from audit.note import Signer, Verifier
from audit.policy import Policy, PolicyRefused, parse_policy
from notify_gateway.egress.post import MOST_BYTES, PostClient
from notify_gateway.egress.witnesses import require_usable
from notify_gateway.privacy.keys import VerifyingKey, load
from notify_gateway.runtime import LOG_PUBLIC, make_keys, open_policy
from notify_gateway.settings import Deployment, Settings
from tests.support.waiting import free_port

WITNESS = WitnessSigner.from_seed("icb.example/witness", b"1" * 32).verifier


def policy(url: str, name: str = "icb") -> Policy:
    return parse_policy(f"witness {name} {WITNESS.vkey} {url}\nquorum {name}\n".encode())


@pytest.mark.parametrize("url", ["https://witness.icb.example/", "https://10.0.0.8:8443/w", "https://[fd00::1]/"])
def test_https_may_lead_anywhere_that_the_operator_names(url: str) -> None:
    require_usable(policy(url), live=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8100", "http://localhost:8100/", "http://[::1]:8100", "http://10.1.2.3/w"])
def test_http_is_for_this_machine_or_its_network_and_never_for_a_live_deployment(url: str) -> None:
    require_usable(policy(url), live=False)
    with pytest.raises(PolicyRefused, match="https alone"):
        require_usable(policy(url), live=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://198.51.100.7.nowhere.invalid/",
        "http://8.8.8.8/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:secret@witness.example/",
        "https://witness.example/?a=b",
        "https://witness.example/#a",
        "https://witness.example:port/",
        "https://",
        "https://[::1/",
        "witness.example",
        "https://witn\N{LATIN SMALL LETTER E WITH ACUTE}ss.example/",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(PolicyRefused, match="witness icb"):
        require_usable(policy(url), live=False)


def test_a_witness_that_is_not_asked_needs_no_address_and_a_name_must_be_readable() -> None:
    require_usable(parse_policy(f"witness icb {WITNESS.vkey}\nquorum icb\n".encode()), live=True)
    with pytest.raises(PolicyRefused, match="UTF-8"):
        require_usable(parse_policy(b"witness \xff " + WITNESS.vkey.encode() + b"\nquorum none\n"), live=True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(deployment=Deployment.TEST, data_dir=tmp_path, witness_policy=tmp_path / "policy")
    make_keys(found)
    return found


def test_the_services_policy_is_about_the_services_log(settings: Settings, tmp_path: Path) -> None:
    own = Verifier(settings.log_origin, load(settings.keys / LOG_PUBLIC, VerifyingKey).raw)
    other = Signer.from_seed(settings.log_origin, b"2" * 32).verifier
    written = tmp_path / "policy"
    with pytest.raises(FileNotFoundError):
        open_policy(settings)
    written.write_text(f"log {other.vkey}\nquorum none\n")
    with pytest.raises(PolicyRefused, match="others than this"):
        open_policy(settings)
    for logs in (f"log {other.vkey}\nlog {own.vkey}\n", ""):
        written.write_text(f"{logs}witness icb {WITNESS.vkey} https://w.example\nquorum icb\n")
        found = open_policy(settings)
        assert found is not None
        assert found.quorum == "icb"
    assert open_policy(settings.model_copy(update={"witness_policy": None})) is None


class Misbehaving(BaseHTTPRequestHandler):
    """Answers by the path that it is asked for."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        match self.path:
            case "/redirect":
                self.send_response(302)
                self.send_header("Location", "/plain")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "/long":
                self.send_response(200)
                self.send_header("Content-Length", str(MOST_BYTES + 1))
                self.end_headers()
                self.wfile.write(b"x" * (MOST_BYTES + 1))
            case "/cut":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"x")
                self.close_connection = True
            case _:
                self.send_response(409)
                self.send_header("Content-Type", "text/x.tlog.size")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"8\n")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_an_answer_is_bounded_and_leads_nowhere_else(server: str) -> None:
    with PostClient() as client:
        assert client.ask(f"{server}/plain", b"x") == Answer(409, "text/x.tlog.size", b"8\n")
        assert client.ask(f"{server}/redirect", b"x").status == 302
        for path in ("/long", "/cut"):
            with pytest.raises(Unreachable):
                client.ask(f"{server}{path}", b"x")
        with pytest.raises(Unreachable):
            client.ask(f"http://127.0.0.1:{free_port()}/", b"x")
