# SPDX-License-Identifier: MIT
"""The log lines of a process: JSON, one to a line, on standard error; of an exception only its kind, for its text may quote a message."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def log_to_stderr(level: str) -> None:
    """Send the lines of this service from ``level`` up, and of the libraries from warnings up, to standard error."""
    least = LEVELS.get(level.lower(), logging.INFO)
    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True), _only_its_kind]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(least, logging.WARNING))
    logging.getLogger("audit").setLevel(least)
    # It warns that the broker in memory has no host name.
    logging.getLogger("kombu.connection").setLevel(logging.ERROR)


def _only_its_kind(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    told = line.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    if isinstance(told, tuple):
        told = told[1]
    if isinstance(told, BaseException):
        line["error"] = type(told).__name__
    line.pop("stack_info", None)
    return line
