# SPDX-License-Identifier: MIT
"""What a command needs of the service: its settings, its open parts, and who is at the keyboard."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from notify_gateway.domain.clock import Clock
    from notify_gateway.runtime import Runtime
    from notify_gateway.settings import Settings
    from notify_gateway.use_cases.gateway import Core


@dataclass(frozen=True, slots=True)
class OpenBooks:
    """What bringing a trust on needs."""

    settings: Settings
    clock: Clock
    engine: Engine


def settings() -> Settings:
    """Return the settings of the environment; raises ``ValidationError``."""
    from notify_gateway.settings import Settings

    return Settings()


@contextmanager
def opened() -> Iterator[Runtime]:
    """Give the open service, and close it afterwards; raises what ``Runtime.open`` raises."""
    from notify_gateway.cli.logs import log_to_stderr
    from notify_gateway.runtime import Runtime

    chosen = settings()
    log_to_stderr(chosen.log_level)
    runtime = Runtime.open(chosen)
    try:
        yield runtime
    finally:
        runtime.close()


@contextmanager
def opened_core() -> Iterator[Core]:
    """Give what worker and scheduler need, and close it afterwards; raises what ``open_core`` raises."""
    from notify_gateway.cli.logs import log_to_stderr
    from notify_gateway.runtime import open_core

    chosen = settings()
    log_to_stderr(chosen.log_level)
    core = open_core(chosen)
    try:
        yield core
    finally:
        core.close()


@contextmanager
def opened_books() -> Iterator[OpenBooks]:
    """Give settings, clock and main database alone, for which nobody needs to be able to read the service's keys; close it afterwards."""
    from notify_gateway.cli.logs import log_to_stderr
    from notify_gateway.domain.clock import SystemClock
    from notify_gateway.store.engine import open_engine

    chosen = settings()
    log_to_stderr(chosen.log_level)
    engine = open_engine(chosen.main_url, pool_size=1)
    try:
        yield OpenBooks(chosen, SystemClock(), engine)
    finally:
        engine.dispose()


def make_data_dir(chosen: Settings) -> None:
    """Make the data folder, for its owner alone."""
    chosen.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def operator() -> str:
    """Return who acts, as the audit log names it: the account of the system, which the environment cannot feign."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"operator:{re.sub(r'[^A-Za-z0-9._-]', '-', name)[:60]}"
