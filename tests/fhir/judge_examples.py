# SPDX-License-Identifier: MIT
"""Judges folders of FHIR that others wrote: ``python -m tests.fhir.judge_examples FOLDER…`` prints what the front door makes of each file.

Every JSON file is judged as it stands; each resource of a kind that a notification may carry is then put into one of ours, with its
references taken out, and its structure judged there. Ends with 1 if anything crashed or took over a second.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from notify_gateway.domain.errors import NotifyError
from notify_gateway.fhir import names
from notify_gateway.fhir.lifting import take_in
from notify_gateway.fhir.message import read_message
from notify_gateway.fhir.structure import check_structure
from tests.support.messages import a_message

LONGEST = 1.0
CARRIED = names.ENTRY_TYPES - {"MessageHeader"}


def judge(body: bytes, *, structure_alone: bool = False) -> set[str]:
    """Return the codes by which a body is refused, none where it is accepted so far; raises whatever is no refusal."""
    try:
        taken = take_in(body, max_bytes=5 * 1024 * 1024, max_message=256 * 1024)
        check_structure(taken.document)
        if not structure_alone:
            read_message(taken.document, taken.lifted)
    except NotifyError as error:
        return {issue.code for issue in error.issues}
    return set()


def wrapped(resource: dict[str, Any]) -> bytes:
    """Return a notification of ours that carries the resource; what it refers to is not in it, so references become words."""
    entry = {"fullUrl": "urn:uuid:00000000-0000-4000-8000-00000000feed", "resource": _detached(resource)}
    return a_message().having(lambda document: document["entry"].append(entry)).bytes()


def carried(document: Any) -> Iterator[dict[str, Any]]:
    """Give the resources of a document that a notification may carry."""
    if not isinstance(document, dict):
        return
    inside = [entry.get("resource") for entry in document.get("entry", ()) if isinstance(entry, dict)]
    for resource in (document, *inside):
        if isinstance(resource, dict) and resource.get("resourceType") in CARRIED:
            yield resource


def _detached(value: Any) -> Any:
    if isinstance(value, list):
        return [_detached(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _detached(item) for name, item in value.items() if name != "reference" or not isinstance(item, str) or item[:1] == "#"}
    return kept | ({"display": "elsewhere"} if len(kept) < len(value) and "display" not in kept else {})


def main(folders: list[str]) -> int:
    """Judge all folders, print a line for each kind of verdict, and return the exit status."""
    verdicts: Counter[str] = Counter()
    crashed = 0
    for file in sorted(path for folder in folders for path in Path(folder).rglob("*.json")):
        body, began = file.read_bytes(), time.process_time()
        try:
            verdicts[f"as it stands: {' '.join(sorted(judge(body))) or 'accepted'}"] += 1
            for resource in carried(_parsed(body)):
                codes = judge(wrapped(resource), structure_alone=True)
                verdicts[f"carried: {resource['resourceType']}: {' '.join(sorted(codes)) or 'accepted'}"] += 1
        except Exception as error:
            crashed += 1
            print(f"CRASHED {file}: {type(error).__name__}")
        if time.process_time() - began > LONGEST:
            crashed += 1
            print(f"SLOW {file}")
    for verdict, count in sorted(verdicts.items()):
        print(f"{count:6} {verdict}")
    return 1 if crashed or not verdicts else 0


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
