# SPDX-License-Identifier: MIT
"""What trusts and authorities have in common: tokens, and names that people will read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import facts, show, tell, warning
from notify_gateway.cli.service import opened, operator

if TYPE_CHECKING:
    from datetime import datetime

    from notify_gateway.store.parties import Token

Days = Annotated[int, typer.Option(min=1, max=3650, help="Days for which the token is valid.")]


def issue_token(kind: str, code: str, days: int, *, as_json: bool) -> None:
    """Make a token and print it, the only time that it can be seen."""
    from notify_gateway.use_cases import onboard

    with opened() as runtime:
        token = onboard.issue_token(runtime.gateway, kind=kind, code=code, lasts=timedelta(days=days), actor=operator())
    until = instant(token.expires_at)
    document = {"organisation": code, "token": token.text, "token_id": str(token.id), "expires_at": until}
    show(as_json, document, token.text, "", facts({"for": code, "token id": token.id, "valid until": until}))
    tell(warning("This is the only time that the token is shown. Hand it over by a way that only its owner reads."))


def standing(token: Token, now: datetime) -> str:
    """Return in a word or two how a token stands."""
    if token.revoked_at is not None:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.expires_at is not None and token.expires_at <= now:
        return f"expired {token.expires_at:%Y-%m-%d}"
    return f"valid until {token.expires_at:%Y-%m-%d}" if token.expires_at else "valid"


def instant(moment: datetime | None) -> str | None:
    """Return an instant as it is printed."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def readable(name: str) -> str:
    """Return an organisation's name; raises ``CommandFailed`` unless it is 1 to 200 characters that can be printed."""
    if not 1 <= len(name.strip()) <= 200 or not name.isprintable():
        raise CommandFailed(
            "The name cannot be used", "A name has 1 to 200 characters that can be printed.", "Give the name as it is written."
        )
    return name.strip()
