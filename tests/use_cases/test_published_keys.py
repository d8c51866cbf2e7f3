# SPDX-License-Identifier: MIT
"""Keys at an address of the trust's own: read again and again, for a day when it is away, and never from where the service must not go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from notify_gateway.cli.service import OpenBooks
from notify_gateway.credentials.assertions import SignInRefused
from notify_gateway.credentials.keys import MOST_BYTES
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import SystemClock
from notify_gateway.domain.errors import NotAllowed, Refused
from notify_gateway.domain.model import OrganisationType
from notify_gateway.egress.fetch import Fetcher, FetchFailed
from notify_gateway.egress.guard import Egress, EgressRefused
from notify_gateway.settings import Settings
from notify_gateway.store.engine import open_engine
from notify_gateway.use_cases import client_keys
from notify_gateway.use_cases.access import TRUST_SCOPE, DoorKeeper
from notify_gateway.use_cases.client_keys import Offer
from notify_gateway.use_cases.gateway import PARTIES_KNOWN_FOR
from notify_gateway.use_cases.sign_in import LOOK_AGAIN_AFTER, PUBLISHED_KEYS_FRESH_FOR, PUBLISHED_KEYS_HELD_FOR, Issued, Reception
from tests.support.signing import Assertion, TrustKey, jwks
from tests.use_cases.conftest import House
from tests.workers.test_egress import Fixed

OLD, NEW = TrustKey("old"), TrustKey("new", number=1)


@dataclass
class Publisher:
    """A web server that publishes what it is told to, and counts who asks."""

    body: bytes
    url: str = ""
    status: int = 200
    asked: int = 0


@contextmanager
def publishing(body: bytes) -> Iterator[Publisher]:
    publisher, stop = Publisher(body), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked += 1
            if self.path == "/never":
                stop.wait(10)
                return
            self.send_response(publisher.status)
            self.send_header("Location", "/jwks")
            self.send_header("Content-Length", str(len(publisher.body)))
            self.end_headers()
            self.wfile.write(publisher.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    publisher.url = f"http://127.0.0.1:{server.server_port}/jwks"
    try:
        yield publisher
    finally:
        stop.set()
        server.shutdown()
        server.server_close()


def bring_on(house: House, publisher: Publisher) -> str:
    offer = Offer(url=publisher.url)
    made = client_keys.invite(
        house.gateway, ods="RXX", name="X", organisation_type=OrganisationType.NHS_TRUST, offer=offer, actor="operator:a"
    )
    client_keys.approve(house.gateway, ods="RXX", fingerprints=[OLD.fingerprint], actor="operator:b")
    return str(made.client_id)


def sign_in(house: House, reception: Reception, key: TrustKey, client_id: str, **header: str) -> Issued:
    made = Assertion(key, client_id, reception.token_url, house.clock.now())
    return reception.token_for(made.headed(**header).signed(), None)


def refusal(house: House, reception: Reception, key: TrustKey, client_id: str, **header: str) -> str:
    with pytest.raises(SignInRefused) as refused:
        sign_in(house, reception, key, client_id, **header)
    return refused.value.issues[0].code


def test_a_new_key_is_found_a_vanished_one_stops_and_the_address_is_not_asked_too_often(house: House) -> None:
    with publishing(jwks(OLD)) as publisher:
        client_id, reception = bring_on(house, publisher), Reception(house.gateway)
        first = sign_in(house, reception, OLD, client_id, jku=publisher.url)
        assert refusal(house, reception, OLD, client_id, jku="https://elsewhere.example/jwks") == Code.ASSERTION_HEADER
        assert publisher.asked == 1

        publisher.body = jwks(OLD, NEW)
        assert refusal(house, reception, NEW, client_id) == Code.ASSERTION_KEY_UNKNOWN
        house.clock.move(LOOK_AGAIN_AFTER)
        sign_in(house, reception, NEW, client_id)
        sign_in(house, reception, OLD, client_id)
        for _ in range(5):
            assert refusal(house, reception, TrustKey("unheard-of"), client_id) == Code.ASSERTION_KEY_UNKNOWN
        assert publisher.asked == 2

        publisher.body = jwks(NEW)
        house.clock.move(PUBLISHED_KEYS_FRESH_FOR)
        assert refusal(house, reception, OLD, client_id) == Code.ASSERTION_KEY_REVOKED
        house.clock.move(PARTIES_KNOWN_FOR)
        with pytest.raises(NotAllowed) as stopped:
            DoorKeeper(house.gateway).admit(f"Bearer {first.text}", TRUST_SCOPE)
        assert stopped.value.issues[0].code == Code.TOKEN_REVOKED

        publisher.body = jwks(OLD, NEW)
        house.clock.move(LOOK_AGAIN_AFTER)
        sign_in(house, reception, OLD, client_id)
        client_keys.revoke_key(house.gateway, ods="RXX", kid="old", actor="operator:a")
        house.clock.move(PUBLISHED_KEYS_FRESH_FOR)
        assert refusal(house, reception, OLD, client_id) == Code.ASSERTION_KEY_REVOKED
        client_keys.forget_address(house.gateway, ods="RXX", actor="operator:a")
        assert refusal(house, reception, NEW, client_id) == Code.ASSERTION_KEY_REVOKED


def test_nothing_is_proposed_from_an_address_that_gives_no_keys(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, webhook_allow_private=True)
    books = OpenBooks(settings, SystemClock(), open_engine(settings.main_url))
    with publishing(b"") as publisher:
        for publisher.status, publisher.body, wanted in (
            (404, b"", Code.KEYS_ADDRESS_FAILED),
            (200, b"{}", Code.CLIENT_KEY_FORMAT),
            (200, jwks(TrustKey("k", "P-256")), Code.CLIENT_KEY_KIND),
        ):
            with pytest.raises(Refused) as refused:
                client_keys.propose_keys(books, ods="RXX", offer=Offer(url=publisher.url), actor="operator:a")
            assert refused.value.issues[0].code == wanted


def test_while_the_address_is_away_its_keys_are_good_for_a_day(house: House) -> None:
    with publishing(jwks(OLD)) as publisher:
        client_id, reception = bring_on(house, publisher), Reception(house.gateway)
        for publisher.status, publisher.body in ((503, b""), (302, b""), (200, b"<html>"), (200, jwks(NEW) + b" " * MOST_BYTES)):
            house.clock.move(timedelta(hours=5))
            sign_in(house, reception, OLD, client_id)
        assert publisher.asked == 5
        house.clock.move(PUBLISHED_KEYS_HELD_FOR - timedelta(hours=20) + timedelta(seconds=1))
        assert refusal(house, reception, OLD, client_id) == Code.CLIENT_KEYS_STALE
        publisher.body = jwks(OLD)
        house.clock.move(LOOK_AGAIN_AFTER)
        sign_in(house, reception, OLD, client_id)


def test_keys_are_not_fetched_from_inside(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    strict = OpenBooks(settings, SystemClock(), open_engine(settings.main_url))
    for url in (
        "http://keys.example/jwks",
        "https://127.0.0.1/jwks",
        "https://[::ffff:10.0.0.1]/",
        "https://keys.example:8443/",
        "file:///x",
    ):
        with pytest.raises(Refused) as refused:
            client_keys.invite(
                strict, ods="RXX", name="X", organisation_type=OrganisationType.NHS_TRUST, offer=Offer(url=url), actor="operator:a"
            )
        assert refused.value.issues[0].code == Code.KEYS_ADDRESS_REFUSED


def test_a_name_that_leads_inside_is_not_followed_there_and_nobody_waits_for_ever() -> None:
    inside = Fetcher(Egress(), MOST_BYTES, timedelta(seconds=5), resolver=Fixed("93.184.215.14", "169.254.169.254"))
    with pytest.raises(EgressRefused) as refused:
        inside.fetch("https://keys.example/jwks")
    assert refused.value.code == "egress-address"
    with publishing(b"") as publisher, pytest.raises(FetchFailed) as failed:
        Fetcher(Egress(allow_private=True), MOST_BYTES, timedelta(seconds=0.2)).fetch(publisher.url.replace("/jwks", "/never"))
    assert failed.value.code == "timeout"
