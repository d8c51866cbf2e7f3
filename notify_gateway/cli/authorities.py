# SPDX-License-Identifier: MIT
"""Local authorities on the service's side: channel, custody, public keys compared by fingerprint, tokens."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli import alerts
from notify_gateway.cli import authority_proposals as proposing
from notify_gateway.cli.authority_options import ChannelOf, Custody, CustodyOf, Gss, Kid, Parts, Url, gss_code, route_of
from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, Words, facts, show, table, warning
from notify_gateway.cli.parties import Days, as_documents, as_lines, issue_token, tokens_of
from notify_gateway.cli.service import opened, operator, settings

if TYPE_CHECKING:
    from notify_gateway.store.parties import Receiver

app = typer.Typer(no_args_is_help=True, help="Bring local authorities on to the service, with their keys and tokens.")
key_app = typer.Typer(no_args_is_help=True, help="Register and retire an authority's public keys.")
app.add_typer(key_app, name="key")
app.add_typer(alerts.app, name="alerts")
for named in (proposing.propose, proposing.approve, proposing.refuse, proposing.proposals):
    app.command()(named)
for name, command in (("propose", proposing.propose_key), ("approve", proposing.approve_key), ("refuse", proposing.refuse_key)):
    key_app.command(name)(command)


@app.command()
def register(
    gss: Gss,
    custody: CustodyOf,
    channel: ChannelOf,
    url: Url = None,
    route: Parts = None,
    as_json: AsJson = False,
) -> None:
    """Put an authority on the service, or change its custody, channel or route; in a live deployment: propose and approve, by two people.

    Example: notify-gateway authorities register E06000004 --custody authority-held --channel pull
    Example: notify-gateway authorities register E06000004 --custody authority-held --channel mesh \\
    --route mailbox=X26ABC2 --route workflow=SEND_NOTIFICATION
    """
    from notify_gateway.use_cases import onboard

    code, parts = gss_code(gss), route_of(url, route)
    with opened() as runtime:
        onboard.register_authority(runtime.gateway, gss=code, custody=custody.value, channel=channel.value, route=parts, actor=operator())
        receiver = runtime.gateway.receivers.get()[code]
    words = f"{receiver.name} ({receiver.gss}) is on the service: {receiver.custody}, {receiver.channel}."
    show(as_json, _document(receiver), words, *_left_to_do(receiver))


@app.command("list")
def list_authorities(as_json: AsJson = False) -> None:
    """List the authorities on the service with their keys and tokens, and say what each still lacks."""
    with opened() as runtime:
        receivers = list(runtime.gateway.receivers.get().values())
        tokens = {client.code: told for client, told in tokens_of(runtime, "authority")}
    document: list[Json] = [{**_document(each), "tokens": as_documents(tokens.get(each.gss, ()))} for each in receivers]
    rows = [
        (
            each.gss,
            each.name,
            f"{each.custody}, {each.channel}",
            "\n".join(f"{key.kid} ({key.purpose})" for key in each.live_keys) or "none",
            as_lines(tokens.get(each.gss, ())),
            _lack(each),
        )
        for each in receivers
    ]
    empty = "No authority is on the service. Next: notify-gateway authorities register GSS --custody authority-held --channel pull"
    show(as_json, document, table(("GSS", "Name", "Custody, channel", "Live keys", "Tokens", "Still missing"), rows) if rows else empty)


@app.command()
def token(gss: Gss, days: Days = 365, as_json: AsJson = False) -> None:
    """Issue a bearer token with which an authority's system collects and acknowledges; only its digest is kept.

    Example: notify-gateway authorities token E06000004 --days 365
    """
    issue_token("authority", gss_code(gss), days, as_json=as_json)


@key_app.command("add")
def add_key(
    file: Annotated[Path, typer.Argument(metavar="FILE.pub", help="The public key file that the authority sent.")],
    fingerprint: Annotated[str, typer.Option(help="The fingerprint that the authority read out to you, on a number that you knew before.")],
    as_json: AsJson = False,
) -> None:
    """Seal to a further public key of an authority from now on; in a live deployment: key propose and key approve, by two people.

    Compare the fingerprint outside the service: telephone the authority on a number that you knew before the file came, let them read
    the fingerprint from their own screen, and type what you hear. Any other fingerprint is refused.

    Example: notify-gateway authorities key add E06000004.working.pub --fingerprint '9f86 d081 …'
    """
    from notify_gateway.domain.catalogue import Code
    from notify_gateway.domain.errors import Conflict, Issue
    from notify_gateway.privacy.keys import RecipientPublicKey, load, spoken
    from notify_gateway.privacy.keys import fingerprint as fingerprint_of
    from notify_gateway.use_cases import onboard

    key = load(file, RecipientPublicKey)
    if not hmac.compare_digest(spoken(fingerprint).encode(), spoken(fingerprint_of(key)).encode()):
        raise Conflict(Issue(Code.FINGERPRINT_DIFFERS))
    with opened() as runtime:
        made = onboard.register_key(runtime.gateway, key=key, actor=operator())
        receiver = runtime.gateway.receivers.get()[made.authority]
    about = {"purpose": made.purpose, "fingerprint": made.fingerprint}
    document: Json = {"kid": made.kid, "authority": made.authority, **about, "missing": _missing(receiver)}
    words = facts({"registered": made.kid, "for": f"{receiver.name} ({receiver.gss})", **about})
    show(as_json, document, words, *_left_to_do(receiver))


@key_app.command("make-managed")
def make_managed(gss: Gss, as_json: AsJson = False) -> None:
    """Make the key of an authority in managed custody, where the opener keeps its keys (NOTIFY_GATEWAY_OPENER_KEYS_DIR).

    Run it as the opener's own user, who alone may read the private file. The public file is beside it: register it with authorities
    key add and the fingerprint that is shown here.

    Example: notify-gateway authorities key make-managed E06000002
    """
    from notify_gateway.opener import make_managed_key
    from notify_gateway.privacy.keys import fingerprint, save
    from notify_gateway.privacy.memory import guard_memory

    guard_memory()
    authority, folder = gss_code(gss), settings().opener_keys
    public_file = folder / f"{authority}.pub"
    if public_file.exists():
        raise CommandFailed("The file exists already", f"{public_file} is there, and no key is ever overwritten.", "Move it away first.")
    try:
        key = make_managed_key(folder, authority)
    except ValueError as error:
        raise CommandFailed("The key cannot be made", f"{error}.", "Give the GSS code: E and eight digits.") from None
    save(public_file, key.public())
    spoken = fingerprint(key.public())
    document: Json = {"kid": key.kid, "authority": authority, "public_file": str(public_file), "fingerprint": spoken}
    words = facts({"key id": key.kid, "public": public_file, "fingerprint": spoken})
    show(as_json, document, words, f"Next: {_let_in(str(public_file), spoken)}")


@key_app.command("retire")
def retire_key(kid: Kid, as_json: AsJson = False) -> None:
    """Seal nothing more to a key. What was sealed to it still opens with it: the authority must keep the private file.

    In a live deployment two people do so: key propose --retire KID, then key approve.

    Example: notify-gateway authorities key retire working-d6dbdbda0ea9
    """
    from notify_gateway.use_cases import onboard

    with opened() as runtime:
        onboard.retire_key(runtime.gateway, kid=kid, actor=operator())
        receiver = next(each for each in runtime.gateway.receivers.get().values() if any(key.kid == kid for key in each.keys))
    show(as_json, {"retired": kid, "authority": receiver.gss, "missing": _missing(receiver)}, f"Retired {kid}.", *_left_to_do(receiver))


def missing_keys(receiver: Receiver) -> list[str]:
    """Return the purposes for which the authority has no live key, though its custody asks for one."""
    wanted = ("managed",) if receiver.custody == Custody.MANAGED else ("working", "recovery")
    return [purpose for purpose in wanted if not any(key.purpose == purpose for key in receiver.live_keys)]


def _missing(receiver: Receiver) -> list[Json]:
    return list[Json](missing_keys(receiver))


def _lack(receiver: Receiver) -> str:
    return ", ".join(f"{purpose} key" for purpose in missing_keys(receiver)) or "nothing"


def _left_to_do(receiver: Receiver) -> list[Words]:
    if not missing_keys(receiver):
        return [f"It has the keys that it needs. Next: notify-gateway authorities token {receiver.gss}"]
    make = f"  The authority runs: notify-gateway authority key make --authority {receiver.gss} --purpose {{purpose}} --out FILE"
    if receiver.custody == Custody.MANAGED:
        make = f"  The opener's user:  notify-gateway authorities key make-managed {receiver.gss}"
    return [
        warning(f"Still missing: {_lack(receiver)}."),
        *(make.format(purpose=purpose) for purpose in missing_keys(receiver)),
        f"  Then you run:       {_let_in('FILE.pub', '…')}",
    ]


def _let_in(file: str, fingerprint: str) -> str:
    """Return how a public key is let in here: by one person or by two."""
    if settings().one_person_onboards:
        return f"notify-gateway authorities key add {file} --fingerprint '{fingerprint}'"
    return f"notify-gateway authorities key propose {file}, and a second person: notify-gateway authorities key approve"


def _document(receiver: Receiver) -> dict[str, Json]:
    return {
        "gss": receiver.gss,
        "name": receiver.name,
        "custody": receiver.custody,
        "channel": receiver.channel,
        "route": dict[str, Json](receiver.route),
        "keys": [
            {"kid": key.kid, "suite": key.suite, "purpose": key.purpose, "fingerprint": key.fingerprint, "live": key.retired_at is None}
            for key in receiver.keys
        ],
        "missing": _missing(receiver),
    }
