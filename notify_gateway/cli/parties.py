# SPDX-License-Identifier: MIT
"""What trusts, authorities and information governance have in common: tokens, and names that people will read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import Json, facts, show, tell, warning
from notify_gateway.cli.service import opened, operator

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from notify_gateway.runtime import Runtime
    from notify_gateway.store.parties import Client, Token

Days = Annotated[int, typer.Option(min=1, max=3650, help="Days for which the token is valid.")]
TokenId = Annotated[str, typer.Argument(metavar="TOKEN_ID", help="The token's id, as issue and list show it.")]


def issue_token(kind: str, code: str, days: int, *, as_json: bool) -> None:
    """Make a token and print it, the only time that it can be seen."""
    from notify_gateway.use_cases import onboard

    with opened() as runtime:
        token = onboard.issue_token(runtime.gateway, kind=kind, code=code, lasts=timedelta(days=days), actor=operator())
    until = instant(token.expires_at)
    document = {"organisation": code, "token": token.text, "token_id": str(token.id), "expires_at": until}
    show(as_json, document, token.text, "", facts({"for": code, "token id": token.id, "valid until": until}))
    tell(warning("This is the only time that the token is shown. Hand it over by a way that only its owner reads."))


def revoke_token(token_id: str, *, as_json: bool) -> None:
    """Revoke a token of anybody; raises ``CommandFailed`` for what is no id of a token."""
    from uuid import UUID

    from notify_gateway.use_cases import onboard

    try:
        wanted = UUID(token_id)
    except ValueError:
        raise CommandFailed("That is no token id", "A token id is a UUID; it is not the token.", "Find it in the list of tokens.") from None
    with opened() as runtime:
        onboard.revoke_token(runtime.gateway, token_id=wanted, actor=operator())
    show(as_json, {"revoked": str(wanted)}, f"Revoked {wanted}.")


@dataclass(frozen=True, slots=True)
class TokenStanding:
    """A token by its id, and in a word or two how it stands."""

    id: UUID
    standing: str


def tokens_of(runtime: Runtime, kind: str) -> list[tuple[Client, list[TokenStanding]]]:
    """Return the clients of a kind by code, each with its tokens, oldest first."""
    from notify_gateway.store import parties
    from notify_gateway.store.engine import reading

    now = runtime.gateway.clock.now()
    with reading(runtime.gateway.engine).begin() as connection:
        held = [(client, parties.list_tokens(connection, client.id)) for client in parties.list_clients(connection, kind)]
    return [(client, [TokenStanding(token.id, _standing(token, now)) for token in tokens]) for client, tokens in held]


def as_documents(tokens: Iterable[TokenStanding]) -> list[Json]:
    """Return tokens as JSON values."""
    return [{"token_id": str(each.id), "standing": each.standing} for each in tokens]


def as_lines(tokens: Iterable[TokenStanding]) -> str:
    """Return tokens as lines of a cell."""
    return "\n".join(f"{each.id}  {each.standing}" for each in tokens) or "none"


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


def _standing(token: Token, now: datetime) -> str:
    if token.revoked_at is not None:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.expires_at is None:
        return "valid"
    return f"{'expired' if token.expires_at <= now else 'valid until'} {token.expires_at:%Y-%m-%d}"
