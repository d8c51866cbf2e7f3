# SPDX-License-Identifier: MIT
"""For an authority's own machine, where no service runs: make keys, open what was delivered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import CommandFailed, report
from notify_gateway.cli.mesh_receive import mesh_receive
from notify_gateway.cli.output import AsJson, Json, facts, show, tell, warning
from notify_gateway.cli.recovery import drill
from notify_gateway.privacy.recipients import RecipientPurpose, Suite

if TYPE_CHECKING:
    from notify_gateway.cli.drops import Outcome, Wanted

app = typer.Typer(no_args_is_help=True, help="On the authority's own machine: make keys, open what was delivered.")
key_app = typer.Typer(no_args_is_help=True, help="Make the authority's own keys.")
app.add_typer(key_app, name="key")
app.command("mesh-receive")(mesh_receive)
app.command("drill")(drill)

UNSCANNED = "Nobody has scanned attachments for malware, since they were sealed: have them scanned before you open them."
NAMES_A_CHILD = "These files name a child: keep them where only those who need them can read them."

PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File whose first line is the passphrase; without it you are asked.")
]


@key_app.command("make")
def make_key(
    authority: Annotated[str, typer.Option(metavar="GSS", help="GSS code of your authority, such as E06000004.")],
    purpose: Annotated[
        RecipientPurpose,
        typer.Option(
            help="working: for daily use. recovery: kept offline, for the day the other is lost. managed: for the service's opener."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where to put the private key; the public key goes beside it, with .pub at the end.")],
    suite: Annotated[
        Suite, typer.Option(help="MLKEM768_X25519 also withstands a recording that a quantum computer opens later.")
    ] = Suite.X25519,
    passphrase: Annotated[bool, typer.Option("--passphrase", help="Keep the private key under a passphrase; you are asked twice.")] = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a key for your authority. The private file never leaves your machine; send the .pub file to the service.

    Example: notify-gateway authority key make --authority E06000004 --purpose working --out stockton-working
    """
    from notify_gateway.privacy.keys import RecipientPrivateKey, fingerprint, save
    from notify_gateway.privacy.memory import guard_memory

    guard_memory()
    public_file = out.with_name(f"{out.name}.pub")
    for path in (out, public_file):
        if path.exists():
            raise CommandFailed("The file exists already", f"{path} is there, and no key is ever overwritten.", "Choose another name.")
    words = _new_passphrase(passphrase_file) if passphrase or passphrase_file else None
    try:
        key = RecipientPrivateKey.generate(authority.strip().upper(), purpose, suite)
    except ValueError as error:
        raise CommandFailed("The key cannot be made", f"{error}.", "Give the GSS code: E and eight digits.") from None
    save(out, key, passphrase=words)
    save(public_file, key.public())
    spoken = fingerprint(key.public())
    document: dict[str, Json] = {
        "kid": key.kid,
        "authority": key.authority,
        "purpose": key.purpose.value,
        "suite": key.suite.value,
        "private_file": str(out),
        "public_file": str(public_file),
        "fingerprint": spoken,
    }
    show(
        as_json,
        document,
        facts({"key id": key.kid, "private": f"{out}  (keep it; only you can read it)", "public": f"{public_file}  (send it)"}),
        "",
        "Fingerprint, to be read out when the service telephones you:",
        f"  {spoken}",
        "",
        "Keep a copy of the private file on two media in two places: without it, what is sealed to it stays closed for ever.",
    )


@app.command("open")
def open_files(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Delivery documents, as fetched; or folders of batches, as put down by SFTP.")
    ],
    key: Annotated[Path, typer.Option(metavar="KEYFILE", help="Your private key file.")],
    gateway_key: Annotated[
        str, typer.Option(metavar="FILE_OR_URL", help="The gateway's public key: its file, or the address of the service's /log/keys.")
    ],
    fingerprint: Annotated[str | None, typer.Option(help="Fingerprint that the gateway's key must have; needed with an address.")] = None,
    card: Annotated[bool, typer.Option("--card", help="Show the card: who the child is, and how to reach the family.")] = False,
    original: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write the message as the trust sent it; a folder when there are several.")
    ] = None,
    attachments: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the files that came with it; nobody has scanned them for malware.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="OUT", help="Write all cards as one spreadsheet.")] = None,
    pdf: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write the card as a sheet of A4; a folder when there are several.")
    ] = None,
    acknowledge: Annotated[
        bool,
        typer.Option("--acknowledge", help="Of folders: write into acks, for the service, that you have what opens. A machine's receipt."),
    ] = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Open deliveries on this machine: every signature and digest is checked first, then the card is shown or files are written.

    Files that are written are readable by you alone, and never overwrite another. What does not open is named, and the status is 1.
    Of folders, what was written or acknowledged before is skipped; that is remembered in the file .opened beside the batches.

    Example: notify-gateway authority open delivery.json --key stockton-working --gateway-key gateway.pub.json --pdf sheet.pdf
    Example: notify-gateway authority open drop --key stockton-working --gateway-key gateway.pub.json --csv week-48.csv --acknowledge
    """
    from notify_gateway.cli.opening import open_all, write_out
    from notify_gateway.cli.trusted_key import load_private, trusted_gateway_key
    from notify_gateway.privacy.memory import guard_memory
    from notify_gateway.privacy.opening import card_text

    guard_memory()
    verifying = trusted_gateway_key(gateway_key, fingerprint)
    private = load_private(key, passphrase_file)
    if any(path.is_dir() for path in files):
        from notify_gateway.cli.drops import Wanted, open_drops

        wanted = Wanted(csv=csv, pdf=pdf, original=original, attachments=attachments, acknowledge=acknowledge)
        show_cards = card or not (wanted.files or acknowledge)
        _show_drops(open_drops(files, private, verifying, wanted, show=show_cards), wanted, show_cards=show_cards, as_json=as_json)
        return
    if acknowledge:
        raise typer.BadParameter("--acknowledge is for folders; a document that was fetched is confirmed by the call that docs name")
    opened, failed = open_all(files, private, verifying)
    written = write_out(opened, original=original, attachments=attachments, csv=csv, pdf=pdf, several=len(files) > 1)
    shown = card or not written
    document: list[Json] = [
        {
            "reference": one.reference,
            "notification_id": str(one.notification_id),
            "event": one.event,
            "view": dict(one.view),
            **({"card": dict(one.card.reveal())} if shown else {}),
        }
        for one in opened
    ]
    proved = [f"{one.reference}: opened; all signatures and digests hold." for one in opened]
    words = [card_text(one) for one in opened] if shown else proved
    result: Json = {"opened": document, "written": [str(path) for path in written], "failed": [str(path) for path in failed]}
    show(as_json, result, *words, *(f"Wrote {path}" for path in written))
    if attachments is not None:
        tell(warning(UNSCANNED))
    if written:
        tell(warning(NAMES_A_CHILD))
    _end(failed)


def _show_drops(outcome: Outcome, wanted: Wanted, *, show_cards: bool, as_json: bool) -> None:
    from notify_gateway.privacy.opening import card_text

    cards = {str(one.delivery_id): dict(one.card.reveal()) for one in outcome.shown}
    told: list[Json] = [
        {**each, **({"card": cards[each["delivery_id"]]} if show_cards and each["delivery_id"] in cards else {})} for each in outcome.told
    ]
    result: Json = {
        "opened": told,
        "skipped": outcome.skipped,
        "acknowledged": outcome.acknowledged,
        "written": [str(path) for path in outcome.written],
        "failed": [str(path) for path in outcome.failed],
    }
    bare = [each for each in outcome.told if not each["has_card"]]
    lines = [f"Opened {len(outcome.told)}, skipped {outcome.skipped} that were done before, failed {len(outcome.failed)}."]
    lines += [f"{each['reference']} ({each['event']}): came without a card." for each in bare]
    if wanted.acknowledge:
        lines.append(f"Acknowledged {outcome.acknowledged}: the service reads it within minutes.")
    lines += [f"Wrote {path}" for path in outcome.written]
    show(as_json, result, *(card_text(one) for one in outcome.shown), *lines)
    if outcome.written and wanted.attachments is not None:
        tell(warning(UNSCANNED))
    if outcome.written:
        tell(warning(NAMES_A_CHILD))
    _end(outcome.failed)


def _end(failed: Mapping[Path, Exception]) -> None:
    """Tell why files did not open; the status is 1 if there are any."""
    for path, error in failed.items():
        tell(f"{path}:")
        report(error)
    if failed:
        raise typer.Exit(1)


def _new_passphrase(file: Path | None) -> str:
    from notify_gateway.cli.trusted_key import passphrase_in

    words = passphrase_in(file) if file else typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    if len(words) < 12:
        raise CommandFailed("The passphrase is too short", "Whoever gets the file can try passphrases.", "Take 12 characters or more.")
    return str(words)
