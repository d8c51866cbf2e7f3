# SPDX-License-Identifier: MIT
"""What an authority decides for its own inbox: days, reveal window, how the trusts reach it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update

from audit.events import Event
from audit.log import append
from notify_gateway.domain.case_clock import Bucket
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, Refused
from notify_gateway.domain.policy import Act, require
from notify_gateway.domain.staff import Person
from notify_gateway.store.cases import CaseRow, Cases
from notify_gateway.store.row_level import scoped
from notify_gateway.store.staff import Members
from notify_gateway.store.tables import audit_tables, case_tables
from notify_gateway.use_cases.gateway import Gateway
from notify_gateway.use_cases.inbox.placing import placed

_DAYS: Final = ("acknowledge_days", "allocate_days", "contact_days", "outcome_days")
_MOST_WORDS: Final = 200
_EMAIL: Final = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_PHONE: Final = re.compile(r"[0-9+() -]{0,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings:
    """An authority's own rules. Days are working days; there is no acknowledging by itself, for that is a person's word."""

    acknowledge_days: int = 2
    allocate_days: int = 5
    contact_days: int = 10
    outcome_days: int = 20
    reveal_window: timedelta = timedelta(minutes=30)
    restricted_contact: str = "Contact through the social worker or the trust."
    service_email: str = ""
    service_phone: str = ""
    safeguarding_phone: str = ""
    sendiass_name: str = ""
    """What the area's information, advice and support service for parents is called; parents are told of it on paper."""
    sendiass_phone: str = ""
    planning_only: bool = False
    """A notification here does not by itself lead to contact with the family."""
    changed_by: str | None = None
    changed_at: datetime | None = None


def show_settings(gateway: Gateway, by: Person) -> InboxSettings:
    """Return the rules of the person's authority. Raises ``NotAllowed``."""
    require(by, Act.READ_INBOX)
    with scoped(gateway.engine, by.organisation, reading=True) as connection:
        return settings_of(connection, by.organisation)


def settings_of(connection: Connection, authority: str) -> InboxSettings:
    """Return the rules of the authority, those that hold where it has made none among them."""
    s = case_tables.settings.c
    row = connection.execute(select(case_tables.settings).where(s.authority == authority)).one_or_none()
    if row is None:
        return InboxSettings()
    values = {name: getattr(row, name) for name in InboxSettings.__slots__ if name not in ("reveal_window", "changed_by")}
    who = Members(connection, authority).names([row.changed_by]).get(row.changed_by)
    return InboxSettings(**values, reveal_window=timedelta(minutes=row.reveal_minutes), changed_by=who)


def save_settings(gateway: Gateway, *, by: Person, settings: InboxSettings) -> InboxSettings:
    """The authority's rules are these from now on; open cases get their days anew. For managers.

    Raises ``NotAllowed``, and ``Refused`` for days out of 1 to 120, a window out of 5 to 60 minutes, or words that are too long.
    """
    require(by, Act.CHANGE_SETTINGS)
    _check(settings)
    now = gateway.clock.now()
    with scoped(gateway.engine, by.organisation) as connection:
        s = case_tables.settings.c
        left_out = ("reveal_window", "changed_by", "changed_at")
        values: dict[str, Any] = {name: getattr(settings, name) for name in InboxSettings.__slots__ if name not in left_out}
        values |= {"reveal_minutes": settings.reveal_window // timedelta(minutes=1), "changed_by": by.id, "changed_at": now}
        if connection.execute(update(case_tables.settings).where(s.authority == by.organisation).values(values)).rowcount == 0:
            connection.execute(insert(case_tables.settings), [values | {"authority": by.organisation}])
        days = {name.removesuffix("_days"): getattr(settings, name) for name in _DAYS}
        told: dict[str, str | int] = days | {"reveal": values["reveal_minutes"], "planning": "yes" if settings.planning_only else "no"}
        append(connection, audit_tables, [Event("inbox:changed", at=now, actor=by.actor, subject=by.organisation, fields=told)])
        _reckon_anew(connection, by.organisation)
        return replace(settings, changed_by=by.name, changed_at=now)


def _check(settings: InboxSettings) -> None:
    minutes = settings.reveal_window / timedelta(minutes=1)
    sound = (
        all(1 <= getattr(settings, name) <= 120 for name in _DAYS),
        5 <= minutes <= 60 and minutes == int(minutes),
        all(len(each) <= _MOST_WORDS and each.isprintable() for each in (settings.restricted_contact, settings.sendiass_name)),
        not settings.service_email or (len(settings.service_email) <= _MOST_WORDS and _EMAIL.fullmatch(settings.service_email)),
        all(_PHONE.fullmatch(each) for each in (settings.service_phone, settings.safeguarding_phone, settings.sendiass_phone)),
    )
    if not all(sound):
        raise Refused(Issue(Code.INBOX_RULES))


def _reckon_anew(connection: Connection, authority: str) -> None:
    """Give every open case the day that follows from the rules as they are now."""
    c = case_tables.cases.c
    cases = Cases(connection, authority)
    rules = cases.rules()
    open_ = select(case_tables.cases).where(c.authority == authority, c.bucket != Bucket.FINISHED.value).order_by(c.id).with_for_update()
    for row in connection.execute(open_).all():
        case = CaseRow(**row._mapping)
        anew = placed(case, rules)
        if anew != case:
            cases.save(anew)
