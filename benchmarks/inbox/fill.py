# SPDX-License-Identifier: MIT
"""Fills an inbox past the front door: notifications with views and ages, and their cases as work leaves them. No child is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, text

from audit.bulk import insert_all
from mappings.needs import NeedTables
from notify_gateway.domain.refs import ALPHABET, check_character
from notify_gateway.store.tables import ages, case_tables, messages, notifications

AT_ONCE = 2000
_HEAPS = (
    ("to-do", "received", "received", "acknowledge"),
    ("to-do", "acknowledged", "acknowledged", "contact"),
    ("to-do", "contacted", "contacted", "outcome"),
    ("waiting", "acknowledged", "question", "contact"),
    ("finished", "outcome", "outcome", "nothing"),
)
_SHARES = (20, 20, 15, 5, 40)


def fill(connection: Connection, *, authority: str, client: UUID, sender: str, count: int, officers: list[UUID], today: date) -> None:
    """Give the authority so many notifications of the last two years, six of ten still open, some late, a third nobody's.

    The guards are taken off for it: what is filled in has no events.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    chance = Random(f"{authority}/{count}")
    made = _rows(chance, authority, client, sender, count, officers, today)
    for start in range(0, count, AT_ONCE):
        rows = [next(made) for _ in range(min(AT_ONCE, count - start))]
        tables = (notifications, messages, ages, case_tables.cases)
        insert_all(connection, [(table, [row[number] for row in rows]) for number, table in enumerate(tables)])


def _rows(
    chance: Random, authority: str, client: UUID, sender: str, count: int, officers: list[UUID], today: date
) -> Iterator[tuple[dict[str, Any], ...]]:
    types = sorted(NeedTables.load().sen_types)
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    for number in range(count):
        notification, message, delivery, case, thread, request, event = (_uuid(chance) for _ in range(7))
        at = noon - timedelta(minutes=chance.randrange(2 * 365 * 24 * 60))
        bucket, stage, status, step = chance.choices(_HEAPS, _SHARES)[0]
        need, reference, key = chance.choice(types), _reference(chance), hashlib.sha256(notification.bytes).digest()
        view = _view(reference, authority, sender, need, at.date(), case)
        yield (
            {
                "id": notification,
                "reference": reference,
                "client_id": client,
                "business_key": key,
                "authority": authority,
                "thread_id": thread,
                "child_key": None,
                "created_at": at,
            },
            {
                "id": message,
                "notification_id": notification,
                "client_id": client,
                "message_key": key,
                "request_id": request,
                "body_digest": key,
                "event": "new",
                "version_at": at,
                "authority": authority,
                "view": view,
                "view_digest": hashlib.sha256(view).digest(),
                "accepted_at": at,
                "accepted_event": event,
            },
            {
                "message_id": message,
                "authority": authority,
                "age_months_at_opinion": chance.randrange(58),
                "compulsory_school_age_on": today + timedelta(days=400),
                "name_print": key[:16],
                "address_print": key[:16],
                "contact_print": key[:16],
            },
            {
                "id": case,
                "authority": authority,
                "notification_id": notification,
                "reference": reference,
                "sender": sender,
                "thread_id": thread,
                "delivery_id": delivery,
                "message_id": message,
                "event": "new",
                "main_need": need,
                "sensitive": number % 20 == 0,
                "related": False,
                "arrived_at": at,
                "turn_at": at,
                "changed_at": at,
                "version": 1,
                "stage": stage,
                "status": status,
                "bucket": bucket,
                "step": step,
                "clock_on": at.date(),
                "paused_days": 0,
                "reply_on": None if bucket == "finished" else today + timedelta(days=chance.randrange(-30, 40)),
                "asked_at": at if bucket == "waiting" else None,
                "officer": chance.choice([None, *officers, *officers[:1]]),
                "failed_tries": 0,
                "asked_not_to": False,
            },
        )


def _view(reference: str, authority: str, sender: str, need: str, on: date, child: UUID) -> bytes:
    day = on.isoformat()
    needs = [{"sen_type": need, "area": None, "certainty": "has", "kinds": ["special-educational-need"], "strength": "stated"}]
    return orjson.dumps(
        {
            "format": "notify-gateway/view",
            "version": 1,
            "reference": reference,
            "child": child.hex,
            "authority": authority,
            "sender": sender,
            "sender_service": None,
            "needs": [each | {"table_version": "1"} for each in needs],
            "opinion_formed_on": day,
            "parent_informed_on": day,
            "discussion_offered_on": day,
            "sent_on": day,
            "term_cohort": None,
            "parent_view": "agrees",
            "flags": [],
        }
    )


def _uuid(chance: Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


def _reference(chance: Random) -> str:
    while True:
        body = "".join(chance.choices(ALPHABET, k=8))
        if (check := check_character(body)) in ALPHABET:
            return f"SEN-{body}-{check}"
