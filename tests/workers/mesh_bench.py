# SPDX-License-Identifier: MIT
"""The bench of MESH: NHS England's sandbox behind a wire, and the mailbox of an authority, which tells what arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import orjson

from notify_gateway.domain.delivery import AttemptOutcome
from notify_gateway.domain.route import Route
from tests.support.mesh import ROUTE, MeshSandbox, Wire, shared_mesh
from workers.channels.mesh import MeshChannel
from workers.channels.mesh_mailbox import MeshMailbox
from workers.channels.protocol import Channel


class MeshBench:
    """MESH: NHS England's sandbox at the far end of a wire, and the mailbox of an authority that applies once by delivery id."""

    success = AttemptOutcome.OFFERED

    def __init__(self, sandbox: MeshSandbox, wire: Wire) -> None:
        self._sandbox, self._wire = sandbox, wire

    def make(self) -> Channel:
        access = self._sandbox.access(url=self._wire.url, timeout=20)
        return MeshChannel(access, lambda: MeshMailbox(access))

    def good(self) -> Route:
        return ROUTE

    def broken(self) -> Mapping[str, Route]:
        mailboxes = {"unknown": "X26NOBODY", "error": Wire.ERROR, "garbage": Wire.GARBAGE, "reset": Wire.RESET}
        return {how: ROUTE | {"mailbox": mailbox} for how, mailbox in mailboxes.items()}

    def hanging(self) -> Route | None:
        return ROUTE | {"mailbox": Wire.HANG}

    def is_hanging(self) -> bool:
        return self._wire.hanging.is_set()

    def applied(self) -> Counter[UUID] | None:
        """Read what waits in the authority's mailbox; each message is of one delivery, under the authority's workflow."""
        arrived = [each for each in self._sandbox.arrived() if each.body]
        assert {each.workflow for each in arrived} <= {ROUTE["workflow"]}
        documents = [document for each in arrived if isinstance(document := _json(each.body), dict)]
        return Counter(UUID(document["delivery_id"]) for document in documents)


def _json(body: bytes | None) -> object:
    try:
        return orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        return None


@contextmanager
def mesh_bench(_: Path) -> Iterator[MeshBench]:
    """Lend the bench; the sandbox is the test run's own, emptied."""
    sandbox = shared_mesh()
    sandbox.reset()
    wire = Wire(sandbox)
    try:
        yield MeshBench(sandbox, wire)
    finally:
        wire.close()
