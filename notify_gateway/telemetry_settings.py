# SPDX-License-Identifier: MIT
"""The settings of metrics: off unless they are set."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class TelemetrySettings(BaseSettings):
    """What can be set for metrics; ``Settings`` holds them with all others."""

    metrics_port: Annotated[
        int | None,
        Field(
            ge=1024,
            le=65533,
            description="Loopback port at which a worker shows its metrics; the scheduler takes the next one, the sequencer the one after. "
            "Empty: none. The gateway has /metrics at its own port.",
        ),
    ] = None

    @field_validator("metrics_port", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None
