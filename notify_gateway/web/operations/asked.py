# SPDX-License-Identifier: MIT
"""What is asked for in the address of an operations page or in its form: deliveries by authority, channel, code, standing or id."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID

from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.operating import Standing
from notify_gateway.domain.route import ChannelName
from notify_gateway.store.operating import Matching

FILTERS = ("authority", "channel", "code", "standing", "id")
_GSS, _CODE = re.compile(r"[A-Z]\d{8}"), re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
E = TypeVar("E", bound=StrEnum)


def matching(given: Mapping[str, str]) -> Matching:
    """Return which deliveries are meant; raises ``Refused`` for a value that none can have. An empty value asks for nothing."""
    asked = {name: given.get(name, "").strip() for name in FILTERS}
    standing = one_of(Standing, asked["standing"]) if asked["standing"] else None
    channel = one_of(ChannelName, asked["channel"]).value if asked["channel"] else None
    return Matching(
        authority=_fitting(_GSS, asked["authority"]),
        channel=channel,
        code=_fitting(_CODE, asked["code"]),
        standing=standing,
        ids=(uuid(asked["id"]),) if asked["id"] else (),
    )


def query_of(wanted: Matching) -> str:
    """Return what asks for these deliveries in an address."""
    return urlencode(fields_of(wanted))


def fields_of(wanted: Matching) -> dict[str, str]:
    """Return what asks for these deliveries in a form."""
    values = {
        "authority": wanted.authority,
        "channel": wanted.channel,
        "code": wanted.code,
        "standing": wanted.standing.value if wanted.standing else None,
        "id": str(wanted.ids[0]) if wanted.ids else None,
    }
    return {name: value for name, value in values.items() if value}


def uuid(text: str) -> UUID:
    """Return the id; raises ``Refused`` for what is none."""
    try:
        return UUID(text)
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None


def one_of(kind: type[E], text: str) -> E:
    """Return the member of that name; raises ``Refused`` where there is none."""
    try:
        return kind(text)
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None


def instant(text: str) -> datetime:
    """Return what a field for date and time holds, in UTC; raises ``Refused`` for what is none."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise Refused(Issue(Code.PARAMETER_INVALID)) from None


def _fitting(form: re.Pattern[str], text: str) -> str | None:
    if text and form.fullmatch(text) is None:
        raise Refused(Issue(Code.PARAMETER_INVALID))
    return text or None
