# SPDX-License-Identifier: MIT
"""The thin task: judge the ids, hand them to the courier. It raises nothing, for a task that fails would be told by Celery in full."""

from __future__ import annotations

import structlog
from celery import Celery

from workers.courier import Courier
from workers.message import TASK, MessageRefused, tell_refused, valid_ids
from workers.pulse import Pulse

_log = structlog.get_logger("workers.tasks")


def register(app: Celery, courier: Courier, pulse: Pulse) -> None:
    """Make ``app`` deliver through ``courier``; ``pulse`` is told of each task that starts and ends."""

    def deliver(*arguments: object, **keywords: object) -> None:
        with pulse.task():
            try:
                if len(arguments) != 1 or keywords:
                    raise MessageRefused("arguments")
                courier.deliver(valid_ids(arguments[0]))
            except MessageRefused as refused:
                tell_refused(refused.code)
            except Exception as error:
                _log.error("task-failed", error=type(error).__name__)

    app.task(deliver, name=TASK, typing=False, shared=False)
