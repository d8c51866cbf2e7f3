# SPDX-License-Identifier: MIT
"""Writes ``notify_gateway/api/data/samples.json``: what the pages show of the tests' bad messages and of the example messages.

Each code that a bad message of the tests provokes gets what stands there in that message, and what stands there in a good one.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fhir.bad_messages import CASES, Case, build
from tests.fhir.spoiling import steps
from tests.support import messages
from tests.support.messages import UUID, a_message

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "notify_gateway" / "api" / "data" / "samples.json"
EXAMPLES = ("new", "update", "delete")
MOST_NAMES = 4
MOST_LINES = 16
MOST_CHARACTERS = 88
LEFT_OUT = "…"
FRESH = re.compile(r"\b(SN|L)-[0-9a-f]{10,12}\b")


def samples() -> str:
    """Return the text of the file. The same code gives the same text: what is random in a message is replaced."""
    found: dict[str, dict[str, Any]] = {}
    with _first_child_each_time() as begin_anew:
        for case in CASES:
            sample = found.setdefault(case.code.value, {"cases": []})
            if len(sample["cases"]) < MOST_NAMES:
                sample["cases"].append(case.name)
            if "wrong" not in sample:
                begin_anew()
                sample |= _spoilt(case)
    examples = {name: json.loads((ROOT / "examples" / f"send_notification_{name}.json").read_text(encoding="utf-8")) for name in EXAMPLES}
    return json.dumps({"errors": dict(sorted(found.items())), "examples": examples}, ensure_ascii=False, indent=1) + "\n"


@contextmanager
def _first_child_each_time() -> Iterator[Any]:
    kept = messages._numbers

    def begin_anew() -> None:
        messages._numbers = itertools.count()

    try:
        yield begin_anew
    finally:
        messages._numbers = kept


def _spoilt(case: Case) -> dict[str, str]:
    try:
        wrong = json.loads(build(case))
    except (ValueError, RecursionError):
        return {}
    if case.expression is None or not isinstance(wrong, dict):
        return {}
    right = a_message(0).data
    *parents, last = steps(case.expression.removeprefix("Bundle."))
    shown = [_shown(_around(document, parents, last)) for document in (wrong, right)]
    if shown[0] == shown[1] or not shown[0]:
        return {}
    return {"place": case.expression, "wrong": shown[0], "right": shown[1]}


def _around(document: Any, parents: list[str | int], last: str | int) -> Any:
    """Return the element at fault under its name, or all of what it is missing from."""
    for step in parents:
        document = _at(document, step)
    value = _at(document, last)
    if value is None or isinstance(last, int):
        return document if value is None else value
    return {last: value}


def _at(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def _shown(value: Any) -> str:
    for depth in (9, 4, 3, 2, 1):
        text = json.dumps(_cut(value, depth), ensure_ascii=False, indent=2)
        if text.count("\n") < MOST_LINES:
            break
    ids: dict[str, str] = {}
    text = UUID.sub(lambda match: ids.setdefault(match[0], f"00000000-0000-4000-8000-{len(ids) + 1:012d}"), text)
    return "" if text in ("null", "{}") else FRESH.sub(r"\1-2026-0417", text)


def _cut(value: Any, depth: int) -> Any:
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return value[:MOST_CHARACTERS] + LEFT_OUT
    if isinstance(value, dict):
        return {key: _cut(item, depth - 1) for key, item in value.items()} if depth else LEFT_OUT
    if isinstance(value, list):
        return [_cut(item, depth - 1) for item in value] if depth else LEFT_OUT
    return value


def main() -> int:
    """Write the file if it differs from the code."""
    text = samples()
    if not SAMPLES.exists() or SAMPLES.read_text(encoding="utf-8") != text:
        SAMPLES.write_text(text, encoding="utf-8")
        print(f"{SAMPLES.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
