# SPDX-License-Identifier: MIT
"""The operations that are the project's own; ``$process-message`` and ``$validate`` are FHIR's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from notify_gateway.fhir.definitions.canonical import Json, canonical

RECEIPT: Final = "task-receipt"
PROCESS_MESSAGES: Final = "process-messages"


def made() -> Iterator[Json]:
    """Yield every operation that the project defines."""
    yield canonical(
        "OperationDefinition", RECEIPT, "Receipt", "The proof that the acceptance of a notification is in the audit log, to verify offline."
    ) | {
        "kind": "operation",
        "affectsState": False,
        "code": "receipt",
        "resource": ["Task"],
        "system": False,
        "type": False,
        "instance": True,
        "parameter": [
            _out("leaf", "base64Binary", "The entry of the log, word for word."),
            _out("receipt", "string", "The proof of its place in the log (C2SP tlog-proof)."),
        ],
    }
    yield canonical(
        "OperationDefinition",
        PROCESS_MESSAGES,
        "Many messages",
        "Takes a back-book: one message to a line, each judged as $process-message judges it. The body and the answer are "
        "newline-delimited JSON (application/fhir+ndjson, application/x-ndjson) and stand for themselves, not in Parameters.",
    ) | {
        "kind": "operation",
        "affectsState": True,
        "code": "process-messages",
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [
            _part("messages", "in", "Binary", "The messages, each a Bundle on a line of its own."),
            _out("return", "Binary", "What each line came to, in their order; the last line sums up."),
        ],
    }


def _out(name: str, kind: str, meaning: str) -> Json:
    return _part(name, "out", kind, meaning)


def _part(name: str, use: str, kind: str, meaning: str) -> Json:
    return {"name": name, "use": use, "min": 1, "max": "1", "documentation": meaning, "type": kind}
