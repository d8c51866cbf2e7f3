# SPDX-License-Identifier: MIT
"""Details beside the log: the entry commits to them, they can be proved while they are there, and erased without harm to any proof."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from audit.detail import Detail, DetailDiffers, verify
from audit.events import Event, read_leaf
from audit.export import verify_export
from audit.merkle import leaf_hash
from audit.reading import receipt_for
from audit.receipts import verify_receipt
from audit.verify import main as verify_offline
from notify_gateway import opener
from notify_gateway.app import create_app
from notify_gateway.domain.errors import NotFound
from notify_gateway.domain.retention import ErasureReason
from notify_gateway.runtime import open_sequencer
from notify_gateway.store.tables import audit_tables, event_details
from notify_gateway.use_cases import deliver, erase, exporting, onboard, reveal
from notify_gateway.use_cases.details import details_of
from tests.support.messages import a_message
from tests.use_cases.conftest import STOCKTON, House

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HARTLEPOOL, CASE = "E06000001", "FAMILY-NAME-2026-17"


@pytest.fixture
def revealed(house: House, tmp_path: Path) -> str:
    """A notification that somebody was granted sight of, in the signed log; its reference."""
    gateway = house.gateway
    onboard.register_authority(gateway, gss=HARTLEPOOL, custody="managed", channel="pull", actor="test")
    onboard.register_key(gateway, key=opener.make_managed_key(tmp_path / "opener", HARTLEPOOL).public(), actor="test")
    accepted = house.accept(a_message().for_child(postcode="TS24 8AY").to_authority(HARTLEPOOL))
    (hint,) = deliver.find_due(gateway)
    reveal.grant(gateway, authority=HARTLEPOOL, delivery_id=UUID(hint.ids[0]), kind="card", reason="contact-family", case_reference=CASE)
    sequencer = open_sequencer(gateway.settings, house.clock)
    while sequencer.run_once():
        pass
    sequencer.close()
    return accepted.reference


def grant_leaf(house: House) -> tuple[UUID, bytes]:
    leaf = audit_tables.leaf.c
    with house.gateway.engine.begin() as connection:
        row = connection.execute(select(leaf.event_id, leaf.leaf).where(leaf.tag == "reveal:granted")).one()
    return row.event_id, bytes(row.leaf)


def test_the_case_reference_of_a_reveal_is_committed_to_and_not_in_the_log(house: House, revealed: str) -> None:
    assert CASE.encode() not in b"\n".join(exporting.lines(house.gateway, actor="operator:ig"))
    (told,) = details_of(house.gateway, reference=revealed, actor="operator:ig")
    _, leaf = grant_leaf(house)
    assert (told.event, told.words) == (read_leaf(leaf), CASE)
    assert verify(read_leaf(leaf), Detail(bytes.fromhex(told.salt or ""), CASE.encode())) == CASE


def test_what_was_erased_is_gone_and_every_proof_stays(house: House, revealed: str) -> None:
    event_id, leaf = grant_leaf(house)
    erase.erase(
        house.gateway,
        reference=revealed,
        reason=ErasureReason.SUBJECT_REQUEST,
        case_reference="IG-1",
        actor="operator:ig",
        cancel_open=True,
    )
    assert house.count(event_details) == 0
    (told,) = details_of(house.gateway, reference=revealed, actor="operator:ig")
    assert (told.event, told.words, told.salt) == (read_leaf(leaf), None, None)
    with house.gateway.engine.begin() as connection:
        receipt = receipt_for(connection, audit_tables, event_id)
    assert receipt is not None
    verify_receipt(receipt, leaf_hash(leaf), house.runtime.public.log)
    verify_export(exporting.lines(house.gateway, actor="operator:ig"), [house.runtime.public.log])


def test_a_restored_backup_does_not_bring_a_detail_back(house: House, revealed: str) -> None:
    with house.gateway.engine.begin() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(event_details))]
    reason = ErasureReason.SUBJECT_REQUEST
    erase.erase(house.gateway, reference=revealed, reason=reason, case_reference="IG-1", actor="operator:ig", cancel_open=True)
    with house.gateway.engine.begin() as connection:
        connection.execute(insert(event_details), rows)
    erase.replay(house.gateway, actor="operator:ig")
    assert house.count(event_details) == 0


def test_a_detail_that_somebody_exchanged_is_found_out(house: House, revealed: str) -> None:
    with house.gateway.engine.begin() as connection:
        connection.execute(update(event_details).values(content=b"ANOTHER-CASE"))
    (told,) = details_of(house.gateway, reference=revealed, actor="operator:ig")
    with pytest.raises(DetailDiffers):
        _ = told.words


def asked(house: House, path: str, *tokens: str) -> list[httpx2.Response]:
    async def ask() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app=create_app(house.runtime))
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
            return [await client.get(path, headers={"Authorization": f"Bearer {token}"}) for token in tokens]

    return asyncio.run(ask())


def test_over_http_each_sees_its_own_and_can_verify_it_offline(
    house: House, revealed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    onboard.register_ig(house.gateway, code="dpo", name="DPO", actor="test")
    holders = (("ig", "dpo"), ("authority", HARTLEPOOL), ("authority", STOCKTON), ("trust", "RXX"))
    tokens = [onboard.issue_token(house.gateway, kind=kind, code=code, lasts=None, actor="test").text for kind, code in holders]
    answers = asked(house, f"/ig/details/{revealed}", *tokens)
    assert [answer.status_code for answer in answers] == [200, 200, 404, 403]
    assert [answer.status_code for answer in asked(house, "/ig/details/SEN-nonsense", tokens[0])] == [404]
    (told,) = answers[0].json()["details"]
    assert answers[1].json()["details"] == [told]
    assert (told["words"], told["altered"], told["log"]) == (CASE, False, None)
    with house.gateway.engine.begin() as connection:
        held = audit_tables.pending.c
        views = connection.scalars(select(held.leaf).where(held.tag == "log:viewed").order_by(held.arrival)).all()
    assert [read_leaf(bytes(each)).actor for each in views] == ["ig:dpo", HARTLEPOOL]

    for name, content in (("leaf", b64decode(told["leaf"])), ("receipt", told["receipt"].encode()), ("detail", json.dumps(told).encode())):
        (tmp_path / name).write_bytes(content)
    given = ["receipt", "--key", house.runtime.public.log.vkey, *(f"--{name}={tmp_path / name}" for name in ("leaf", "receipt", "detail"))]
    capsys.readouterr()
    assert verify_offline(given) == 0
    assert f"Its detail is the one that it commits to: {CASE}" in capsys.readouterr().out
    for spoilt in (json.dumps(told | {"words": "ANOTHER"}), json.dumps({"words": CASE}), "nothing", "[" * 100_000):
        (tmp_path / "detail").write_text(spoilt)
        assert verify_offline(given) == 1
        assert CASE not in capsys.readouterr().out

    with house.gateway.engine.begin() as connection:
        connection.execute(update(event_details).values(content=b"ANOTHER-CASE"))
    (altered,) = asked(house, f"/ig/details/{revealed}", tokens[0])[0].json()["details"]
    assert (altered["words"], altered["altered"]) == (None, True)
    with house.gateway.engine.begin() as connection:
        connection.execute(delete(event_details))
    (erased,) = asked(house, f"/ig/details/{revealed}", tokens[0])[0].json()["details"]
    assert (erased["words"], erased["salt"], erased["altered"]) == (None, None, False)


def test_an_unknown_reference_has_no_details(house: House) -> None:
    with pytest.raises(NotFound):
        details_of(house.gateway, reference="SEN-00000000-0", actor="operator:ig")


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_commitment_is_to_one_text_under_one_salt(first: str, second: str) -> None:
    detail = Detail.of(first)
    fields = {"authority": "E06000001", "kind": "card", "reason": "contact-family", "detail": detail.commitment}
    event = Event("reveal:granted", AT, "E06000001", "a-notification", fields)
    assert verify(event, detail) == first
    for other in (Detail.of(first), Detail(detail.salt, (second + "x" + first).encode())):
        with pytest.raises(DetailDiffers):
            verify(event, other)
    assert repr(detail) == "Detail(<withheld>)"
