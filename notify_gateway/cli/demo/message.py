# SPDX-License-Identifier: MIT
"""The messages of the demonstration: the packaged example made fresh, so that it may be sent again and again. The child is made up."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any
from uuid import uuid4

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|T)")
_NUMBER = "2026-000123"
_PARENT_INFORMED = "parent-informed"
NAME = "send_notification_new.json"


@dataclass(frozen=True, slots=True)
class Home:
    """Where the child of a message lives, and who answers for it; ``nhs_number`` is of the range that nobody has."""

    gss: str
    council: str
    town: str
    postcode: str
    nhs_number: str


STOCKTON = Home("E06000004", "Stockton-on-Tees Borough Council", "Stockton-on-Tees", "TS18 1LD", "9990548609")
MIDDLESBROUGH = Home("E06000002", "Middlesbrough Council", "Middlesbrough", "TS1 2QJ", "9990000026")


def template() -> dict[str, Any]:
    """Return the packaged example."""
    document: dict[str, Any] = json.loads(resources.files("notify_gateway.cli.data").joinpath(NAME).read_bytes())
    return document


def fresh(home: Home, now: datetime) -> dict[str, Any]:
    """Return the example with ids of its own, sent yesterday, for a child who lives at ``home``.

    All days move together, the birthday included, so that the law judges it today as it did when it was written.
    """
    message = template()
    days = (now - timedelta(days=1)).date() - date.fromisoformat(message["timestamp"][:10])
    number = f"{now.year}-{secrets.randbelow(10**9):09}"
    renamed: dict[str, str] = {}

    def renew(text: str) -> str:
        text = _UUID.sub(lambda found: renamed.setdefault(found[0], str(uuid4())), text).replace(_NUMBER, number)
        return _DAY.sub(lambda found: (date.fromisoformat(found[0]) + days).isoformat(), text)

    moved: dict[str, Any] = _each_text(message, renew)
    _move_to(home, moved)
    return moved


def without_informed_parent(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message as a trust would send it that has not told the parent: section 23(2) forbids it."""
    kept = [entry for entry in message["entry"] if _PARENT_INFORMED not in json.dumps(entry["resource"].get("category", ""))]
    gone = {entry["fullUrl"] for entry in message["entry"]} - {entry["fullUrl"] for entry in kept}
    focus = kept[1]["resource"]
    about = [each for each in focus["about"] if each["reference"] not in gone]
    return {**message, "entry": [kept[0], {**kept[1], "resource": {**focus, "about": about}}, *kept[2:]]}


def traces(message: dict[str, Any]) -> list[str]:
    """Return what identifies the family of the message: names, NHS number, date of birth, address, telephone numbers, words."""
    found: list[str] = []
    for resource in (entry["resource"] for entry in message["entry"]):
        if resource["resourceType"] in ("Patient", "RelatedPerson"):
            for name in resource["name"]:
                found += [name["family"], *name["given"]]
            found += [each["value"] for each in resource.get("telecom", ())]
        if resource["resourceType"] == "Patient":
            home = resource["address"][0]
            found += [resource["identifier"][0]["value"], resource["birthDate"], home["postalCode"], *home["line"]]
        found += [each["contentString"] for each in resource.get("payload", ())]
    return list(dict.fromkeys(found))


def _move_to(home: Home, message: dict[str, Any]) -> None:
    for resource in (entry["resource"] for entry in message["entry"]):
        match resource["resourceType"]:
            case "Patient":
                resource["identifier"][0]["value"] = home.nhs_number
                resource["address"][0] |= {"city": home.town, "postalCode": home.postcode}
            case "Organization" if resource["identifier"][0]["value"] == STOCKTON.gss:
                resource["identifier"][0]["value"], resource["name"] = home.gss, home.council
            case "MessageHeader":
                resource["destination"][0]["name"] = home.council


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _each_text(item, change) for key, item in value.items()}
    return value
