# SPDX-License-Identifier: MIT
"""A JUnit report, as continuous integration reads it: a suite, its cases, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml


@dataclass(frozen=True, slots=True)
class Case:
    """One case; ``failure`` is empty where it passed, and ``detail`` says more of it, line by line."""

    name: str
    group: str
    failure: str = ""
    detail: str = ""


def write_junit(path: Path, suite: str, cases: Sequence[Case]) -> None:
    """Write the report to ``path``; raises ``OSError``."""
    counts = {"tests": str(len(cases)), "failures": str(sum(bool(case.failure) for case in cases)), "errors": "0"}
    root = Xml.Element("testsuites", counts)
    holder = Xml.SubElement(root, "testsuite", {"name": suite, **counts})
    for case in cases:
        element = Xml.SubElement(holder, "testcase", {"name": case.name, "classname": case.group})
        if case.failure:
            Xml.SubElement(element, "failure", {"message": case.failure}).text = case.detail
        elif case.detail:
            Xml.SubElement(element, "system-out").text = case.detail
    Xml.indent(root)
    path.write_bytes(Xml.tostring(root, "utf-8", xml_declaration=True) + b"\n")
