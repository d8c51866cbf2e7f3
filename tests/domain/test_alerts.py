# SPDX-License-Identifier: MIT
"""Where alerts can go: one plain mailbox or one address of a webhook, with nothing in it that could become something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_gateway.domain.alerts import AlertKind, is_mailbox, read_address
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Refused


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (AlertKind.EMAIL, "send-inbox@stockton.gov.uk"),
        (AlertKind.EMAIL, "early.years+send@example-council.example"),
        (AlertKind.WEBHOOK, "https://alerts.stockton.example/hook?to=send"),
    ],
)
def test_an_address_in_its_form_is_taken_as_it_stands(kind: AlertKind, address: str) -> None:
    assert read_address(kind, address) == address


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        (AlertKind.EMAIL, "a@stockton.example\r\nBcc: b@elsewhere.example"),
        (AlertKind.EMAIL, "a@stockton.example\n"),
        (AlertKind.EMAIL, "a@stockton.example, b@stockton.example"),
        (AlertKind.EMAIL, "a@stockton.example;b@stockton.example"),
        (AlertKind.EMAIL, "Ada Example <a@stockton.example>"),
        (AlertKind.EMAIL, '"a b"@stockton.example'),
        (AlertKind.EMAIL, "a(b)@stockton.example"),
        (AlertKind.EMAIL, "ä@stockton.example"),
        (AlertKind.EMAIL, "a@stöckton.example"),
        (AlertKind.EMAIL, "a@localhost"),
        (AlertKind.EMAIL, "a@[127.0.0.1]"),
        (AlertKind.EMAIL, "a@-stockton.example"),
        (AlertKind.EMAIL, ".a@stockton.example"),
        (AlertKind.EMAIL, f"{'a' * 65}@stockton.example"),
        (AlertKind.EMAIL, f"a@{'b' * 60}.{'b' * 60}.{'b' * 60}.{'b' * 60}.{'b' * 20}.example"),
        (AlertKind.EMAIL, "https://alerts.stockton.example/hook"),
        (AlertKind.EMAIL, ""),
        (AlertKind.WEBHOOK, "a@stockton.example"),
        (AlertKind.WEBHOOK, "https://stockton.example/\r\nX: y"),
        (AlertKind.WEBHOOK, "https://stockton.example/a b"),
        (AlertKind.WEBHOOK, "ftp://stockton.example/"),
        (AlertKind.WEBHOOK, f"https://stockton.example/{'a' * 2000}"),
    ],
)
def test_an_address_of_another_form_is_refused(kind: AlertKind, address: str) -> None:
    with pytest.raises(Refused) as refused:
        read_address(kind, address)
    assert [issue.code for issue in refused.value.issues] == [Code.ALERT_ADDRESS]


@given(st.text(alphabet=st.sampled_from('ab.@<>,;:\r\n\t\0 "()[]\\é-_+%'), max_size=40))
def test_what_is_a_mailbox_has_one_at_and_nothing_that_ends_or_adds_a_header(text: str) -> None:
    if is_mailbox(text):
        assert text.count("@") == 1
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(' <>,;:"()[]\\')
