# SPDX-License-Identifier: MIT
"""The answer of ``$process-messages``: a result for each line that was not blank, in order, and a summary that adds up."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import httpx2

from notify_gateway.cli.conformance.case import Bulk, Post
from notify_gateway.domain.catalogue import Code

KEPT: Final = ("location", "reference", "authority", "promise")
"""What a sender is given of a message that is kept, now or before."""


def lines_of(response: httpx2.Response, step: Bulk) -> tuple[str, list[str], dict[str, Any] | None]:
    """Return the results in short, what is wrong with them, and the last one that was accepted."""
    try:
        *results, end = [json.loads(line) for line in response.text.split("\n") if line]
        summary = end["summary"]
    except (ValueError, KeyError, TypeError):
        return "no summary", ["the answer does not end with a summary"], None
    told = ", ".join(" ".join(str(each[name]) for name in ("status", "code") if name in each) for each in results) or "none"
    wanted = [(number, line) for number, line in enumerate(step.lines, 1) if isinstance(line, Post)]
    if len(results) != len(wanted):
        return told, [f"{len(results)} results for {len(wanted)} lines"], None
    faults = [fault for (number, line), result in zip(wanted, results, strict=True) for fault in _of_line(number, line, result)]
    if summary != (adds_up := _summary([line for _, line in wanted])):
        faults.append(f"the summary is {summary}, not {adds_up}")
    accepted = [result for result in results if result.get("status") == 202]
    return f"lines: {told}", faults, accepted[-1] if accepted and not faults else None


def _of_line(number: int, line: Post, result: dict[str, Any]) -> list[str]:
    faults = [] if result.get("line") == number else [f"the result of line {number} is of line {result.get('line')}"]
    if result.get("status") != line.status:
        faults.append(f"line {number}: the status is {result.get('status')}, not {line.status}")
    found = [each.get("code") for each in result.get("issues", ())]
    if line.code is not None and line.code.value not in found:
        faults.append(f"line {number}: {line.code.value} is not named: {', '.join(map(str, found)) or 'no code is'}")
    if _is_kept(line) and not all(isinstance(result.get(name), str) for name in KEPT):
        faults.append(f"line {number}: it is kept, and not all of {', '.join(KEPT)} are told")
    return faults


def _is_kept(line: Post) -> bool:
    return line.status == 202 or line.code is Code.DUPLICATE


def _summary(lines: list[Post]) -> dict[str, int | bool]:
    count = Counter("accepted" if each.status == 202 else "duplicate" if each.code is Code.DUPLICATE else "refused" for each in lines)
    counted = {name: count[name] for name in ("accepted", "duplicate", "refused")}
    return {"lines": len(lines), **counted, "unsettled": 0, "complete": True}
