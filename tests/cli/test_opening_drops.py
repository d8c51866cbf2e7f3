# SPDX-License-Identifier: MIT
"""``authority open`` over folders of batches, as an authority runs it each week: once for each delivery, and nothing of what was forged."""

from __future__ import annotations

import csv
import io
import json
import shutil
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from notify_gateway.privacy.drops import MANIFEST, VIEWS, make_batch, read_document, read_receipt
from notify_gateway.privacy.keys import RecipientPrivateKey, SigningKey, save
from tests.cli.conftest import Call, Result
from tests.privacy.builders import CARD, STOCKTON, a_delivery, a_gateway_key, a_recipient

OTHER = "E06000002"


@dataclass
class Desk:
    """The machine of an authority, with a folder that its SFTP server fills."""

    folder: Path
    call: Call
    gateway: SigningKey
    key: RecipientPrivateKey

    def document(self, event: str = "new", **card: Any) -> dict[str, Any]:
        made = a_delivery(self.gateway, self.key.public(), card={**CARD, **card}) | {"delivery_id": str(uuid4()), "event": event}
        return made | {"envelopes": {}} if event == "delete" else made

    def put_down(self, *documents: dict[str, Any], authority: str = STOCKTON) -> Path:
        """Put a batch into the folder as the channel does."""
        sealed = [read_document(UUID(each["delivery_id"]), json.dumps(each).encode()) for each in documents]
        batch = make_batch(authority, sealed, key_id=self.gateway.kid, sign=self.gateway.sign)
        place = self.folder / "drop" / batch.id
        place.mkdir(parents=True)
        for each in batch.documents:
            (place / each.name).write_bytes(each.content)
        (place / VIEWS).write_bytes(batch.views)
        (place / MANIFEST).write_bytes(batch.manifest)
        return place

    def open(self, *options: object, what: str = "drop") -> Result:
        return self.call("authority", "open", what, "--key", "working.key", "--gateway-key", "gateway.pub.json", *options)

    def rows(self, name: str) -> list[dict[str, str]]:
        content = (self.folder / name).read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    def acknowledged(self) -> dict[UUID, bytes]:
        return dict(read_receipt(path.read_bytes()) for path in (self.folder / "drop/acks").glob("*.json"))


@pytest.fixture
def desk(folder: Path, call: Call) -> Desk:
    gateway, key = a_gateway_key(), a_recipient()
    save(folder / "working.key", key)
    save(folder / "gateway.pub.json", gateway.public())
    (folder / "drop").mkdir()
    return Desk(folder, call, gateway, key)


def test_a_week_s_batches_become_one_import_file_and_receipts_and_the_next_run_skips_them(desk: Desk) -> None:
    first, second = desk.document(), desk.document()
    withdrawal = desk.document("delete")
    places = [desk.put_down(first, second), desk.put_down(withdrawal, first)]
    result = desk.open("--csv", "week.csv", "--pdf", "sheets", "--acknowledge", "--json")
    assert result.status == 0, result.err
    assert (result.json["skipped"], result.json["acknowledged"], result.json["failed"]) == (0, 3, [])
    rows = {row["delivery_id"]: row for row in desk.rows("week.csv")}
    assert rows.keys() == {each["delivery_id"] for each in (first, second, withdrawal)}
    assert (rows[first["delivery_id"]]["has_card"], rows[first["delivery_id"]]["event"]) == ("yes", "new")
    assert rows[first["delivery_id"]]["card.child.names.1.name"]
    assert (rows[withdrawal["delivery_id"]]["has_card"], rows[withdrawal["delivery_id"]]["event"]) == ("no", "delete")
    assert len(list((desk.folder / "sheets").iterdir())) == 2
    assert stat.S_IMODE((desk.folder / "week.csv").stat().st_mode) == 0o600
    held = {UUID(path.stem): sha256(path.read_bytes()).digest() for place in places for path in place.glob("*-*.json")}
    assert desk.acknowledged() == held

    shutil.rmtree(desk.folder / "drop/acks")  # the service has read them
    again = desk.open("--csv", "next.csv", "--pdf", "sheets", "--acknowledge", "--json")
    assert (again.status, again.json["skipped"], again.json["acknowledged"], again.json["written"]) == (0, 3, 0, [])
    assert not (desk.folder / "next.csv").exists()
    third = desk.document()
    desk.put_down(third)
    more = desk.open("--csv", "next.csv", "--acknowledge")
    assert "Opened 1, skipped 3" in more.words
    assert [row["delivery_id"] for row in desk.rows("next.csv")] == [third["delivery_id"]]
    assert desk.acknowledged().keys() == {UUID(third["delivery_id"])}
    assert "These files name a child" in more.err


def test_what_was_changed_on_the_server_is_named_and_neither_imported_nor_acknowledged(desk: Desk) -> None:
    good, changed, gone = desk.document(), desk.document(), desk.document()
    place = desk.put_down(good, changed, gone)
    path = place / f"{changed['delivery_id']}.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"new"', b'"update"', 1))
    (place / f"{gone['delivery_id']}.json").rename(desk.folder / "kept")
    forged = desk.put_down(desk.document("delete"))
    (forged / MANIFEST).write_bytes((forged / MANIFEST).read_bytes().replace(b'"delete"', b'"update"'))
    foreign = desk.put_down(desk.document("delete"), authority=OTHER)
    moved = desk.put_down(desk.document("delete"))
    moved = moved.rename(moved.with_name("0" * 32))
    unfinished = desk.put_down(desk.document("delete"))
    (unfinished / MANIFEST).unlink()
    result = desk.open("--csv", "week.csv", "--acknowledge", "--json")
    assert result.status == 1
    failed = {path, place / f"{gone['delivery_id']}.json", forged / MANIFEST, foreign / MANIFEST, moved / MANIFEST}
    assert {desk.folder / each for each in result.json["failed"]} == failed
    assert [row["delivery_id"] for row in desk.rows("week.csv")] == [good["delivery_id"]]
    assert desk.acknowledged().keys() == {UUID(good["delivery_id"])}
    assert "Traceback" not in result.err
    path.write_bytes(whole)
    (desk.folder / "kept").rename(place / f"{gone['delivery_id']}.json")
    mended = desk.open("--csv", "mended.csv", "--acknowledge", "--json")
    assert {row["delivery_id"] for row in desk.rows("mended.csv")} == {changed["delivery_id"], gone["delivery_id"]}
    assert mended.json["skipped"] == 1


def test_a_run_that_was_broken_off_is_made_good_by_the_next(desk: Desk) -> None:
    place = desk.put_down(desk.document(), desk.document())
    assert desk.open("--pdf", "sheets", what=str(place)).status == 0
    sheets = {path: path.read_bytes() for path in (desk.folder / "sheets").iterdir()}
    (desk.folder / "drop/.opened").unlink()  # as if it had ended before it could remember
    result = desk.open("--pdf", "sheets", "--csv", "week.csv", what=str(place))
    assert result.status == 0, result.err
    assert len(desk.rows("week.csv")) == 2
    assert {path: path.read_bytes() for path in (desk.folder / "sheets").iterdir()} == sheets
    before = desk.open("--csv", "week.csv")
    assert (before.status, "exists already" in before.err) == (1, True)


def test_receipts_can_be_written_later_and_cards_shown_without_any_trace(desk: Desk) -> None:
    family = CARD["child"]["names"][0]["name"]
    desk.put_down(desk.document())
    shown = desk.open()
    assert family in shown.out
    assert not (desk.folder / "drop/.opened").exists()
    assert desk.open("--csv", "week.csv").status == 0
    late = desk.open("--acknowledge", "--json")
    assert (late.json["acknowledged"], late.json["skipped"], len(desk.acknowledged())) == (1, 0, 1)
    assert family not in late.out
    assert desk.open("--csv", "more.csv", "--acknowledge", "--json").json["skipped"] == 1


def test_no_cell_of_the_import_file_starts_a_formula(desk: Desk) -> None:
    hostile = {"names": [{"use": "official", "name": "=HYPERLINK(1)"}]}
    desk.put_down(desk.document(child={**CARD["child"], **hostile}))
    assert desk.open("--csv", "week.csv").status == 0
    (row,) = desk.rows("week.csv")
    assert row["card.child.names.1.name"] == "'=HYPERLINK(1)"
    assert all(cell[:1] not in "=+-@\t\r" for cell in row.values() if cell)


def test_documents_and_folders_are_not_mixed_and_a_document_has_no_receipt_file(desk: Desk) -> None:
    place = desk.put_down(desk.document())
    (document,) = place.glob("*-*.json")
    mixed = desk.call("authority", "open", "drop", document, "--key", "working.key", "--gateway-key", "gateway.pub.json")
    assert (mixed.status, "There is no such folder" in mixed.err) == (1, True)
    assert desk.open("--acknowledge", what=str(document)).status == 2


@pytest.mark.long
def test_three_hundred_deliveries(desk: Desk) -> None:
    desk.put_down(*(desk.document() for _ in range(300)))
    result = desk.open("--csv", "week.csv", "--pdf", "sheets", "--acknowledge", "--json")
    assert result.status == 0
    assert len(desk.rows("week.csv")) == len(list((desk.folder / "sheets").iterdir())) == len(desk.acknowledged()) == 300
