# SPDX-License-Identifier: MIT
"""Members of staff: who has signed in, as what, and where; entering, closing and signing out. Each change is in the log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, facts, show, table
from notify_gateway.cli.parties import instant, readable
from notify_gateway.cli.service import opened_books, operator
from notify_gateway.domain.staff import Role

if TYPE_CHECKING:
    from uuid import UUID

    from notify_gateway.cli.service import OpenBooks
    from notify_gateway.credentials.providers import Provider
    from notify_gateway.store.staff import Member

app = typer.Typer(no_args_is_help=True, help="See who signs in, as what; enter, close and sign out members of staff.")

_ORGANISATION = re.compile(r"[EWSN]\d{8}|[A-Z0-9]{3,10}")
MemberId = Annotated[str, typer.Argument(metavar="ID", help="The member's id, as list shows it; the log names people by it.")]
Roles = Annotated[list[Role], typer.Option("--role", help="A role; repeat for several.")]
Organisation = Annotated[str, typer.Option("--organisation", help="GSS code of an authority, or ODS code.")]


@app.command("list")
def list_staff(
    organisation: Annotated[str | None, typer.Option("--organisation", help="Only those of this GSS or ODS code.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the members of staff with their roles and when they last signed in.

    Example: notify-gateway staff list --organisation E06000004
    """
    from notify_gateway.use_cases import staff

    with opened_books() as books:
        members = staff.list_members(books, organisation=organisation)
    rows = [
        (each.organisation, each.name, ", ".join(sorted(each.roles)), instant(each.last_at) or "never", _standing(each), each.id)
        for each in members
    ]
    columns = ("Organisation", "Name", "Roles", "Last signed in", "Standing", "Id")
    show(as_json, [_document(each) for each in members], table(columns, rows) if rows else "Nobody has signed in or was entered.")


@app.command()
def add(
    subject: Annotated[str, typer.Argument(help="The person's id at the provider: oid at Entra ID, sub at CIS2. No e-mail address.")],
    provider: Annotated[str, typer.Option(help="Id of the provider, as in the file of providers.")],
    organisation: Organisation,
    role: Roles,
    name: Annotated[str, typer.Option(help="How colleagues know them; replaced at the first sign-in.")] = "Member of staff",
    tenant: Annotated[str | None, typer.Option(help="Tenant, where the provider has several.")] = None,
    as_json: AsJson = False,
) -> None:
    """Enter somebody with roles that stay until they are changed here, whatever their provider says.

    Example: notify-gateway staff add 5f2c… --provider stockton --organisation E06000004 --role officer
    """
    from notify_gateway.use_cases import staff

    _require_fits(organisation, role)
    if "@" in subject or not 1 <= len(subject) <= 255:
        raise CommandFailed("That is no id of a person", "E-mail addresses pass to others.", "Give the oid (Entra ID) or the sub (CIS2).")
    with opened_books() as books:
        found = _provider(books, provider)
        if len(found.tenants) > 1 and tenant not in found.tenants:
            raise CommandFailed("Which tenant?", "The provider has several, and an id is of one of them.", "Give --tenant.")
        member = staff.add_member(
            books,
            provider=found,
            organisation=organisation,
            subject=subject,
            roles=role,
            actor=operator(),
            tenant=tenant,
            name=readable(name)[:120],
        )
    show(as_json, _document(member), facts({"id": member.id, "organisation": organisation, "roles": ", ".join(sorted(member.roles))}))


@app.command()
def roles(member_id: MemberId, role: Roles, as_json: AsJson = False) -> None:
    """Give somebody these roles and no others, whatever their provider says from now on.

    Example: notify-gateway staff roles 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11 --role officer --role manager
    """
    from notify_gateway.use_cases import staff

    with opened_books() as books:
        wanted = _id(member_id)
        _require_fits(next((each.organisation for each in staff.list_members(books) if each.id == wanted), "E00000000"), role)
        member = staff.change_roles(books, member_id=wanted, roles=role, actor=operator())
    show(as_json, _document(member), f"{member.id} is now {', '.join(sorted(member.roles))}.")


@app.command()
def close(member_id: MemberId, as_json: AsJson = False) -> None:
    """Close somebody's access for good. Their sessions end at once.

    Example: notify-gateway staff close 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11
    """
    from notify_gateway.use_cases import staff

    wanted = _id(member_id)
    with opened_books() as books:
        ended = staff.close_member(books, member_id=wanted, actor=operator())
    show(as_json, {"closed": str(wanted), "sessions_ended": ended}, f"Closed {wanted}; sessions ended: {ended}.")


@app.command()
def sessions(as_json: AsJson = False) -> None:
    """List the sessions that go on.

    Example: notify-gateway staff sessions
    """
    from notify_gateway.use_cases import staff

    with opened_books() as books:
        held = staff.list_sessions(books)
    document: list[Json] = [
        {
            "session_id": str(session.id),
            "person": str(member.id),
            "organisation": member.organisation,
            "began_at": instant(session.created_at),
            "seen_at": instant(session.seen_at),
            "ends_at": instant(session.expires_at),
        }
        for session, member in held
    ]
    rows = [(member.organisation, member.name, instant(session.seen_at), session.id) for session, member in held]
    show(as_json, document, table(("Organisation", "Name", "Last seen", "Session"), rows) if rows else "Nobody is signed in.")


@app.command("sign-out")
def sign_out(
    member_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Everywhere, this member.")] = None,
    session: Annotated[str | None, typer.Option(help="One session, by its id.")] = None,
    organisation: Annotated[str | None, typer.Option("--organisation", help="Everybody of this GSS or ODS code.")] = None,
    as_json: AsJson = False,
) -> None:
    """End sessions at once: one, all of a member, or all of an organisation.

    Example: notify-gateway staff sign-out 6f1f0a52-6a0e-4b7e-9a53-0c0d6f1f3a11
    """
    from notify_gateway.use_cases import staff, staff_sessions

    if sum(each is not None for each in (member_id, session, organisation)) != 1:
        raise CommandFailed("Who is to be signed out?", "One of ID, --session and --organisation says it.", "Give one of them.")
    with opened_books() as books:
        if organisation is not None:
            ended = staff_sessions.revoke(books, organisation=organisation, actor=operator())
        else:
            wanted = _id(member_id or session or "")
            owner = [
                (each, member) for each, member in staff.list_sessions(books) if wanted == (member.id if member_id is not None else each.id)
            ]
            ended = sum(
                staff_sessions.revoke(books, organisation=member.organisation, actor=operator(), session_id=each.id)
                for each, member in owner
            )
    show(as_json, {"sessions_ended": ended}, f"Sessions ended: {ended}.")


def _provider(books: OpenBooks, provider_id: str) -> Provider:
    from notify_gateway.use_cases.staff_providers import Providers

    found = Providers(books.settings, books.clock).get(provider_id)
    if found is None:
        raise CommandFailed(
            "There is no such provider",
            "The file of providers has none of that id.",
            "See NOTIFY_GATEWAY_STAFF_PROVIDERS and docs/staff.md.",
        )
    return found


def _require_fits(organisation: str, roles: list[Role]) -> None:
    authority = organisation[0] in "EWSN" and organisation[1:].isdigit() and len(organisation) == 9
    if _ORGANISATION.fullmatch(organisation) is None or (not authority and {Role.OFFICER, Role.MANAGER} & set(roles)):
        raise CommandFailed(
            "That does not fit the organisation",
            "Officers and managers are of a local authority, which has a GSS code; others may have an ODS code.",
            "Give the organisation's code, such as E06000004.",
        )


def _id(text: str) -> UUID:
    from uuid import UUID

    try:
        return UUID(text)
    except ValueError:
        raise CommandFailed("That is no id", "Ids are UUIDs.", "Find it with notify-gateway staff list or staff sessions.") from None


def _standing(member: Member) -> str:
    return "closed" if member.closed_at is not None else "roles by the register" if member.roles_from == "register" else "open"


def _document(member: Member) -> dict[str, Json]:
    return {
        "id": str(member.id),
        "organisation": member.organisation,
        "name": member.name,
        "provider": member.provider,
        "roles": sorted(member.roles),
        "roles_from": member.roles_from,
        "last_signed_in_at": instant(member.last_at),
        "leave_until": member.leave_until.isoformat() if member.leave_until else None,
        "closed_at": instant(member.closed_at),
    }
