# SPDX-License-Identifier: MIT
"""The baseline's one table."""

from __future__ import annotations

import os
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Engine, create_engine, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All mapped classes."""


class Notification(Base):
    """A message as it came in, and when it was delivered."""

    __tablename__ = "notification"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    body: Mapped[bytes]
    accepted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


def open_engine() -> Engine:
    """Return an engine for the database that the environment names."""
    return create_engine(os.environ["BASELINE_DATABASE"])
