# SPDX-License-Identifier: MIT
"""The settings of handing over: leases, how often it is tried, when people have to look, and when an authority is left in peace."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings


class DeliverySettings(BaseSettings):
    """What can be set for deliveries, whatever their channel; ``Settings`` holds them with all others."""

    lease: Annotated[timedelta, Field(description="How long a worker may hold a delivery without renewing.")] = timedelta(seconds=15)
    rehint_after: Annotated[timedelta, Field(description="After how long a due delivery that nobody took is hinted again.")] = timedelta(
        seconds=3
    )
    retry_first: Annotated[timedelta, Field(description="Delay before the second attempt of a delivery; doubles, with jitter.")] = (
        timedelta(seconds=2)
    )
    retry_most: Annotated[
        timedelta, Field(description="Longest delay between two attempts, and longest time for which a receiver's Retry-After is heeded.")
    ] = timedelta(minutes=15)
    most_attempts: Annotated[
        int,
        Field(ge=1, description="Failed attempts of one delivery after which people have to look; those of a dead receiver do not count."),
    ] = 20
    longest_age: Annotated[
        timedelta, Field(gt=timedelta(0), description="Age at which a delivery that fails is tried no more until people have looked.")
    ] = timedelta(days=7)
    circuit_after: Annotated[
        int, Field(ge=1, description="Failures of an authority in a row after which only one probe at a time goes out to it.")
    ] = 5
    circuit_first: Annotated[timedelta, Field(description="First pause before a probe; doubles with each that fails, with jitter.")] = (
        timedelta(seconds=2)
    )
    circuit_most: Annotated[timedelta, Field(description="Longest pause between two probes.")] = timedelta(minutes=2)
    most_under_way: Annotated[
        int, Field(ge=1, description="Deliveries of one authority hinted or under way at once; each of a worker's 8 tasks takes up to 64.")
    ] = 256
