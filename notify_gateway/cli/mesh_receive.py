# SPDX-License-Identifier: MIT
"""``notify-gateway authority mesh-receive``: fetch deliveries from the authority's MESH mailbox, keep each once, confirm it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, show

SecretFile = typer.Option(metavar="FILE", help="File that holds it, readable by you alone.")


def mesh_receive(
    url: Annotated[str, typer.Option(help="Address of the MESH service, https://….")],
    mailbox: Annotated[str, typer.Option(help="Your own mailbox.")],
    gateway: Annotated[str, typer.Option("--from", metavar="MAILBOX", help="The gateway's mailbox; nothing of anybody else's is taken.")],
    workflow: Annotated[str, typer.Option(help="Workflow of the deliveries, as registered with the gateway.")],
    password_file: Annotated[Path, SecretFile],
    shared_key_file: Annotated[Path, SecretFile],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the delivery documents, still sealed.")],
    certificate: Annotated[Path | None, typer.Option(metavar="PEM", help="Your client certificate, for mutual TLS.")] = None,
    private_key: Annotated[Path | None, typer.Option(metavar="PEM", help="The private key of that certificate.")] = None,
    ca: Annotated[Path | None, typer.Option(metavar="PEM", help="CA certificates that sign MESH's own.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take what waits in your MESH mailbox: each delivery is on the disk before it is confirmed, and confirmed before MESH forgets it.

    Run it every few minutes. Broken off anywhere, it goes on where it was; a delivery that comes twice is kept once. Open what it wrote
    with notify-gateway authority open. Messages that are no deliveries from the gateway stay in the mailbox.

    Example: notify-gateway authority mesh-receive --url https://mesh-sync.spineservices.nhs.uk --mailbox X26ABC2 --from X26ABC1
    --workflow EY_SEND_NOTIFY --password-file password --shared-key-file shared-key --out deliveries
    """
    from workers.channels.mesh_mailbox import MeshMailbox
    from workers.channels.mesh_protocol import MeshAccess, MeshFailed
    from workers.channels.reference_mesh_receiver import receive

    out.mkdir(mode=0o700, parents=True, exist_ok=True)
    access = MeshAccess(
        url=url,
        mailbox=mailbox,
        password=_secret(password_file),
        shared_key=_secret(shared_key_file).encode(),
        certificate=certificate,
        private_key=private_key,
        ca=ca,
    )
    try:
        opened = MeshMailbox(access)
        try:
            fetched = receive(opened, gateway=gateway, workflow=workflow, folder=out)
        finally:
            opened.close()
    except MeshFailed as failed:
        why = f"MESH answered: {failed.code}. What was confirmed is kept; the rest still waits."
        raise CommandFailed("Not all could be fetched", why, "Check address, mailbox, secrets and certificate, and run it again.") from None
    written = [str(out / f"{each}.json") for each in fetched.held]
    words = [*(f"Wrote {path}" for path in written), f"{len(written)} deliveries held and confirmed; {fetched.left} other messages left."]
    show(as_json, {"held": written, "left": fetched.left}, *words)


def _secret(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
