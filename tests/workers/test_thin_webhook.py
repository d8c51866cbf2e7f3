# SPDX-License-Identifier: MIT
"""Alerts by thin webhook against a real receiver: signed as full webhooks are, and with nothing of a notification in them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from notify_gateway.domain.alerts import Alert, AlertKind, AlertResult
from notify_gateway.egress.guard import Egress
from tests.support.waiting import eventually
from tests.workers.conftest import FixedClock
from tests.workers.receiver import Receiver
from tests.workers.test_alert_mail import an_alert
from tests.workers.test_webhook import NOON, Nonces
from workers.alerting.thin_webhook import ThinWebhookSender
from workers.channels.reference_receiver import verify
from workers.channels.signature import RequestSigner


def to(url: str, count: int = 1, channel: str = "pull") -> Alert:
    return replace(an_alert(count, channel=channel, kind=AlertKind.WEBHOOK), address=url)


def sender(signer: RequestSigner, *, private: bool = True, timeout: float = 1.0) -> ThinWebhookSender:
    return ThinWebhookSender(
        signer=signer,
        clock=FixedClock(),
        timeout=timedelta(seconds=timeout),
        egress=Egress(allow_private=private),
        base_url="https://gateway.example",
    )


def all_told(alert: Alert) -> AlertResult:
    return AlertResult(tuple(each.delivery_id for each in alert.untold))


@pytest.mark.parametrize(("channel", "to_the_delivery"), [("pull", True), ("inbox", False), ("mesh", False)])
def test_it_holds_six_fields_and_a_signature_that_the_reference_verifier_accepts(
    receiver: Receiver, signer: RequestSigner, channel: str, to_the_delivery: bool
) -> None:
    alert = to(receiver.url(), channel=channel)
    assert sender(signer).send([alert]) == [all_told(alert)]
    [(method, url, headers, body)] = receiver.requests
    delivery = str(alert.untold[0].delivery_id)
    assert verify(method, url, headers, body, signer.private_key.public_key(), Nonces(), NOON).delivery_id == delivery
    assert orjson.loads(body) == {
        "format": "notify-gateway/alert",
        "version": 1,
        "authority": "E06000004",
        "delivery_id": delivery,
        "event": "something-waits",
        "link": f"https://gateway.example/{f'authority/v1/deliveries/{delivery}' if to_the_delivery else ''}",
    }


@pytest.mark.parametrize(
    ("path", "code", "retry_after"),
    [
        ("accepted", None, None),
        ("garbage", None, None),
        ("error", "http-500", None),
        ("busy", "http-503", 7.0),
        ("redirect", "redirect", None),
        ("reset", "reset", None),
        ("hang", "timeout", None),
    ],
)
def test_any_2xx_will_do_and_nothing_else(
    receiver: Receiver, signer: RequestSigner, path: str, code: str | None, retry_after: float | None
) -> None:
    alert = to(receiver.url(path), 2)
    [result] = sender(signer).send([alert])
    assert (result.code, result.retry_after) == (code, retry_after)
    assert len(result.told) == (0 if code else 2)
    assert len(receiver.requests) == 2


def test_what_got_through_is_told_though_the_rest_failed(receiver: Receiver, signer: RequestSigner) -> None:
    good, bad = to(receiver.url(), 3), to(receiver.url("error"), 2)
    nowhere = to("mailto:somebody@elsewhere.example")
    assert sender(signer).send([bad, good, nowhere]) == [AlertResult((), "http-500"), all_told(good), AlertResult((), "egress-url")]


@pytest.mark.parametrize("url", ["http://la.example/in", "https://localhost/in", "https://127.0.0.1/in", "https://169.254.169.254/in"])
def test_nothing_leaves_for_a_private_address(signer: RequestSigner, url: str) -> None:
    [result] = sender(signer, private=False).send([to(url)])
    assert result.code in ("egress-scheme", "egress-address")


def test_closing_ends_what_is_under_way(receiver: Receiver, signer: RequestSigner) -> None:
    made = sender(signer, timeout=60)
    results: list[AlertResult] = []
    thread = threading.Thread(target=lambda: results.extend(made.send([to(receiver.url("hang"), 2)])))
    thread.start()
    eventually(lambda: receiver.under_way == 2)
    made.close()
    thread.join(5)
    assert results == [AlertResult((), "stopping")]
    assert made.send([to(receiver.url())]) == [AlertResult((), "stopping")]
