# SPDX-License-Identifier: MIT
"""Writes the pages of ``docs/`` that are made from the code: settings, errors, states, events and metrics (a test compares them)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from audit.vocabulary import VOCABULARY
from notify_gateway.domain.catalogue import all_entries
from notify_gateway.domain.feedback import OUTCOMES, QUESTIONS, SEND_BACK_REASONS, Words
from notify_gateway.domain.lifecycle import TABLE
from notify_gateway.fhir.task import TOLD
from tools.metrics_page import metrics_page

DOCS = Path(__file__).resolve().parent.parent / "docs"
MADE = "<!-- Made from the code by `make generate`; change it there. -->\n\n"


def pages() -> dict[str, str]:
    """Return the text of each generated page by its file name."""
    return {
        "settings.md": settings_page(),
        "errors.md": errors_page(),
        "states.md": states_page(),
        "events.md": events_page(),
        "metrics.md": metrics_page(MADE),
    }


def settings_page() -> str:
    """Return the table of settings."""
    shown = subprocess.run([sys.executable, "-m", "notify_gateway.cli.main", "config", "docs"], capture_output=True, check=True, text=True)
    return f"# Settings\n\n{MADE}{shown.stdout}"


def errors_page() -> str:
    """Return the catalogue of errors, one section per code."""
    lines = [f"# Errors\n\n{MADE}Codes are stable for ever; their words may improve. No answer ever repeats a value of the message.\n"]
    for item in all_entries():
        again = "The very same request may succeed later." if item.retry else "The same request will be answered the same."
        lines.append(f"## {item.code.value} · {item.title}\n")
        lines.append(f"HTTP {item.status} · FHIR `{item.issue}` · BaRS `{item.rec}` · since {item.since}\n")
        lines.append(f"{item.why}\n\n**Fix:** {item.fix} {again}\n")
    return "\n".join(lines)


def states_page() -> str:
    """Return the life of a delivery."""
    lines = [
        f"# States of a delivery\n\n{MADE}Fetching is not receiving; receiving is a machine's word, acknowledging a person's. "
        "Late is reckoned, never stored.\n",
        "| state | meaning | the trust's Task | counts as | may become |",
        "|---|---|---|---|---|",
    ]
    for state, facts in TABLE.items():
        following = ", ".join(f"`{each.value}`" for each in sorted(facts.next)) or "nothing"
        lines.append(f"| `{state.value}` | {facts.meaning} | `{facts.task_status}` | {facts.counts_as.value} | {following} |")
    lines += _words("What the Task tells, in `output` and in its history", "code", {told.value: said for told, said in TOLD.items()})
    lines += _words("Outcomes that an authority records", "outcome", {each.value: said for each, said in OUTCOMES.items()})
    lines += _words("Questions that an authority asks", "question", {each.value: said for each, said in QUESTIONS.items()})
    lines += _words("Reasons for sending back", "reason", {each.value: said for each, said in SEND_BACK_REASONS.items()})
    return "\n".join(lines) + "\n"


def _words(title: str, column: str, words: Mapping[str, Words]) -> list[str]:
    rows = [f"| `{code}` | {said.label} | {said.meaning} |" for code, said in words.items()]
    return [f"\n## {title}\n", f"| {column} | called | meaning |", "|---|---|---|", *rows]


def events_page() -> str:
    """Return the vocabulary of the audit log."""
    lines = [
        f"# Events of the audit log\n\n{MADE}Every value is an id, a code or a whole number; free text and names find no way in.\n",
        "| event | class | sentence | fields |",
        "|---|---|---|---|",
    ]
    for row in VOCABULARY.values():
        fields = ", ".join([f"`{name}`" for name in row.fields] + [f"{name}" for name in row.optional]) or "none"
        lines.append(f"| `{row.tag}` | {row.klass.value} | {row.sentence} | {fields} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the pages that differ from the code."""
    for name, text in pages().items():
        path = DOCS / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"docs/{name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
