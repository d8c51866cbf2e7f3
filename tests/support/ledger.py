# SPDX-License-Identifier: MIT
"""Which codes of the catalogue the tests have seen raised, across all processes of a run; a whole run that misses one fails.

A code counts when the product's own code raised it in the process of a test, or when the service answered it over HTTP. An error that a
test makes for itself does not count. A run of some of the tests judges nothing.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from notify_gateway.api.http import POLICY
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Issue, NotifyError

PRODUCT = ("audit", "mappings", "notify_gateway", "workers")
KEY = "codes_raised"
_CODE = re.compile(r"NG-[1-9]\d{3}")
_PASSED_THROUGH = ("__init__", "because")


class Ledger:
    """The codes seen so far."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def install(self) -> None:
        """Watch errors being made, and answers coming in, from now on."""
        NotifyError.__init__ = self._watching(NotifyError.__init__)  # type: ignore[method-assign]
        httpx2.Client.send = self._listening(httpx2.Client.send)  # type: ignore[method-assign]

    def missing(self) -> list[str]:
        """Return the codes that were never seen."""
        return sorted(set(Code) - self.seen)

    def _watching(self, make: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(make)
        def watched(error: NotifyError, *issues: Issue) -> None:
            make(error, *issues)
            if maker().split(".")[0] in PRODUCT:
                self.seen.update(str(issue.code) for issue in issues)

        return watched

    def _listening(self, send: Callable[..., httpx2.Response]) -> Callable[..., httpx2.Response]:
        @functools.wraps(send)
        def heard(client: httpx2.Client, request: httpx2.Request, **options: Any) -> httpx2.Response:
            response = send(client, request, **options)
            if response.is_closed and told_by_service(response):
                self.seen.update(_CODE.findall(response.text))
            return response

        return heard


def maker() -> str:
    """Return the module whose code makes the error that is being made."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_name in _PASSED_THROUGH:
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", ""))


def told_by_service(response: httpx2.Response) -> bool:
    """Tell whether this is an error that the service answered itself: JSON, under its own policy."""
    own = response.headers.get("content-security-policy") == POLICY
    return own and response.status_code >= 400 and "json" in response.headers.get("content-type", "")


def is_whole_run(config: pytest.Config) -> bool:
    """Tell whether nothing narrows the run: no path, no expression, no choice of the last failures."""
    options = config.option
    narrowed = options.keyword or options.deselect or getattr(options, "lf", False) or options.markexpr != "not long and not faults"
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not narrowed


LEDGER = Ledger()
