# SPDX-License-Identifier: MIT
"""The worked examples as a folder: one file for each message, a README that tells what each shows, a list for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from notify_gateway.cli.examples.children import CHILDREN, Child, Example, Sender, worked_examples
from notify_gateway.domain.catalogue import entry
from notify_gateway.fhir import names

LIST = "examples.json"
README = "README.md"

Found: TypeAlias = list[tuple[Child, str, Example]]


@dataclass(frozen=True, slots=True)
class Written:
    """A file of the folder, and the answer that it gets."""

    file: str
    child: str
    shows: str
    status: int
    code: str | None


def write(folder: Path, sender: Sender) -> list[Written]:
    """Write fresh examples into ``folder``, over those that are there, and return them in the order in which they are to be sent."""
    folder.mkdir(parents=True, exist_ok=True)
    written, found = [], list(worked_examples(sender))
    for child, file, example in found:
        (folder / file).write_text(example.draft.text(), encoding="utf-8")
        written.append(Written(file, child.name, example.shows, example.status, example.code.value if example.code else None))
    listed = [{"file": each.file, "shows": each.shows, "status": each.status, "code": each.code} for each in written]
    (folder / LIST).write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    (folder / README).write_text(_readme(sender, found), encoding="utf-8")
    return written


def _readme(sender: Sender, found: Found) -> str:
    return "\n".join([*_introduction(sender), *_stories(found), *_sending()]) + "\n"


def _introduction(sender: Sender) -> list[str]:
    return [
        "# Worked examples",
        "",
        f"Whole notifications about invented children, as {sender.ods} would send them for a home in {sender.home.town}. They were made on",
        f"{sender.now:%-d %B %Y} and stay lawful after it. Each has ids of its own, and a message is accepted once: to send them again,",
        "write them again with `notify-gateway examples write`.",
        "",
        f"The message is `{names.EVENT}`, version 1. Send the files of one child in their order, each with fresh `X-Request-ID` and",
        "`X-Correlation-ID`; `examples.json` lists the same for machines.",
        "",
    ]


def _stories(found: Found) -> list[str]:
    lines = []
    for child in CHILDREN:
        lines += [f"## {child.story}", "", "| file | what it shows | the gateway answers |", "|---|---|---|"]
        lines += [f"| {file} | {example.shows} | {_answer(example)} |" for own, file, example in found if own is child]
        lines.append("")
    return lines


def _answer(example: Example) -> str:
    if example.code is None:
        return f"{example.status}, and a Task"
    known = entry(example.code)
    return f"{example.status} `{known.code.value}`: {known.title}"


def _sending() -> list[str]:
    return [
        "## Send one",
        "",
        "```sh",
        'curl -i "$GATEWAY/fhir/R4/\\$process-message" --data-binary @01-amina-1-new.json \\',
        '  -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/fhir+json" \\',
        '  -H "X-Request-ID: $(uuidgen)" -H "X-Correlation-ID: $(uuidgen)"',
        "```",
    ]
