# SPDX-License-Identifier: MIT
"""The settings of metrics and traces: off unless they are set."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class TelemetrySettings(BaseSettings):
    """What can be set for metrics and traces; ``Settings`` holds them with all others."""

    metrics_port: Annotated[
        int | None,
        Field(
            ge=1024,
            le=65533,
            description="Loopback port at which a worker shows its metrics; the scheduler takes the next one, the sequencer the one after. "
            "Empty: none. The gateway has /metrics at its own port.",
        ),
    ] = None

    traces_url: Annotated[
        str | None,
        Field(
            description="Address of a collector (OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces) that takes traces of gateway, "
            "worker and sequencer; empty: none. They hold codes, counts and ids, and nothing of a child."
        ),
    ] = None

    @field_validator("traces_url")
    @classmethod
    def _plain_address(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "")
        if url and (parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None):
            raise ValueError("traces_url begins with https:// or http:// and holds neither name nor password of a user")
        return url

    @field_validator("metrics_port", "traces_url", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None
