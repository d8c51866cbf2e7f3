# SPDX-License-Identifier: MIT
"""``authority open`` on a real delivery, on a machine where no service runs."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, fingerprint, load, save
from notify_gateway.runtime import GATEWAY_PUBLIC
from notify_gateway.settings import Settings
from tests.cli.conftest import Call, call_outside
from tests.support.messages import PDF, PNG, Message
from tests.support.service import PULL, Acceptance, RunningService

LETTER, CHART = PDF + b"1" * 3_000, PNG + b"2"


@dataclass(frozen=True)
class Delivered:
    """What an authority has got, and what it was made from."""

    message: Message
    document: bytes
    reference: str
    base_url: str
    service: RunningService


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivered]:
    with RunningService(tmp_path_factory.mktemp("opening") / "service") as service:
        message = Message().attached(LETTER, title="../../Letter about Arlo").attached(CHART, "image/png")
        accepted = Acceptance.of(service.post(message))
        document = service.collect(service.offered(accepted.reference))
        yield Delivered(message, document, accepted.reference, service.base_url, service)


@pytest.fixture
def machine(delivered: Delivered, folder: Path) -> Path:
    """The authority's folder: a delivery, its key, the gateway's public key."""
    (folder / "delivery.json").write_bytes(delivered.document)
    save(folder / "working.key", delivered.service.keys[PULL][0])
    public = Path(delivered.service.settings.keys) / GATEWAY_PUBLIC
    (folder / "gateway.pub.json").write_bytes(public.read_bytes())
    return folder


OPEN = ("authority", "open", "delivery.json", "--key", "working.key", "--gateway-key", "gateway.pub.json")


def test_the_card_is_shown(machine: Path, delivered: Delivered, call: Call) -> None:
    result = call(*OPEN)
    assert result.status == 0, result.err
    family = delivered.message.document()["entry"][2]["resource"]["name"][0]["family"]
    assert delivered.reference in result.out
    assert family in result.out
    assert "Who the child is" in result.out


def test_the_original_is_byte_for_byte_what_was_posted(machine: Path, delivered: Delivered, call: Call) -> None:
    result = call(*OPEN, "--original", "message.json", "--json")
    assert result.json["written"] == ["message.json"]
    assert (machine / "message.json").read_bytes() == delivered.message.bytes()
    assert stat.S_IMODE((machine / "message.json").stat().st_mode) == 0o600
    assert "card" not in result.json["opened"][0]


def test_sheet_and_spreadsheet_are_for_their_owner_and_overwrite_nothing(machine: Path, call: Call) -> None:
    result = call(*OPEN, "--csv", "cards.csv", "--pdf", "sheet.pdf")
    assert result.status == 0, result.err
    assert (machine / "sheet.pdf").read_bytes().startswith(b"%PDF-")
    assert (machine / "cards.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert {stat.S_IMODE((machine / name).stat().st_mode) for name in ("cards.csv", "sheet.pdf")} == {0o600}
    again = call(*OPEN, "--csv", "cards.csv")
    assert again.status == 1
    assert "exists already" in again.err


def test_attachments_are_written_under_names_of_our_own_and_nobody_scanned_them(machine: Path, delivered: Delivered, call: Call) -> None:
    result = call(*OPEN, "--attachments", "letters", "--json")
    assert result.status == 0, result.err
    written = sorted((machine / "letters").iterdir())
    assert result.json["written"] == [str(path.relative_to(machine)) for path in written]
    assert [path.read_bytes() for path in written] == [LETTER, CHART]
    assert all(path.name.startswith(delivered.reference) for path in written)
    assert [path.name[-7:] for path in written] == ["-01.pdf", "-02.png"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert stat.S_IMODE((machine / "letters").stat().st_mode) == 0o700
    assert "Nobody has scanned attachments for malware" in result.words
    again = call(*OPEN, "--attachments", "letters")
    assert again.status == 1
    assert "exists already" in again.err


def test_the_card_says_what_was_attached_and_that_nobody_scanned_it(machine: Path, call: Call) -> None:
    words = call(*OPEN).words
    assert "ATTACHMENTS ARE NOT SCANNED" in words
    assert "File 1: ../../Letter about Arlo (Letter, PDF, 3 KB, 8 January 2026)" in words


def test_several_deliveries_go_into_a_folder_and_each_is_opened_once(machine: Path, delivered: Delivered, call: Call) -> None:
    (machine / "again.json").write_bytes(delivered.document)
    result = call(*OPEN, "again.json", "--original", "out", "--json")
    assert len(result.json["opened"]) == 1
    (written,) = (machine / "out").iterdir()
    assert written.name.startswith(delivered.reference)


def test_what_opens_is_opened_beside_what_does_not(machine: Path, call: Call) -> None:
    (machine / "other.json").write_text("{}")
    result = call(*OPEN, "other.json", "missing.json", "--json", "--original", "out")
    assert result.status == 1
    assert len(result.json["opened"]) == 1
    assert result.json["failed"] == ["other.json", "missing.json"]
    assert "not a delivery document" in result.err
    assert "missing.json" in result.err


def test_the_recovery_key_opens_too(machine: Path, delivered: Delivered, call: Call) -> None:
    save(machine / "recovery.key", delivered.service.keys[PULL][1])
    assert call(*OPEN[:4], "recovery.key", *OPEN[5:]).status == 0


def test_a_key_that_it_was_not_sealed_to(machine: Path, call: Call) -> None:
    save(machine / "other.key", RecipientPrivateKey.generate(PULL, RecipientPurpose.WORKING))
    result = call(*OPEN[:4], "other.key", *OPEN[5:])
    assert result.status == 1
    assert "not sealed to this key" in result.err
    assert result.out.strip() == ""


def test_a_key_that_others_may_read(machine: Path, call: Call) -> None:
    (machine / "working.key").chmod(0o444)
    result = call(*OPEN)
    assert result.status == 1
    assert "Other users of this machine may read" in result.words or "other users of this machine may read" in result.words
    assert "chmod 0400" in result.words.replace("Run: ", "")


@pytest.mark.parametrize("change", [b'"event":"new"', b'"version":1', b'"reference":"SEN-'])
def test_a_delivery_that_was_changed(change: bytes, machine: Path, delivered: Delivered, call: Call) -> None:
    assert change in delivered.document
    (machine / "delivery.json").write_bytes(delivered.document.replace(change, change[:-2] + b"7" + change[-1:], 1))
    result = call(*OPEN)
    assert result.status == 1
    assert "does not open" in result.err
    assert "Traceback" not in result.err


def test_a_gateway_key_of_somebody_else(machine: Path, folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    call("keys", "make")
    result = call(*OPEN[:-1], "var/keys/gateway.pub.json")
    assert result.status == 1
    assert "another gateway key" in result.err


def test_the_gateways_key_may_come_from_its_address_and_is_to_be_compared(machine: Path, delivered: Delivered, call: Call) -> None:
    from notify_gateway.privacy.keys import VerifyingKey

    spoken = fingerprint(load(machine / "gateway.pub.json", VerifyingKey))
    fetched = call(*OPEN[:-1], delivered.base_url)
    assert fetched.status == 0, fetched.err
    assert spoken in fetched.err
    compared = call(*OPEN[:-1], f"{delivered.base_url}/log/keys", "--fingerprint", spoken.lower())
    assert compared.status == 0
    assert "Compare" not in compared.err
    refused = call(*OPEN[:-1], delivered.base_url, "--fingerprint", spoken[::-1])
    assert refused.status == 1
    assert "another one" in refused.err
    assert refused.out == ""
    away = call(*OPEN[:-1], "http://127.0.0.1:1")
    assert away.status == 1
    assert "cannot be fetched" in away.err


def test_saved_keys_of_the_service_serve_as_a_file(machine: Path, delivered: Delivered, call: Call) -> None:
    (machine / "keys.json").write_bytes(delivered.service.clients[0].get("/log/keys").content)
    assert call(*OPEN[:-1], "keys.json").status == 0
    (machine / "keys.json").write_text(json.dumps({"gateway": {"kid": "x"}}))
    assert call(*OPEN[:-1], "keys.json").status == 1


def test_a_passphrase_is_asked_for_and_a_wrong_one_refused(machine: Path, delivered: Delivered) -> None:
    key = delivered.service.keys[PULL][0]
    save(machine / "protected.key", key, passphrase="correct horse battery staple")
    command = (*OPEN[:4], "protected.key", *OPEN[5:])
    opened = call_outside(*command, folder=machine, stdin="correct horse battery staple\n")
    assert opened.status == 0, opened.err
    assert "correct horse" not in opened.out + opened.err
    refused = call_outside(*command, folder=machine, stdin="wrong words altogether\n")
    assert refused.status == 1
    assert "wrong passphrase" in refused.err.lower()


def test_no_service_and_no_setting_is_needed(machine: Path) -> None:
    opened = call_outside(*OPEN, folder=machine, environment={"NOTIFY_GATEWAY_DEPLOYMENT": "nonsense"})
    assert opened.status == 0, opened.err
    assert not Settings().data_dir.exists()
