# SPDX-License-Identifier: MIT
"""What has to be done from time to time, whoever asks first; doing it twice changes nothing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from audit.events import Event, micros
from audit.log import append
from notify_gateway.store import shred, sign_in, staff
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases.gateway import Core
from notify_gateway.use_cases.inbox.catch_up import catch_up

ORPHAN_AFTER = timedelta(minutes=10)
"""A shred key is durable before its message, so a crash between the two leaves a key that protects nothing."""
LOOK_BACK = timedelta(days=2)
TOKENS_KEPT = timedelta(hours=1)
"""A short token is told for a while that it has expired, and is then unknown."""
SESSIONS_KEPT = timedelta(hours=8)

QUIET = timedelta(days=1)
"""A log in which nothing happened for so long says so by an entry, and thus by a fresh checkpoint."""


def sweep_orphan_keys(core: Core) -> int:
    """Delete the shred keys of the last days whose message was never committed; return how many."""
    now = core.clock.now()
    return shred.sweep_orphans(core.shred_engine, core.engine, since=now - LOOK_BACK, before=now - ORPHAN_AFTER)


def forget_expired_sign_ins(core: Core) -> int:
    """Delete tokens and assertions that have expired, and return how many; and what ended sessions and sign-ins of people left."""
    now = core.clock.now()
    with core.engine.begin() as connection:
        staff.forget(connection, now=now, sessions_before=now - SESSIONS_KEPT)
        return sign_in.forget_before(connection, now=now, tokens_before=now - TOKENS_KEPT)


def tidy_up(core: Core) -> None:
    """What has expired is forgotten, and what lies offered in an inbox is in a case."""
    forget_expired_sign_ins(core)
    catch_up(core)


def say_that_it_is_quiet(core: Core) -> bool:
    """Append an entry if the log has had none for a day; tell whether it was so. A log in which nothing ever happened stays empty."""
    now = core.clock.now()
    with reading(core.engine).begin() as connection:
        leaf, pending = audit_tables.leaf.c, audit_tables.pending.c
        waiting = connection.scalar(select(func.max(pending.created_at)))
        last = connection.scalar(select(leaf.created_at).order_by(leaf.idx.desc()).limit(1))
    if waiting is not None or last is None or last > micros(now - QUIET):
        return False
    with core.engine.begin() as connection:
        append(connection, audit_tables, [Event("log:quiet", at=now, actor="service", subject=core.settings.log_origin)])
    return True
