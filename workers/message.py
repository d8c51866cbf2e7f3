# SPDX-License-Identifier: MIT
"""The one message that travels: ``deliver`` with a list of delivery ids; written here, and judged here before Celery reads any of it."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
from celery.worker.consumer import Consumer
from kombu.utils.json import loads

from notify_gateway.domain.route import ChannelName
from notify_gateway.telemetry.metrics import HINTS_REFUSED

if TYPE_CHECKING:
    from kombu.message import Message

TASK = "workers.deliver"
QUEUE = "deliver"
QUEUES: Final = {channel.value: f"{QUEUE}.{channel.value}" for channel in ChannelName}
"""Each channel's own queue, so that workers may be set aside for one; ``QUEUE`` is for hints at what no release of ours knows."""
MOST_IDS = 256
MOST_BYTES = 16 * 1024
MOST_ON_THE_WIRE = 4 * MOST_BYTES
"""Bytes of a message with its envelope; what is longer is not even parsed."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

_log = structlog.get_logger("workers.message")


class MessageRefused(Exception):
    """The message is not one of ours; ``code`` says why and nothing says what was in it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def valid_ids(value: object) -> tuple[str, ...]:
    """Return the ids if ``value`` is a list of 1 to 256 canonical UUIDs and nothing else; raises ``MessageRefused``."""
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST_IDS:
        raise MessageRefused("ids")
    if not all(isinstance(each, str) and _UUID.fullmatch(each) for each in value):
        raise MessageRefused("ids")
    return tuple(value)


def options_for(ids: Sequence[str]) -> dict[str, Any]:
    """Return what Celery is told about a task besides its ids: their number, for people who look at the queue."""
    return {"argsrepr": f"({len(ids)} ids)", "kwargsrepr": "{}", "ignore_result": True, "retry": False}


def judge_envelope(item: bytes) -> None:
    """Return when what was taken off a queue has the shape that kombu reads and acknowledges by. Raises ``MessageRefused``."""
    if len(item) > MOST_ON_THE_WIRE:
        raise MessageRefused("size")
    try:
        told = loads(item.decode())  # type: ignore[no-untyped-call]  # kombu is typed in parts
        properties = told["properties"]
        place = properties["delivery_info"]
        b64decode(told["body"], validate=True).decode()
    except Exception:
        # Kombu's reader turns some values into what they say they are, and may raise anything at all over it.
        raise MessageRefused("envelope") from None
    texts = (told.get("content-type"), told.get("content-encoding"), properties.get("delivery_tag"))
    texts += (place.get("exchange"), place.get("routing_key")) if isinstance(place, dict) else (None,)
    if not isinstance(told.get("headers"), dict) or properties.get("body_encoding") != "base64" or not all(map(_is_text, texts)):
        raise MessageRefused("envelope")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def judge(headers: object, content_type: object, body: bytes | str) -> dict[str, Any]:
    """Return fresh headers, made from nothing but the message's own id, for a message that is exactly what ``Hinter`` writes.

    No callback, chain, due time, other task or other argument gets through. Raises ``MessageRefused``.
    """
    if not isinstance(headers, dict) or headers.get("task") != TASK:
        raise MessageRefused("task")
    if not isinstance(headers.get("id"), str) or not _UUID.fullmatch(headers["id"]):
        raise MessageRefused("message-id")
    if content_type != "application/json" or headers.get("compression") is not None:
        raise MessageRefused("content")
    if len(body) > MOST_BYTES:
        raise MessageRefused("size")
    try:
        arguments, keywords, embedded = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        raise MessageRefused("content") from None
    if not isinstance(arguments, list) or len(arguments) != 1 or keywords != {}:
        raise MessageRefused("arguments")
    if not isinstance(embedded, dict) or any(value is not None for value in embedded.values()):
        raise MessageRefused("embedded")
    ids = valid_ids(arguments[0])
    return {"lang": "py", "task": TASK, "id": headers["id"], "root_id": headers["id"], **options_for(ids)}


class GuardedConsumer(Consumer):
    """Celery's consumer, which here sees only messages that ``judge`` lets pass; all others are dropped and logged by code alone."""

    def create_task_handler(self, *arguments: Any, **keywords: Any) -> Any:
        """Return Celery's handler of messages behind the judge."""
        handle = super().create_task_handler(*arguments, **keywords)

        def on_message(message: Message) -> None:
            try:
                message.headers = judge(message.headers, message.content_type, message.body)
            except MessageRefused as refused:
                _drop(message, refused.code)
            else:
                handle(message)

        return on_message

    def on_decode_error(self, message: Message, exc: Exception) -> None:  # noqa: ARG002  # Celery's signature
        """Drop what cannot even be decoded."""
        _drop(message, "content")


def tell_refused(code: str) -> None:
    """Count and log that a message was dropped, by its code alone."""
    HINTS_REFUSED.labels(code).inc()
    _log.error("task-message-refused", code=code)


def _drop(message: Message, code: str) -> None:
    tell_refused(code)
    message.ack()  # type: ignore[no-untyped-call]  # kombu is typed in parts
