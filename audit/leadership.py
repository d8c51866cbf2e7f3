# SPDX-License-Identifier: MIT
"""The right to sequence: on PostgreSQL a session's advisory lock; on SQLite always held, because its writers take turns."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import DBAPIError


class Leadership:
    """Keeps sequencers of one log from racing each other; it saves work, while the log's keys and compare-and-set keep it right."""

    def __init__(self, engine: Engine, origin: str) -> None:
        self._engine = engine
        self._key = int.from_bytes(sha256(origin.encode()).digest()[:8], "big", signed=True)
        self._session: Connection | None = None

    @property
    def session(self) -> Connection | None:
        """Return the session that holds the lock: whatever it answers, it leads. None on SQLite, and while another leads."""
        return self._session

    def held(self) -> bool:
        """Say whether this process leads, after trying to."""
        if self._engine.dialect.name != "postgresql":
            return True
        if self._session is not None:
            # A lock is lost with its session, and only the session can tell.
            with suppress(DBAPIError):
                self._session.scalar(select(1))
                return True
            self.drop()
        session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            if session.scalar(select(func.pg_try_advisory_lock(self._key))):
                self._session = session
        finally:
            if self._session is None:
                session.close()
        return self._session is not None

    def drop(self) -> None:
        """Another may lead: the lock is gone with its session."""
        session, self._session = self._session, None
        if session is not None:
            session.invalidate()
            session.close()
