# SPDX-License-Identifier: MIT
"""An opened notification as text, as a spreadsheet and as a sheet of A4 (PDF/UA-1, ISO 14289-1). For the authority's own machine only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any
from uuid import UUID

import typst

from notify_gateway.privacy.sheet import OpenedNotification, need_words, sheet_of
from notify_gateway.privacy.spreadsheet import as_csv

_VIEW_COLUMNS = ("reference", "notification_id", "event", "child_pseudonym", "needs", "opinion_formed_on", "parent_informed_on")
_MORE_VIEW_COLUMNS = ("discussion_offered_on", "sent_on", "parent_view", "sender", "flags")


def card_text(opened: OpenedNotification) -> str:
    """Return the notification as plain text, for a terminal."""
    sheet = sheet_of(opened)
    lines = [f"{sheet.reference}  {sheet.about}", ""]
    lines += [f"! {title.upper()}: {words}" for title, words in sheet.banners]
    for section in sheet.sections:
        lines += ["", section.heading, "-" * len(section.heading)]
        for number, group in enumerate(section.groups):
            lines += [""] if number else []
            lines += [line for label, texts in group for line in _labelled(label, texts)]
    return "\n".join(lines) + "\n"


def cards_csv(opened: Sequence[OpenedNotification]) -> bytes:
    """Return one row per notification in UTF-8 with a byte order mark, every cell quoted, as spreadsheets read it without asking.

    No cell can start a formula: one that would is preceded by an apostrophe, an international telephone number among them.
    """
    return rows_csv([card_row(one) for one in opened])


def rows_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Return what ``card_row`` and ``view_row`` gave as one spreadsheet, as ``cards_csv`` does."""
    return as_csv(list(dict.fromkeys([*_VIEW_COLUMNS, *_MORE_VIEW_COLUMNS, *(name for row in rows for name in row)])), rows)


def card_row(opened: OpenedNotification) -> dict[str, str]:
    """Return the notification as cells by column: its view, and all that the card says."""
    row = view_row(reference=opened.reference, notification_id=opened.notification_id, event=opened.event, view=opened.view)
    return row | dict(_flat(opened.card.reveal(), "card"))


def card_pdf(opened: OpenedNotification) -> bytes:
    """Return the notification as a tagged PDF. Its words reach the template as data and are never read as markup.

    A name in letters that no font of the machine has cannot be PDF/UA; then the sheet is still tagged but makes no such claim.
    """
    template = resources.files("notify_gateway.privacy").joinpath("sheet.typ").read_bytes()
    inputs = {"sheet": json.dumps(asdict(sheet_of(opened)))}
    try:
        return _compiled(template, inputs, ["ua-1"])
    except typst.TypstError:
        return _compiled(template, inputs, [])


def _compiled(template: bytes, inputs: dict[str, str], standards: list[typst.PDFStandard]) -> bytes:
    pdf = typst.compile(template, format="pdf", sys_inputs=inputs, pdf_standards=standards)
    if not isinstance(pdf, bytes):
        raise TypeError("a sheet is one document")
    return pdf


def view_row(*, reference: str, notification_id: UUID, event: str, view: Mapping[str, Any]) -> dict[str, str]:
    """Return as cells by column what is known of a notification without opening it: of a withdrawal, all that there is."""
    dates = ("opinion_formed_on", "parent_informed_on", "discussion_offered_on", "sent_on")
    return {
        "reference": reference,
        "notification_id": str(notification_id),
        "event": event,
        "child_pseudonym": view["child"],
        "needs": "; ".join(need_words(view)),
        **{name: view[name] or "" for name in dates},
        "parent_view": view["parent_view"],
        "sender": view["sender"],
        "flags": " ".join(view["flags"]),
    }


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield ``(dotted name, text)`` of every value in a JSON value; lists of texts are joined, other lists numbered from 1."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{name}.{key}")
    elif isinstance(value, list | tuple):
        if all(isinstance(item, str) for item in value):
            yield name, ", ".join(value)
        else:
            for position, item in enumerate(value, start=1):
                yield from _flat(item, f"{name}.{position}")
    elif value is not None:
        yield name, ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _labelled(label: str, texts: tuple[str, ...]) -> Iterator[str]:
    if not label:
        yield from texts
        return
    for position, text in enumerate(texts):
        yield f"{'' if position else label + ':':<24}{text}"
