# SPDX-License-Identifier: MIT
"""The log's side of time stamps: once a period a token over the newest checkpoint. It delays nothing and stops nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine, Table, insert
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from audit.cosigning import Ask, Unreachable
from audit.events import micros
from audit.note import NoteRefused
from audit.reading import latest_signed, read_head
from audit.tables import AuditTables
from audit.timestamp_token import TokenRefused, query_for, require_ours
from audit.timestamped import due_since

LOGGER = logging.getLogger("audit.timestamping")
_FIRST_WAIT, _LONGEST_WAIT = 60.0, 3600.0


class Stamper:
    """Keeps the log stamped by one time-stamping authority. One that is away is asked again, less and less often.

    Any number may run on one database. Two that ask at once both get a token, and the first is kept.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        tables: AuditTables,
        timestamps: Table,
        url: str,
        every: timedelta,
        ask: Ask,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._tables, self._timestamps = engine, tables, timestamps
        self._url, self._every, self._ask, self._now, self._clock = url, every // timedelta(microseconds=1), ask, now, clock
        self._reading = engine.execution_options(reading=True)
        self._not_before, self._wait, self._failure = 0.0, _FIRST_WAIT, ""

    def run_once(self) -> bool:
        """Have the newest checkpoint stamped if a stamp is due, and keep the reply; return whether one was kept."""
        at = micros(self._now())
        with self._reading.begin() as connection:
            due = due_since(connection, self._tables, self._timestamps, self._every)
            newest, epoch = latest_signed(connection, self._tables), read_head(connection, self._tables).epoch
        if newest is None or due is None or at < due or self._clock() < self._not_before:
            return False
        try:
            query = query_for(newest.note)
            answer = self._ask(self._url, query.body)
            if answer.status != 200:
                raise TokenRefused("the authority answers with another status than 200")
            require_ours(query, answer.body)
        except (Unreachable, TokenRefused, NoteRefused) as error:
            self._failed("the authority cannot be reached" if isinstance(error, Unreachable) else str(error))
            return False
        row = {"epoch": epoch, "size": newest.size, "requested_at": at, "reply": answer.body}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(self._timestamps), row)
        except IntegrityError:
            LOGGER.debug("the checkpoint is stamped already")
            return False
        LOGGER.info("the checkpoint of %d entries is stamped", newest.size)
        self._not_before, self._wait, self._failure = 0.0, _FIRST_WAIT, ""
        return True

    def run_forever(self, stop: threading.Event, every: float) -> None:
        """Run until ``stop`` is set, ``every`` seconds apart; wait out a database that is away."""
        while not stop.wait(every):
            try:
                self.run_once()
            except SQLAlchemyError as error:
                LOGGER.warning("no time stamp is asked for: %s", type(error).__name__)

    def _failed(self, why: str) -> None:
        self._not_before, self._wait = self._clock() + self._wait, min(_LONGEST_WAIT, 2 * self._wait)
        if why != self._failure:
            LOGGER.warning("no time stamp: %s", why)
        self._failure = why
