# SPDX-License-Identifier: MIT
"""Attachments that are taken: on the card as what they are, out of the original as they went in."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from notify_gateway.domain.model import Submission, Withdrawal
from notify_gateway.fhir.attachments import MOST, MOST_BYTES, TYPES, unpack
from notify_gateway.fhir.lifting import take_in
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.structure import check_structure
from tests.fhir.spoiling import drop, put
from tests.support.messages import JPEG, PDF, PNG, Message, a_message

FIRST = "entry[12].resource"


def read(message: Message | bytes) -> Submission:
    body = message if isinstance(message, bytes) else message.bytes()
    taken = take_in(body, max_bytes=5 * 1024 * 1024, max_message=256 * 1024)
    check_structure(taken.document)
    submission = read_message(taken.document, taken.lifted)
    assert isinstance(submission, Submission)
    return submission


def listed(message: Message | bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(message).card.reveal().get("attachments", [])
    return found


def test_the_card_lists_what_there_is() -> None:
    message = a_message().attached(PDF + b"0" * 5_000, title="Hearing test", language="en-GB").attached(PNG, "image/png", title=None)
    message.having(put(f"{FIRST}.description", "Second of two tests.")).having(drop("entry[13].resource.content[0].attachment.creation"))
    message.having(put("entry[13].resource.date", "2026-01-07T09:00:00Z"))
    assert listed(message) == [
        {
            "number": 1,
            "title": "Hearing test",
            "kind": "Letter",
            "description": "Second of two tests.",
            "file_type": "PDF",
            "bytes": 5_009,
            "on": "2026-01-08",
            "language": "en-GB",
        },
        {"number": 2, "kind": "Letter", "file_type": "PNG picture", "bytes": 8, "on": "2026-01-07"},
    ]


def test_a_message_without_attachments_says_nothing_of_them() -> None:
    assert listed(a_message()) == []


@pytest.mark.parametrize(
    ("begins", "content_type"), [(PDF, "application/pdf"), (JPEG, "image/jpeg"), (PNG, "image/png"), (PDF, "Application/PDF")]
)
def test_each_type_of_the_list_is_taken(begins: bytes, content_type: str) -> None:
    assert listed(a_message().attached(begins, content_type))[0]["file_type"] == TYPES[content_type.lower()].name


def test_size_and_hash_need_not_be_given() -> None:
    assert listed(a_message().attached(PDF, size=None, hash=None, title=None, creation=None))


def test_the_largest_and_the_most_that_are_taken() -> None:
    assert listed(a_message().attached(PDF + b"0" * (MOST_BYTES - len(PDF))))[0]["bytes"] == MOST_BYTES
    message = a_message()
    for _ in range(MOST):
        message.attached()
    assert [item["number"] for item in listed(message)] == list(range(1, MOST + 1))


@pytest.mark.parametrize("size", [30, 3_000])
@pytest.mark.parametrize(
    ("old", "new"),
    [("/", "\\/"), ("+", "\\u002b"), ("+", "\\u002B"), ("A", "\\u0041"), ("A", " A"), ("A", "\\r\\nA"), ("A", "\\tA")],
)
def test_base64_as_other_systems_write_it(old: str, new: str, size: int) -> None:
    content = PDF + b"\xfb\xff\xbf\x00\x10\x83" * size
    data = b64encode(content).decode()
    assert old in data
    body = a_message().attached(content).bytes().decode().replace(data, data.replace(old, new)).encode()
    assert listed(body)[0]["bytes"] == len(content)
    assert [item.content for item in unpack(body)] == [content]


def test_what_is_attached_is_neither_in_the_view_nor_in_what_prints() -> None:
    message = a_message().attached(PDF + b"0" * 3_000, title="About Zephyrine")
    taken = take_in(message.bytes(), max_bytes=10**6, max_message=10**6)
    assert "JVBER" not in repr(taken)
    assert "Zephyrine" not in repr(read(message))


def test_a_withdrawal_is_not_refused_for_its_attachments() -> None:
    message = a_message().attached(b"no PDF" * 500).attached(PDF, status="x", url="https://example.org").reason("delete")
    message.having(drop("entry[13].resource.content[0].attachment.status"))
    taken = take_in(message.bytes(), max_bytes=10**6, max_message=10**6)
    check_structure(taken.document)
    assert isinstance(read_message(taken.document, taken.lifted), Withdrawal)


def test_what_is_unpacked_is_what_was_attached_in_the_order_of_the_card() -> None:
    contents = [PDF + b"1" * 2_000, JPEG + b"2", PNG + b"3" * 90_000]
    message = a_message().attached(contents[0]).attached(contents[1], "image/jpeg").attached(contents[2], "image/png")
    files = unpack(message.bytes())
    assert [(file.number, file.ending, file.content) for file in files] == [
        (1, "pdf", contents[0]),
        (2, "jpg", contents[1]),
        (3, "png", contents[2]),
    ]
    assert [item["bytes"] for item in listed(message)] == [len(content) for content in contents]


def test_the_ending_says_what_the_content_is_whatever_is_claimed() -> None:
    message = a_message().attached(b"MZ" * 1_000, "application/pdf")
    assert [file.ending for file in unpack(message.bytes())] == ["bin"]
    with pytest.raises(ValueError, match="not a message"):
        unpack(json.dumps([]).encode())
