# SPDX-License-Identifier: MIT
"""Bringing an authority and its keys on by two people: one proposes, another compares outside the service and approves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.authority_options import ChannelOf, CustodyOf, Gss, Kid, Parts, Url, gss_code, route_of
from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, facts, show, table, tell, warning
from notify_gateway.cli.parties import instant
from notify_gateway.cli.service import opened_books, operator

if TYPE_CHECKING:
    from notify_gateway.store.proposals import Proposal


def propose(gss: Gss, custody: CustodyOf, channel: ChannelOf, url: Url = None, route: Parts = None, as_json: AsJson = False) -> None:
    """Propose to put an authority on the service, or to change its custody, channel or route: the first of two people.

    Example: notify-gateway authorities propose E06000004 --custody authority-held --channel pull
    """
    from mappings.authorities import Directory
    from notify_gateway.use_cases import two_people

    code, parts = gss_code(gss), route_of(url, route)
    with opened_books() as books:
        made = two_people.propose_settings(
            books, directory=Directory.load(), gss=code, custody=custody.value, channel=channel.value, route=parts, actor=operator()
        )
    show(as_json, _document(made), facts(_told(made)))
    tell(
        warning("Nothing has changed yet."),
        "Next, by a second person with an account of their own: read what is proposed (notify-gateway authorities proposals), have the",
        "authority confirm it on a number that you know, and type the code that stands beside it:",
        f"notify-gateway authorities approve {code} --code '…'",
    )


def approve(
    gss: Gss,
    code: Annotated[str, typer.Option(help="The code that stands beside the proposal which you have read and had confirmed.")],
    as_json: AsJson = False,
) -> None:
    """Approve what somebody else proposed for an authority: the second of two people. It holds from now on.

    Example: notify-gateway authorities approve E06000004 --code '7K2M 9QXR …'
    """
    from notify_gateway.use_cases.two_people import about_authority

    done = _approved(about_authority(gss_code(gss)), code)
    said = f"Approved: {_gist(done)}."
    show(as_json, _document(done), said, f"Next: notify-gateway authorities key propose FILE.pub, or authorities token {done.authority}")


def refuse(gss: Gss, as_json: AsJson = False) -> None:
    """Refuse what was proposed for an authority, or withdraw it; nothing changes, and the log says who did so.

    Example: notify-gateway authorities refuse E06000004
    """
    from notify_gateway.use_cases.two_people import about_authority

    _refused(about_authority(gss_code(gss)), as_json=as_json)


def proposals(as_json: AsJson = False) -> None:
    """List what waits for a second person: authorities with their code, keys without their fingerprint, which the authority tells."""
    from notify_gateway.store import proposals as kept
    from notify_gateway.store.engine import reading

    with opened_books() as books, reading(books.engine).begin() as connection:
        waiting = kept.waiting(connection, now=books.clock.now())
    rows = [
        (each.authority, _gist(each), _code(each) or "the authority reads it out", each.proposed_by, instant(each.expires_at))
        for each in waiting
    ]
    columns = ("Authority", "Proposed", "Code or fingerprint", "By", "Lapses")
    document: list[Json] = [_document(each, fingerprint=_code(each)) for each in waiting]
    show(as_json, document, table(columns, rows) if rows else "Nothing waits for a second person.")


def propose_key(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.pub]", help="The public key file that the authority sent.")] = None,
    retire: Annotated[str | None, typer.Option(metavar="KID", help="Instead: seal nothing more to this key.")] = None,
    as_json: AsJson = False,
) -> None:
    """Propose to seal to a further public key of an authority, or to no longer seal to one: the first of two people.

    Example: notify-gateway authorities key propose E06000004.working.pub
    Example: notify-gateway authorities key propose --retire working-d6dbdbda0ea9
    """
    from notify_gateway.privacy.keys import RecipientPublicKey, load
    from notify_gateway.use_cases import two_people

    if (file is None) == (retire is None):
        raise CommandFailed("Which key?", "A key is registered from a file, or retired by its id.", "Give FILE.pub, or --retire KID.")
    key = None if file is None else load(file, RecipientPublicKey)
    with opened_books() as books:
        if key is not None:
            made = two_people.propose_key(books, key=key, actor=operator())
        else:
            made = two_people.propose_retirement(books, kid=retire or "", actor=operator())
    show(as_json, _document(made, fingerprint=made.fingerprint), facts(_told(made)))
    tell(
        warning("Nothing has changed yet."),
        "Next, by a second person with an account of their own: telephone the authority on a number from another source than the file,",
        f"have the fingerprint read out, and type what you hear: notify-gateway authorities key approve {made.subject} --fingerprint '…'",
    )


def approve_key(
    kid: Kid,
    fingerprint: Annotated[str, typer.Option(help="The fingerprint that the authority read out to you, on a number that you knew before.")],
    as_json: AsJson = False,
) -> None:
    """Approve the key, or its retirement, that somebody else proposed: the second of two people. Any other fingerprint is refused.

    Example: notify-gateway authorities key approve working-d6dbdbda0ea9 --fingerprint '9F86 D081 …'
    """
    done = _approved(kid, fingerprint)
    show(as_json, _document(done, fingerprint=done.fingerprint), f"Approved: {_gist(done)}.", "Next: notify-gateway authorities list")


def refuse_key(kid: Kid, as_json: AsJson = False) -> None:
    """Refuse what was proposed about a key, or withdraw it; nothing changes, and the log says who did so.

    Example: notify-gateway authorities key refuse working-d6dbdbda0ea9
    """
    _refused(kid, as_json=as_json)


def _approved(subject: str, typed: str) -> Proposal:
    from mappings.authorities import Directory
    from notify_gateway.use_cases import two_people

    with opened_books() as books:
        return two_people.approve(books, directory=Directory.load(), subject=subject, fingerprint=typed, actor=operator())


def _refused(subject: str, *, as_json: bool) -> None:
    from notify_gateway.use_cases import two_people

    with opened_books() as books:
        done = two_people.refuse(books, subject=subject, actor=operator())
    show(as_json, _document(done), f"Refused: {_gist(done)}. Nothing has changed.")


def _code(each: Proposal) -> str | None:
    from notify_gateway.use_cases.two_people import SETTINGS

    return each.fingerprint if each.act == SETTINGS else None


def _gist(each: Proposal) -> str:
    from notify_gateway.use_cases.two_people import content_of

    content = content_of(each)
    if _code(each) is None:
        return f"{each.act} of key {each.subject} ({content['purpose']})"
    route = content["route"]
    assert isinstance(route, dict)
    parts = "".join(f"\n{name}: {_shown(name, value)}" for name, value in sorted(route.items()))
    return f"{content['name']}: {content['custody']}, {content['channel']}{parts}"


def _shown(name: str, value: object) -> str:
    """Return a part of a route as two people can compare it: of a host key the fingerprint that ssh shows."""
    from base64 import b64decode, b64encode
    from hashlib import sha256

    if name != "host_key":
        return str(value)
    kind, _, blob = str(value).partition(" ")
    digest = b64encode(sha256(b64decode(blob + "=" * (-len(blob) % 4))).digest()).decode().rstrip("=")
    return f"{kind} SHA256:{digest}"


def _told(each: Proposal) -> dict[str, object]:
    label = "fingerprint" if _code(each) is None else "code"
    return {"authority": each.authority, "proposed": _gist(each), label: each.fingerprint, "lapses": instant(each.expires_at)}


def _document(each: Proposal, *, fingerprint: str | None = None) -> dict[str, Json]:
    from notify_gateway.use_cases.two_people import content_of

    return {
        "authority": each.authority,
        "act": each.act,
        "subject": each.subject,
        # Who approves a key hears its fingerprint from the authority: nothing here is to be copied from.
        "content": {name: value for name, value in content_of(each).items() if name != "public"},
        "code": _code(each),
        "fingerprint": fingerprint if _code(each) is None else None,
        "proposed_by": each.proposed_by,
        "expires_at": instant(each.expires_at),
    }
