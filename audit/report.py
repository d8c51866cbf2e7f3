# SPDX-License-Identifier: MIT
"""A finding, told to people and to programs: text, a page that needs nothing beside itself, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape

from audit.findings import Entry

IN_ORDER, REFUSED, UNUSABLE, BROKEN = range(4)
_VERDICTS = {IN_ORDER: "In order", REFUSED: "Not proven", UNUSABLE: "Nothing was checked", BROKEN: "Something is wrong"}
_STYLE = (
    "body{font:1.1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.6rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid grey}"
    "dt{font-weight:bold}@media print{body{margin:0}}"
)


class Form(StrEnum):
    """How a report is written."""

    TEXT = "text"
    HTML = "html"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Report:
    """One finding: the exit code, what was found in plain English, the facts, entries that matter, and how far the proof reaches."""

    code: int
    finding: str
    facts: Mapping[str, object] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    proves: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()

    def write(self, form: Form) -> str:
        """Return the report in the form, with a line end."""
        forms: dict[Form, Callable[[], str]] = {Form.TEXT: self._text, Form.HTML: self._html, Form.JSON: self._json}
        return forms[form]() + "\n"

    def _json(self) -> str:
        document = {"code": self.code, "in_order": self.code == IN_ORDER, "finding": self.finding, **self.facts}
        if self.entries:
            document["entries"] = [
                {
                    "index": entry.index,
                    "at": entry.event.at.isoformat(),
                    "event": entry.event.tag,
                    "actor": entry.event.actor,
                    "subject": entry.event.subject,
                    "fields": dict(entry.event.fields),
                    "sentence": entry.event.sentence(),
                }
                for entry in self.entries
            ]
        return json.dumps(document | {"proves": list(self.proves), "does_not_prove": list(self.unproven)})

    def _text(self) -> str:
        parts = [self.finding]
        parts += [f"  {entry.index:>8}  {entry.event.at:%Y-%m-%d %H:%M:%S}  {entry.event.sentence()}" for entry in self.entries]
        for title, claims in (("This proves:", self.proves), ("It does not prove:", self.unproven)):
            if claims:
                parts += ["", title, *(f"  - {claim}" for claim in claims)]
        return "\n".join(parts)

    def _html(self) -> str:
        rows = "".join(
            f"<tr><td>{entry.index}</td><td>{entry.event.at:%d %b %Y %H:%M:%S}</td><td>{escape(entry.event.sentence())}</td></tr>"
            for entry in self.entries
        )
        table = f"<table><thead><tr><th>Entry<th>UTC<th>What happened</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
        facts = "".join(f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(str(value))}</dd>" for name, value in self.facts.items())
        claims = "".join(
            f"<h2>{title}</h2><ul>{''.join(f'<li>{escape(claim)}</li>' for claim in told)}</ul>"
            for title, told in (("This proves", self.proves), ("It does not prove", self.unproven))
            if told
        )
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{_VERDICTS[self.code]} - audit log</title><style>{_STYLE}</style>"
            f"<h1>{_VERDICTS[self.code]}</h1><p>{escape(self.finding)}</p><dl>{facts}</dl>{table}{claims}</html>"
        )
