# SPDX-License-Identifier: MIT
"""Settings of how long the audit log is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings


class LogSettings(BaseSettings):
    """What can be set of closed logs."""

    log_kept: Annotated[
        timedelta | None,
        Field(
            gt=timedelta(0),
            description="How long the entries of a closed log are kept, from its closing on, before they may be deleted; empty: for ever.",
        ),
    ] = None
