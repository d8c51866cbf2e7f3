# SPDX-License-Identifier: MIT
"""Storms: nothing is lost and nothing applied twice, whatever is killed, in whatever order and however often, while notifications come."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from tests.faults.storm import Storm, check
from tests.support.service import RunningService
from tests.support.services import PrivatePostgres, PrivateRedis

SEED = random.SystemRandom().randrange(1_000_000)


def kills(service: RunningService, broker: PrivateRedis) -> dict[str, Callable[[], None]]:
    """Kill -9 of each part, of the broker and of everything at once; and the broker's memory wiped."""

    def flush() -> None:
        try:
            broker.flushall()
        except redis.RedisError:
            return  # it is being started again, and so empty already

    def everything() -> None:
        for process in (*service.processes.values(), broker.process):
            process.kill9(group=True)

    each = {f"kill {name}": lambda process=process: process.kill9(group=True) for name, process in service.processes.items()}
    return {**each, "kill redis": broker.kill9, "flush redis": flush, "kill everything": everything}


@pytest.mark.faults
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [SEED, 1, 2])
def test_500_notifications_survive_kills_of_every_part_with_any_seed(
    service: RunningService, private_redis: PrivateRedis, seed: int
) -> None:
    storm = Storm(service, kills(service, private_redis), seed=seed, seconds=40)
    storm.run()
    check(storm)


@pytest.mark.faults
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [SEED])
def test_500_notifications_survive_kills_of_the_database_too(
    tmp_path: Path, private_postgres: PrivatePostgres, private_redis: PrivateRedis, seed: int
) -> None:
    main, shred = private_postgres.create_database(), private_postgres.create_database()
    with RunningService(
        tmp_path / "it", database_url=main, shred_url=shred, broker_url=private_redis.url, alongside=[private_redis.process]
    ) as service:
        faults = {**kills(service, private_redis), "kill postgres": private_postgres.restart}
        storm = Storm(service, faults, seed=seed, seconds=40)
        storm.run()
        check(storm)
