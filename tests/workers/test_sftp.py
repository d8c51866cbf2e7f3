# SPDX-License-Identifier: MIT
"""The SFTP drop against a real sshd: whole or not to be seen, the pinned host key and no other, one effect however often."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult, Outgoing
from notify_gateway.domain.route import Route
from notify_gateway.privacy import drops
from notify_gateway.privacy.drops import COLUMNS, MANIFEST, DropUnreadable, batch_id, make_batch, read_document, verify_manifest
from tests.support.sftp_server import SftpServer, make_key
from tests.support.waiting import ROOT
from tests.workers.channel_benches import an_outgoing
from tests.workers.sftp_bench import SIGNER, CuttingRelay, access, gateway_key, read_drop
from workers.channels.sftp import SftpAccess, SftpChannel


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with SftpServer(tmp_path_factory.mktemp("sftp") / "sshd") as running:
        yield running


@pytest.fixture
def folder(server: SftpServer) -> Path:
    """A drop folder of the test's own on the server."""
    made = server.folder / f"drop-{uuid4().hex}"
    made.mkdir()
    return made


@pytest.fixture
def route(server: SftpServer, folder: Path) -> Route:
    return {**server.route, "folder": str(folder)}


def send(batch: Sequence[Outgoing], using: SftpAccess) -> list[AttemptResult]:
    async def once() -> list[AttemptResult]:
        channel = SftpChannel(signer=SIGNER, access=using)
        try:
            return await channel.send(batch)
        finally:
            await channel.close()

    return asyncio.run(once())


def outgoing(route: Route, count: int = 1, **view: object) -> list[Outgoing]:
    made = [an_outgoing("sftp", route) for _ in range(count)]
    return [Outgoing(each.delivery_id, each.authority, "sftp", 1, route, changed(each.document, view)) for each in made]


def changed(document: bytes, view: dict[str, object]) -> bytes:
    fields = orjson.loads(document)
    fields["view"] |= view
    return orjson.dumps(fields)


def codes(results: Sequence[AttemptResult]) -> set[str]:
    return {result.code for result in results}


def test_a_batch_is_a_folder_of_documents_views_and_a_signed_manifest(server: SftpServer, route: Route, folder: Path) -> None:
    batch = outgoing(route, 3)
    assert codes(send(batch, access(server.client_key))) == {"offered"}
    assert read_drop(folder) == {each.delivery_id: each.document for each in batch}
    (place,) = (each for each in folder.iterdir() if each.name not in (".incoming", "acks"))
    assert drops.BATCH_ID.fullmatch(place.name)
    assert {each.name for each in place.iterdir()} == {MANIFEST, "deliveries.csv", *(f"{each.delivery_id}.json" for each in batch)}
    assert list((folder / ".incoming").iterdir()) == list((folder / "acks").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"host_key": "another"}, "sftp-host-key"),
        ({"host_key": "another rsa"}, "sftp-host-key"),
        ({"host_key": "ssh-ed25519 " + "A" * 68}, "route-unusable"),
        ({"user": "nobody-at-all"}, "sftp-key-refused"),
        ({"folder": "no/such/folder"}, "sftp-folder"),
        ({"host": "no-such-host.invalid"}, "unresolved"),
        ({"port": "1"}, "refused"),
        ({"port": "65536"}, "route-unusable"),
    ],
)
def test_what_is_wrong_with_a_server_has_a_code(server: SftpServer, route: Route, tmp_path: Path, change: Route, code: str) -> None:
    if change.get("host_key", "").startswith("another"):
        change = {"host_key": make_key(tmp_path / "other", "rsa" if "rsa" in change["host_key"] else "ed25519")}
    (result,) = send(outgoing({**route, **change}), access(server.client_key))
    assert (result.outcome, result.code) == (AttemptOutcome.RETRY, code)


def test_our_own_key_must_be_there_and_be_let_in(server: SftpServer, route: Route, folder: Path, tmp_path: Path) -> None:
    stranger, garbage = tmp_path / "stranger", tmp_path / "garbage"
    make_key(stranger)
    garbage.write_text("not a key")
    found = [send(outgoing(route), access(key))[0].code for key in (stranger, garbage, tmp_path / "gone", None)]
    assert found == ["sftp-key-refused", "sftp-no-key", "sftp-no-key", "sftp-no-key"]
    assert list(folder.iterdir()) == []


def test_nothing_goes_to_an_address_that_is_not_global(server: SftpServer, route: Route) -> None:
    before = server.process.output.count("Connection from")
    for host in ("127.0.0.1", "localhost", "::1", "10.0.0.1"):
        (result,) = send(outgoing({**route, "host": host}), access(server.client_key, private=False))
        assert result.code == "egress-address"
    assert server.process.output.count("Connection from") == before


@pytest.mark.parametrize("kind", ["rsa", pytest.param("ecdsa", marks=pytest.mark.long)])
def test_a_key_of_another_kind_can_be_pinned_though_the_server_has_several(kind: str, tmp_path: Path) -> None:
    make_key(tmp_path / "more")
    with SftpServer(tmp_path / "sshd", kind=kind, more=f"HostKey {tmp_path}/more") as server:
        assert codes(send(outgoing(server.route), access(server.client_key))) == {"offered"}
        if kind == "rsa":
            named = {**server.route, "host_key": server.host_key.replace("ssh-rsa", "rsa-sha2-512")}
            assert codes(send(outgoing(named), access(server.client_key))) == {"offered"}


def test_the_same_batch_twice_is_one_batch_and_is_not_written_again(server: SftpServer, route: Route, folder: Path) -> None:
    batch = outgoing(route, 4)
    send(batch, access(server.client_key))
    before = {path: path.stat().st_ino for path in folder.rglob("*")}
    again = [Outgoing(each.delivery_id, each.authority, "sftp", 2, route, each.document) for each in reversed(batch)]
    assert codes(send(again, access(server.client_key))) == {"offered"}
    assert {path: path.stat().st_ino for path in folder.rglob("*")} == before
    send([again[0], *outgoing(route)], access(server.client_key))  # with another beside it, as after a crash: told apart by its id
    assert len(read_drop(folder)) == 5


def test_a_server_without_openssh_s_requests_does_as_well(tmp_path: Path) -> None:
    with SftpServer(tmp_path / "sshd", options="-P posix-rename,fsync") as server:
        batch = outgoing(server.route, 3)
        assert codes(send(batch, access(server.client_key))) == {"offered"}
        (manifest,) = server.drop.glob(f"*/{MANIFEST}")
        manifest.unlink()  # as if the connection had been lost just before the end
        assert codes(send(batch, access(server.client_key))) == {"offered"}
        assert len(read_drop(server.drop)) == 3
        assert list((server.drop / ".incoming").iterdir()) == []


def test_a_server_that_lets_nothing_be_read_gets_the_same_files_once_more(tmp_path: Path) -> None:
    with SftpServer(tmp_path / "sshd", options="-P read") as server:
        batch = outgoing(server.route, 2)
        assert [codes(send(batch, access(server.client_key))) for _ in range(2)] == [{"offered"}, {"offered"}]
        assert len(read_drop(server.drop)) == 2
        assert list((server.drop / ".incoming").iterdir()) == []


def test_a_server_that_lets_nothing_be_written(tmp_path: Path) -> None:
    with SftpServer(tmp_path / "sshd", options="-R") as server:
        assert codes(send(outgoing(server.route, 2), access(server.client_key))) == {"sftp-denied"}


def test_a_full_disk_holds_back_what_does_not_fit_and_nothing_else(tmp_path: Path) -> None:
    with SftpServer(tmp_path / "sshd", limit=200) as server:
        small, (large,) = outgoing(server.route, 5), outgoing(server.route, sender_service="X" * 300_000)
        results = send([*small[:3], large, *small[3:]], access(server.client_key))
        assert [result.code for result in results] == ["offered"] * 3 + ["sftp-not-written"] + ["offered"] * 2
        assert read_drop(server.drop).keys() == {each.delivery_id for each in small}
        assert list((server.drop / ".incoming").iterdir()) == []


@pytest.mark.parametrize(
    "after", [60_000, *(pytest.param(each, marks=pytest.mark.long) for each in (500, 6_000, 20_000, 160_000, 180_000))]
)
def test_a_connection_that_is_cut_leaves_nothing_to_be_seen_and_the_next_try_completes_it(
    server: SftpServer, route: Route, folder: Path, after: int
) -> None:
    batch = outgoing(route, 20)
    with CuttingRelay(server.port, after=after) as relay:
        via = [Outgoing(each.delivery_id, each.authority, "sftp", 1, {**route, "port": str(relay.port)}, each.document) for each in batch]
        assert codes(send(via, access(server.client_key, timeout=10))) <= {"reset", "sftp-protocol"}
    assert relay.cut
    assert read_drop(folder) == {}
    assert codes(send(batch, access(server.client_key))) == {"offered"}
    assert len(read_drop(folder)) == 20


def test_closing_does_not_wait_for_a_server_that_hangs_in_the_middle_of_a_file(server: SftpServer, route: Route, folder: Path) -> None:
    async def run(relay: CuttingRelay) -> list[AttemptResult]:
        channel = SftpChannel(signer=SIGNER, access=access(server.client_key, timeout=60))
        sending = asyncio.create_task(channel.send(outgoing({**route, "port": str(relay.port)}, 20)))
        while not relay.cut:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(5):
            await channel.close()
            return await sending

    with CuttingRelay(server.port, after=60_000, stall=True) as relay:
        results = asyncio.run(run(relay))
    assert codes(results) == {"stopping"}
    assert read_drop(folder) == {}


def test_a_reader_never_sees_half_a_file_nor_half_a_batch(server: SftpServer, route: Route, folder: Path) -> None:
    batch, stop, looks = outgoing(route, 300), threading.Event(), 0
    faults: list[BaseException] = []

    def read() -> None:
        nonlocal looks
        try:
            while not stop.is_set():
                held = read_drop(folder)
                assert len(held) in (0, 300)
                for document in folder.glob("[0-9a-f]*/*.json"):
                    json.loads(document.read_bytes())
                looks += 1
        except BaseException as fault:
            faults.append(fault)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert codes(send(batch, access(server.client_key))) == {"offered"}
    finally:
        stop.set()
        reader.join()
    assert faults == []
    assert looks > 3
    assert read_drop(folder).keys() == {each.delivery_id for each in batch}


def rows(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "|calc", "%0"])
def test_no_cell_starts_a_formula(start: str) -> None:
    document = an_outgoing("sftp", {})
    hostile = {"sender_service": start, "flags": [start], "needs": [{**dict.fromkeys(NEED, start), "kinds": [start]}], "parent_view": start}
    sealed = read_document(document.delivery_id, changed(document.document, hostile))
    batch = make_batch(document.authority, [sealed], key_id=SIGNER.key_id, sign=SIGNER.private_key.sign)
    (row,) = rows(batch.views)
    for column in ("sender_service", "flags", "parent_view", "need_sen_type", "need_kinds"):
        assert row[column].startswith("'")
    assert all(cell[:1] not in "=+-@\t\r" for cell in row.values() if cell)


NEED = ("sen_type", "area", "certainty", "strength", "table_version")


def test_quotes_commas_and_lines_stay_within_their_cell() -> None:
    document = an_outgoing("sftp", {})
    sealed = read_document(document.delivery_id, changed(document.document, {"sender_service": 'a,"b"\r\nc'}))
    batch = make_batch(document.authority, [sealed], key_id=SIGNER.key_id, sign=SIGNER.private_key.sign)
    (row,) = rows(batch.views)
    assert row["sender_service"] == 'a,"b"\r\nc'


def test_the_columns_are_the_fields_of_the_published_view_and_no_other() -> None:
    schema = json.loads((ROOT / "notify_gateway/privacy/view.schema.json").read_bytes())
    fields = set(schema["properties"]) - {"format", "version", "needs"}
    fields |= {f"need_{name}" for name in schema["$defs"]["need"]["properties"]}
    assert set(COLUMNS) == fields | {"delivery_id", "event", "notification_id", "file", "sha256"}
    document = an_outgoing("sftp", {})
    more = changed(document.document, {"family_name": "Jones"})
    sealed = read_document(document.delivery_id, more)
    assert "Jones" not in repr(dict(sealed.row))


def test_the_documentation_names_every_column_in_order_and_every_code() -> None:
    section = (ROOT / "docs/authorities.md").read_text("utf-8").partition("## By SFTP")[2].partition("\n## ")[0]
    columns = section.partition("Columns, in this order:")[2].partition("It is the pseudonymous view")[0]
    assert tuple(re.findall(r"`([a-z0-9_]+)`", columns)) == COLUMNS
    told = (ROOT / "docs/operators.md").read_text("utf-8").partition("## Authorities by SFTP")[2].partition("\n## ")[0]
    sources = "".join((ROOT / f"workers/{name}.py").read_text("utf-8") for name in ("channels/sftp_link", "channels/sftp_drop", "receipts"))
    codes = set(re.findall(r'"(sftp-[a-z-]+|receipts-refused|unresolved|refused|unreachable|timeout|reset)"', sources))
    assert len(codes) > 10
    assert {code for code in codes if f"`{code}`" not in told} == set()


def test_a_batch_is_named_by_what_is_in_it_in_whatever_order() -> None:
    documents = [read_document(each.delivery_id, each.document) for each in (an_outgoing("sftp", {}) for _ in range(3))]
    made = [make_batch("E06000004", part, key_id="k", sign=SIGNER.private_key.sign) for part in (documents, documents[::-1])]
    assert made[0] == made[1]
    assert batch_id("E06000004", documents) != batch_id("E06000004", documents[:2])
    assert batch_id("E06000004", documents) != batch_id("E06000002", documents)


def test_a_manifest_that_the_gateway_did_not_sign_is_refused() -> None:
    document = an_outgoing("sftp", {})
    sealed = read_document(document.delivery_id, document.document)
    content = make_batch(document.authority, [sealed], key_id=SIGNER.key_id, sign=SIGNER.private_key.sign).manifest
    assert verify_manifest(content, gateway_key()).entries[0].delivery_id == document.delivery_id
    forged = content.replace(sealed.digest.encode(), sealed.digest[::-1].encode())
    for each in (forged, content + b" ", b"", b"[]", b"{}", content.replace(b'"version":1', b'"version":2')):
        with pytest.raises(DropUnreadable):
            verify_manifest(each, gateway_key())
