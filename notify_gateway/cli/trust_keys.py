# SPDX-License-Identifier: MIT
"""The keys that trusts sign in with: proposed by one person, approved by another, listed and revoked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from notify_gateway.cli.failures import CommandFailed
from notify_gateway.cli.output import AsJson, Json, facts, show, table, tell, warning
from notify_gateway.cli.parties import instant
from notify_gateway.cli.service import OpenBooks, opened_books, operator

if TYPE_CHECKING:
    from notify_gateway.credentials.keys import PublicKey
    from notify_gateway.store.sign_in import ClientKey, KeySource, Proposal
    from notify_gateway.use_cases.client_keys import Offer

app = typer.Typer(no_args_is_help=True, help="Propose, list and revoke the keys that trusts sign in with.")

Ods = Annotated[str, typer.Argument(metavar="ODS", help="ODS code, such as RXX; messages must bear it as their sender.")]
Jwks = Annotated[Path | None, typer.Option(help="The trust's public keys as a JWK Set.", exists=True, dir_okay=False)]
JwksUrl = Annotated[str | None, typer.Option(help="Address (https) where the trust publishes its JWK Set; it is read again and again.")]
MOST_PEM_BYTES = 64 * 1024


@app.command()
def add(ods: Ods, jwks: Jwks = None, jwks_url: JwksUrl = None, as_json: AsJson = False) -> None:
    """Propose a further key, or another address of keys, for a trust that signs in already. A second person approves it.

    Example: notify-gateway trusts keys add RXX --jwks new-key.json
    """
    from notify_gateway.use_cases import client_keys

    code = ods_code(ods)
    with opened_books() as books:
        proposal = client_keys.propose_keys(books, ods=code, offer=offer(jwks, jwks_url), actor=operator())
    show_proposal(proposal, as_json=as_json)


@app.command("list")
def list_keys(ods: Annotated[str | None, typer.Argument(metavar="[ODS]", help="One trust alone.")] = None, as_json: AsJson = False) -> None:
    """List the keys of the trusts, and what waits for a second person. The fingerprint of what waits is not shown: the trust tells it."""
    wanted = ods_code(ods) if ods else None
    with opened_books() as books:
        held, waiting = _held(books, wanted)
    document: list[Json] = [_document(code, client_id, keys, source) for code, client_id, keys, source in held]
    pending: list[Json] = [
        {"ods": each.ods, "client_id": str(each.client_id), "proposed_by": each.proposed_by, "expires_at": instant(each.expires_at)}
        for each in waiting
    ]
    rows = [
        (code, client_id, key.kid, _standing(key), _spoken(key.thumbprint), source.url if source else "by file")
        for code, client_id, keys, source in held
        for key in keys
    ]
    rows += [
        (each.ods, str(each.client_id), _kids(each), f"waits for approval, proposed by {each.proposed_by}", "", "") for each in waiting
    ]
    empty = "No trust has a key. Next: notify-gateway trusts invite ODS --name NAME --type nhs-trust --jwks FILE"
    columns = ("ODS", "Client id", "Key", "Standing", "Fingerprint", "From")
    show(as_json, {"trusts": document, "waiting": pending}, table(columns, rows) if rows else empty)


@app.command()
def revoke(
    ods: Ods, kid: Annotated[str, typer.Argument(metavar="KID", help="The key's kid, as the list shows it.")], as_json: AsJson = False
) -> None:
    """Revoke a key, and with it every token issued under it, within seconds. One person is enough. It cannot be undone.

    Example: notify-gateway trusts keys revoke RXX rxx-2026-11
    """
    from notify_gateway.use_cases import client_keys

    code = ods_code(ods)
    with opened_books() as books:
        client_keys.revoke_key(books, ods=code, kid=kid, actor=operator())
    show(as_json, {"revoked": kid, "ods": code}, f"Revoked {kid} of {code}; its tokens stop within seconds.")


@app.command("forget-address")
def forget_address(ods: Ods, as_json: AsJson = False) -> None:
    """Fetch keys from the trust's address no longer, and revoke the keys found there. One person is enough.

    Example: notify-gateway trusts keys forget-address RXX
    """
    from notify_gateway.use_cases import client_keys

    code = ods_code(ods)
    with opened_books() as books:
        client_keys.forget_address(books, ods=code, actor=operator())
    show(as_json, {"forgotten": code}, f"The address of {code} is forgotten; the keys found there are revoked.")


@app.command()
def fingerprint(
    file: Annotated[Path, typer.Argument(help="A JWK Set, or one JWK, of public keys.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Print the fingerprints of public keys, as the trust reads them out: the SHA-256 of RFC 7638. Needs no service.

    Example: notify-gateway trusts keys fingerprint rxx.jwks.json
    """
    from notify_gateway.credentials.keys import read_key_set

    keys = read_key_set(_content(file))
    show(as_json, [_key_document(key) for key in keys], table(("Key", "Fingerprint"), [(key.kid, _spoken(key.thumbprint)) for key in keys]))


@app.command("make-jwks")
def make_jwks(
    file: Annotated[Path, typer.Argument(help="A public key as PEM.", exists=True, dir_okay=False)],
    kid: Annotated[str, typer.Option(help="The name that the key goes by, such as rxx-2026-11; each key needs a new one.")],
    as_json: AsJson = False,
) -> None:
    """Print a JWK Set that holds a public key, to be sent to the service desk or published. Needs no service.

    Example: notify-gateway trusts keys make-jwks public.pem --kid rxx-2026-11
    """
    from notify_gateway.credentials.keys import read_key_set, write_key_set

    jwk = _jwk_of_pem(_content(file)) | {"kid": kid}
    keys = read_key_set(json.dumps({"keys": [jwk]}).encode())
    document = json.loads(write_key_set(keys))
    show(as_json, document, json.dumps(document, indent=2))


def offer(jwks: Path | None, url: str | None) -> Offer:
    """Return what is offered; raises ``CommandFailed`` unless it is either a file or an address."""
    from notify_gateway.use_cases.client_keys import Offer

    if (jwks is None) == (url is None):
        raise CommandFailed("Which keys?", "Keys come by file or from an address.", "Give either --jwks FILE or --jwks-url URL.")
    return Offer(jwks=None if jwks is None else _content(jwks), url=url)


def show_proposal(proposal: Proposal, *, as_json: bool) -> None:
    """Print what was proposed, the fingerprints, and what comes next."""
    from notify_gateway.use_cases.client_keys import proposed_keys

    keys = proposed_keys(proposal)
    document = {
        "ods": proposal.ods,
        "client_id": str(proposal.client_id),
        "keys": [_key_document(key) for key in keys],
        "expires_at": instant(proposal.expires_at),
    }
    rows = {"trust": f"{proposal.name} ({proposal.ods})", "client id": proposal.client_id}
    rows |= {f"key {key.kid}": _spoken(key.thumbprint) for key in keys}
    options = " ".join(["--fingerprint '…'"] * len(keys))
    show(as_json, document, facts(rows))
    tell(
        warning("Nothing is open to the trust yet."),
        "Next, by a second person with an account of their own: ring the trust on a number that you know, have it read out the",
        f"fingerprint of its key, and type what you hear: notify-gateway trusts approve {proposal.ods} {options}",
    )


def ods_code(text: str) -> str:
    """Return an ODS code; raises ``CommandFailed`` for anything else."""
    code = text.strip().upper()
    if not (code.isascii() and code.isalnum() and 3 <= len(code) <= 10):
        raise CommandFailed("That is no ODS code", "An ODS code has 3 to 10 letters and digits.", "Look it up in the ODS portal.")
    return code


def _content(file: Path) -> bytes:
    from notify_gateway.credentials.keys import MOST_BYTES

    with file.open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


def _jwk_of_pem(pem: bytes) -> dict[str, Any]:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    try:
        load_pem_public_key(pem)
        for kind in ("RSA", "EC", "OKP"):
            try:
                return dict(import_key(pem, kind).as_dict())
            except (JoseError, ValueError, TypeError):
                continue
    except (ValueError, TypeError):
        pass
    raise CommandFailed(
        "That is no public key",
        "The file holds no public key in PEM form.",
        "Make one: openssl pkey -in private.pem -pubout -out public.pem",
    )


def _held(books: OpenBooks, wanted: str | None) -> tuple[list[tuple[str, str, list[ClientKey], KeySource | None]], list[Proposal]]:
    from notify_gateway.store import parties, sign_in
    from notify_gateway.store.engine import reading

    with reading(books.engine).begin() as connection:
        held = [
            (client.code, str(client.id), sign_in.keys_of(connection, client.id), sign_in.source_of(connection, client.id))
            for client in parties.list_clients(connection, "trust")
            if wanted in (None, client.code)
        ]
        waiting = [each for each in sign_in.open_proposals(connection, now=books.clock.now()) if wanted in (None, each.ods)]
    return [row for row in held if row[2]], waiting


def _document(code: str, client_id: str, keys: list[ClientKey], source: KeySource | None) -> Json:
    return {
        "ods": code,
        "client_id": client_id,
        "address": source.url if source else None,
        "keys": [
            {"kid": key.kid, "thumbprint": key.thumbprint, "standing": _standing(key), "approved_by": key.approved_by} for key in keys
        ],
    }


def _key_document(key: PublicKey) -> Json:
    return {"kid": key.kid, "thumbprint": key.thumbprint, "fingerprint": _spoken(key.thumbprint)}


def _kids(proposal: Proposal) -> str:
    from notify_gateway.use_cases.client_keys import proposed_keys

    return ", ".join(key.kid for key in proposed_keys(proposal))


def _spoken(thumbprint: str) -> str:
    from notify_gateway.credentials.keys import fingerprint as spoken

    return spoken(thumbprint)


def _standing(key: ClientKey) -> str:
    return "live" if key.revoked_at is None else f"revoked {key.revoked_at:%Y-%m-%d} by {key.revoked_by}"
