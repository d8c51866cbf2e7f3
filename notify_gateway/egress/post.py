# SPDX-License-Identifier: MIT
"""Asking those whom the operator names, witnesses and a time-stamping authority: how long, and how much, they may answer."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import httpx2

from audit.cosigning import Answer, Unreachable

MOST_BYTES = 64 * 1024
WITHIN = 10.0
"""Seconds for the whole of an answer."""
EACH_STEP = 4.0


class PostClient:
    """Posts over kept connections: no redirects, no proxy of the environment, answers bounded in size and time."""

    def __init__(self, media: str = "text/plain; charset=utf-8") -> None:
        """Send bodies of the given media type."""
        self._client = httpx2.Client(
            timeout=EACH_STEP,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "notify-gateway", "Accept-Encoding": "identity", "Content-Type": media},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def ask(self, url: str, body: bytes) -> Answer:
        """Return the answer; raises ``Unreachable`` when there is none, or none within the bounds."""
        until, received = time.monotonic() + WITHIN, bytearray()
        try:
            with self._client.stream("POST", url, content=body) as answer:
                for chunk in answer.iter_raw():
                    received += chunk
                    if len(received) > MOST_BYTES or time.monotonic() > until:
                        raise Unreachable
                return Answer(answer.status_code, answer.headers.get("content-type", ""), bytes(received))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise Unreachable from error
