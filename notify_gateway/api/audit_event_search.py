# SPDX-License-Identifier: MIT
"""Search parameters of AuditEvent, read from a form body or an address (FHIR R4 search: date, reference by identifier, token)."""

from __future__ import annotations

import re

from notify_gateway.api.task_search import Fields, read_count, read_span, single
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.refs import is_reference
from notify_gateway.fhir import names
from notify_gateway.fhir.audit_event import PSEUDONYM_SYSTEM, Token, tags
from notify_gateway.use_cases.search_log import Asked

KNOWN = frozenset({"date", "entity", "agent", "type", "subtype", "_count", "_page"})
MOST_NOTIFICATIONS = 50

_NOTIFICATION = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PSEUDONYM = re.compile(r"(?:p[1-9][0-9]*|u)\.[0-9A-Za-z]{33}")
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_PAGE = re.compile(r"[0-9]{1,15}")


def read_search(fields: Fields, *, in_address: bool) -> Asked:
    """Return what the fields ask for; raises ``Refused`` for a parameter that is not known or malformed.

    An ``entity`` in an address must be one of our own ids: anything else, a pseudonym above all, is to be posted.
    """
    plain = {name.removesuffix(":identifier"): values for name, values in fields.items()}
    if not plain.keys() <= KNOWN or len(plain) != len(fields):
        raise Refused(Issue(Code.PARAMETER_UNKNOWN))
    since, until = read_span(plain.get("date", ()))
    about, pseudonym = _entity(plain, in_address=in_address)
    type_, subtype = (_token(plain, name) for name in ("type", "subtype"))
    page = next(iter(single(plain, "_page")), "0")
    agent = next(iter(single(plain, "agent")), None)
    if _PAGE.fullmatch(page) is None or (agent is not None and _AGENT.fullmatch(agent.rpartition("|")[2]) is None):
        raise _invalid()
    return Asked(
        names=tuple(sorted(name for name in plain if not name.startswith("_"))),
        tags=tuple(tags(type_, subtype)),
        count=read_count(single(plain, "_count")),
        after=int(page),
        since=since,
        until=until,
        notifications=about,
        pseudonym=pseudonym,
        agent=None if agent is None else agent.rpartition("|")[2],
    )


def _entity(fields: Fields, *, in_address: bool) -> tuple[tuple[str, ...] | None, str | None]:
    values = [each for value in single(fields, "entity") for each in value.split(",")]
    if not values:
        return None, None
    if len(values) > MOST_NOTIFICATIONS:
        raise _invalid()
    ours = [_ours(value) for value in values]
    if all(ours):
        return tuple(each for each in ours if each), None
    if in_address:
        raise Refused(Issue(Code.SEARCH_BY_POST))
    system, bar, value = values[0].rpartition("|")
    if len(values) > 1 or (bar and system != PSEUDONYM_SYSTEM) or _PSEUDONYM.fullmatch(value) is None:
        raise _invalid()
    return None, value


def _ours(value: str) -> str | None:
    system, bar, name = value.rpartition("|")
    if _NOTIFICATION.fullmatch(name) and (not bar or system == names.NOTIFICATION_SYSTEM):
        return name
    return name if is_reference(name) and (not bar or system == names.REFERENCE_SYSTEM) else None


def _token(fields: Fields, name: str) -> Token | None:
    value = next(iter(single(fields, name)), None)
    if value is None:
        return None
    system, bar, code = value.rpartition("|")
    if not code:
        raise _invalid()
    return (system if bar else None, code)


def _invalid() -> Refused:
    return Refused(Issue(Code.PARAMETER_INVALID))
