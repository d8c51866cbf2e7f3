# SPDX-License-Identifier: MIT
"""A witness of audit logs, on the machine of whoever does not want to have to trust the log's operator. Needs no database, no settings."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from notify_gateway.cli.failures import FAILED, CommandFailed
from notify_gateway.cli.output import AsJson, Json, facts, show, table

if TYPE_CHECKING:
    from audit.cosignature import WitnessSigner
    from audit.note import Verifier

app = typer.Typer(no_args_is_help=True, help="At an ICB or authority: cosign the audit log's checkpoints, so that nobody can rewrite it.")
key_app = typer.Typer(no_args_is_help=True, help="Make the witness's key and its memory.")
app.add_typer(key_app, name="key")

Name = Annotated[str, typer.Option(help="The witness's name: an address without https://, such as icb.example/witness. It never changes.")]
KeyFile = Annotated[Path, typer.Option("--key-file", help="File of the witness's private key.")]
State = Annotated[Path, typer.Option(help="Folder of the witness's memory. Never restore it from a backup: make a new key instead.")]


@key_app.command("make")
def make_key(name: Name, key_file: KeyFile, state: State, as_json: AsJson = False) -> None:
    """Make the witness's key and its memory, and show the verifier key, which the log's operator and every verifier need.

    Example: notify-gateway witness key make --name icb.example/witness --key-file witness.key.json --state witness
    """
    from audit.cosignature import WitnessSigner
    from audit.note import NoteRefused
    from audit.witness import make_state
    from notify_gateway.privacy.keys import SigningKey, SigningPurpose, save

    key = SigningKey.generate(SigningPurpose.WITNESS)
    try:
        signer = WitnessSigner(name, key.private)
    except NoteRefused as error:
        raise CommandFailed("The witness cannot have this name", f"{error}.", "Choose one such as icb.example/witness.") from None
    if key_file.exists():
        raise CommandFailed("The file exists already", f"{key_file} is there, and no key is ever overwritten.", "Choose another name.")
    make_state(state, signer)
    save(key_file, key)
    document: dict[str, Json] = {"name": name, "vkey": signer.verifier.vkey, "key_file": str(key_file), "state": str(state)}
    show(
        as_json,
        document,
        facts({"private key": f"{key_file}  (keep it; only you can read it)", "memory": f"{state}  (keep it; never put an old one back)"}),
        "",
        "Verifier key, for the log's operator and for all who verify:",
        f"  {signer.verifier.vkey}",
        "",
        "If key or memory is lost, make both anew under another name: a witness that has forgotten what it saw would cosign a forgery.",
    )


@app.command()
def serve(
    name: Name,
    key_file: KeyFile,
    log: Annotated[
        list[str], typer.Option(metavar="VKEY", help="Verifier key of a log to cosign; again for each log, and each of its keys.")
    ],
    state: State,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8100,
    certificate: Annotated[Path | None, typer.Option(help="TLS certificate chain (PEM); without it, put a TLS proxy in front.")] = None,
    certificate_key: Annotated[Path | None, typer.Option(help="Private key of the certificate (PEM).")] = None,
    proxy: Annotated[str, typer.Option(help="Address of the TLS proxy whose forwarding headers are believed.")] = "",
) -> None:
    """Cosign each checkpoint of the given logs that continues the last one, until SIGTERM.

    Example: notify-gateway witness serve --name icb.example/witness --key-file witness.key.json --log VKEY --state witness
    """
    import uvicorn

    from audit.witness import StateRefused, Witness
    from notify_gateway.cli.logs import log_to_stderr
    from notify_gateway.cli.run import listen
    from notify_gateway.domain.clock import SystemClock
    from notify_gateway.privacy.memory import guard_memory
    from notify_gateway.witness import create_witness

    if (certificate is None) != (certificate_key is None):
        raise CommandFailed("Half of the TLS certificate is missing", "It has a chain and a key.", "Give both files, or neither.")
    guard_memory()
    log_to_stderr("info")
    signer = _signer(name, key_file)
    try:
        witness = Witness(signer, _log_keys(log), state, SystemClock().now)
    except StateRefused as error:
        raise CommandFailed(
            "This is not the memory of this witness", f"{error}.", "Run witness key make; it makes key and memory."
        ) from None
    with listen(host, port) as listening:
        server = uvicorn.Server(
            uvicorn.Config(
                create_witness(witness),
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(proxy),
                forwarded_allow_ips=proxy or None,
                limit_concurrency=200,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=10,
                ssl_certfile=certificate,
                ssl_keyfile=certificate_key,
            )
        )
        # uvicorn ends in good order on these, and then raises them again.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        server.run(sockets=[listening])
        if not server.started:
            raise typer.Exit(FAILED)


@app.command("show")
def show_seen(name: Name, key_file: KeyFile, state: State, as_json: AsJson = False) -> None:
    """Show the largest checkpoint of each log that this witness has cosigned. A checkpoint that differs from it is proof of a forgery.

    Example: notify-gateway witness show --name icb.example/witness --key-file witness.key.json --state witness
    """
    from audit.witness import StateRefused, read_state

    signer = _signer(name, key_file)
    try:
        seen = read_state(state, signer)
    except StateRefused as error:
        raise CommandFailed("The memory cannot be used", f"{error}.", "Keep the folder as it is, and make key and memory anew.") from None
    document: Json = [
        {
            "origin": each.checkpoint.origin,
            "size": each.checkpoint.size,
            "root": each.checkpoint.root.hex(),
            "at": each.at.isoformat(),
            "checkpoint": each.note,
        }
        for each in seen
    ]
    rows = [(each.checkpoint.origin, each.checkpoint.size, f"{each.at:%Y-%m-%d %H:%M:%S}", each.checkpoint.root.hex()) for each in seen]
    show(as_json, document, f"Witness {signer.verifier.vkey}", "", table(("Log", "Entries", "Cosigned, UTC", "Root"), rows))


def _signer(name: str, key_file: Path) -> WitnessSigner:
    from audit.cosignature import WitnessSigner
    from audit.note import NoteRefused
    from notify_gateway.privacy.keys import SigningKey, SigningPurpose, load

    key = load(key_file, SigningKey)
    if key.purpose is not SigningPurpose.WITNESS:
        # One key, one purpose: a cosignature must never be mistaken for a signature of the log.
        raise CommandFailed("This is not the key of a witness", f"{key_file} is for another purpose.", "Run witness key make.")
    try:
        return WitnessSigner(name, key.private)
    except NoteRefused as error:
        raise CommandFailed("The witness cannot have this name", f"{error}.", "Give the name that it was made with.") from None


def _log_keys(vkeys: list[str]) -> list[Verifier]:
    from audit.note import NoteRefused, Verifier

    keys: list[Verifier] = []
    for vkey in vkeys:
        try:
            keys.append(Verifier.from_vkey(vkey))
        except NoteRefused as error:
            fix = "Give it as the log's operator shows it (notify-gateway keys show, or /log/keys)."
            raise CommandFailed("A log's verifier key is not right", f"{error}.", fix) from None
    return keys
