# SPDX-License-Identifier: MIT
"""What the front door answers, read by tests; and many callers at once."""

from __future__ import annotations

import threading
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import httpx2


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a 202 says."""

    task_id: str
    reference: str
    authority: str
    leaf: bytes
    promise: str
    receipt: str | None

    @classmethod
    def of(cls, response: httpx2.Response) -> Self:
        """Return what the response says; raises ``AssertionError`` unless it is a 202."""
        assert response.status_code == 202, (response.status_code, response.text)
        said = {part["url"]: next(iter(v for k, v in part.items() if k != "url")) for part in response.json()["extension"][0]["extension"]}
        task_id = response.headers["location"].rsplit("/", 1)[1]
        return cls(task_id, said["reference"], said["authority"], b64decode(said["leaf"]), said["promise"], said.get("receipt"))


def issue_codes(response: httpx2.Response) -> list[str]:
    """Return the catalogue codes that an error answer names: of an OperationOutcome or of problem details."""
    body = response.json()
    if body.get("resourceType") != "OperationOutcome":
        return [body["code"]]
    return [
        coding["code"] for issue in body["issue"] for coding in issue.get("details", {}).get("coding", ()) if coding["code"][:3] == "NG-"
    ]


def in_parallel(count: int, act: Callable[[int], object]) -> None:
    """Call ``act(0)`` to ``act(count - 1)`` at once, each in a thread of its own; raises the first error."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(index: int) -> None:
        try:
            barrier.wait(30)
            act(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
