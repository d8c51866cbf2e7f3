# SPDX-License-Identifier: MIT
"""The result of a run: for people as a table, for machines as JSON, for a build server as cases of JUnit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from notify_gateway.cli.conformance.player import Result
from notify_gateway.cli.junit import Case as JunitCase
from notify_gateway.cli.output import Json, table


@dataclass(frozen=True, slots=True)
class Report:
    """What was played where, by whom, and what came of it."""

    url: str
    version: str
    ods: str
    results: Sequence[Result]

    @property
    def failed(self) -> list[Result]:
        """Return the results of the cases that failed."""
        return [result for result in self.results if not result.passed]

    def sentence(self) -> str:
        """Return the outcome in one line."""
        failed, seconds = len(self.failed), sum(result.seconds for result in self.results)
        return f"{len(self.results)} cases: {len(self.results) - failed} passed, {failed} failed, in {seconds:.1f} s"

    def rows(self) -> Table:
        """Return a row for each case."""
        verdicts = {True: Text("pass", "green"), False: Text("FAIL", "bold red")}
        return table(
            ("Case", "Expected", "Got", ""),
            [(each.case.name, each.case.expected, ", then ".join(each.got), verdicts[each.passed]) for each in self.results],
        )

    def complaints(self) -> list[str]:
        """Return what is wrong, a line for each fault, with where the demand comes from."""
        return [f"{each.case.name} ({each.case.source}): {fault}" for each in self.failed for fault in each.faults]

    def document(self) -> dict[str, Json]:
        """Return the report as JSON values."""
        return {
            "url": self.url,
            "version": self.version,
            "sender": self.ods,
            "passed": len(self.results) - len(self.failed),
            "failed": len(self.failed),
            "cases": [
                {
                    "name": each.case.name,
                    "title": each.case.title,
                    "source": each.case.source,
                    "expected": each.case.expected,
                    "got": ", then ".join(each.got),
                    "passed": each.passed,
                    "faults": list(each.faults),
                    "seconds": round(each.seconds, 3),
                }
                for each in self.results
            ],
        }

    def junit(self) -> list[JunitCase]:
        """Return a case of JUnit for each."""
        return [
            JunitCase(each.case.title, each.case.group, "; ".join(each.faults), f"expected {each.case.expected} ({each.case.source})")
            for each in self.results
        ]
