# SPDX-License-Identifier: MIT
"""A closed log: served and exported, its entries deleted when their time is over, and what it proves afterwards as before."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from audit import detail_store
from audit.cosignature import WitnessSigner, cosignatures
from audit.detail import Detail
from audit.events import Event, micros
from audit.guard import Guard
from audit.merkle import leaf_hash, root_from_leaves
from audit.note import Verifier, open_checkpoint
from audit.receipts import verify_receipt
from audit.tiles import Tile
from audit.verify import main as verify
from notify_gateway.app import create_app
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.clock import london_day
from notify_gateway.domain.errors import NotifyError
from notify_gateway.domain.retention import HoldReason
from notify_gateway.store.engine import reading
from notify_gateway.store.tables import audit_tables, cosigning_tables, event_details, succession_tables
from notify_gateway.use_cases import evidence, exporting, holds, proofs, restore, shards
from notify_gateway.use_cases.accept import Accepted
from notify_gateway.use_cases.invariants.deliveries import StatesAreLogged
from notify_gateway.use_cases.invariants.finding import Level
from notify_gateway.use_cases.invariants.log import AcceptancesAreLogged
from notify_gateway.use_cases.reconcile import Reconciliation
from tests.support.answers import issue_codes
from tests.use_cases.test_restoring import Drill, drill  # noqa: F401 - fixture

OLD, NEXT = "log.example/2026", "log.example/2027"
WITNESS = WitnessSigner.from_seed("icb.example/witness", b"w" * 32)


def closed(drill: Drill) -> Accepted:  # noqa: F811
    """Have a message accepted and revealed, and its log, which a witness has cosigned, closed; return the acceptance."""
    drill.reopen(log_origin=OLD, log_kept="P8D")
    accepted = drill.accept()
    gateway, now = drill.house.gateway, drill.house.clock.now()
    fields = {"kind": "card", "reason": "first-contact", "authority": "E06000004", "grant": "g-1"}
    granted = Event("reveal:granted", at=now, actor="E06000004", subject=str(accepted.notification_id), fields=fields)
    with gateway.engine.begin() as connection:
        detail_store.append_with_detail(connection, audit_tables, event_details, granted, Detail.of("EY-1"), about=granted.subject)
    drill.run()
    signed = Guard(drill.settings.guard_file).last_signed()
    assert signed is not None
    row = {"size": signed.size, "witness_name": "icb", "at": micros(now), "line": WITNESS.line(signed.to_text(), int(now.timestamp()))}
    with gateway.engine.begin() as connection:
        connection.execute(cosigning_tables.cosignature.insert(), row)
    assert shards.plan_closing(gateway, NEXT).hindrance is None
    restore.open_next(gateway, origin=NEXT, reason="year-closed", actor="operator:ann", restored=False)
    drill.reopen(log_origin=NEXT, log_kept="P8D")
    return accepted


def asked(drill: Drill, path: str) -> httpx2.Response:  # noqa: F811
    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=create_app(drill.house.runtime))
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(path)

    return asyncio.run(ask())


def refused(drill: Drill, case: str = "RM-1") -> str:  # noqa: F811
    with pytest.raises(NotifyError) as error:
        shards.delete(drill.house.gateway, origin=OLD, case_reference=case, actor="operator:ann")
    return error.value.issues[0].code


def exported(drill: Drill, path: Path, number: int | None = None) -> Path:  # noqa: F811
    path.write_bytes(b"".join(line + b"\n" for line in exporting.lines(drill.house.gateway, actor="a", closed=number)))
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    capsys.readouterr()
    code = verify([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)["finding"]


def test_entries_are_deleted_when_their_time_is_over_and_what_was_proven_stays_proven(
    drill: Drill,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    accepted = closed(drill)
    gateway = drill.house.gateway
    old_receipt = proofs.proof_of(gateway, accepted.event_id).receipt
    old_key = Verifier(OLD, drill.key().public)
    drill.accept()

    # A closed log is public as the one that lives: its name, keys, last checkpoint with cosignatures, and hashes.
    (told,) = asked(drill, "/log/closed").json()["logs"]
    assert (told["origin"], told["followed_by"], told["entries_deleted_at"]) == (OLD, NEXT, None)
    assert told["verifiers"] == [old_key.vkey]
    assert [Verifier.from_vkey(each).name for each in told["promises"]] == [f"{OLD}/promise"]
    note = asked(drill, "/log/closed/0/checkpoint").text
    last = open_checkpoint(note, old_key)
    assert len(cosignatures(note, [WITNESS.verifier])) == 1
    tile = f"/log/closed/0/tile/{Tile(0, 0, last.size).path}"
    hashes = asked(drill, tile).content
    assert root_from_leaves([hashes[start : start + 32] for start in range(0, len(hashes), 32)]) == last.root
    for path in ("/log/closed/7/checkpoint", "/log/closed/x/checkpoint", "/log/closed/7/tile/0/000.p/1"):
        assert issue_codes(asked(drill, path)) == [Code.CLOSED_LOG_UNKNOWN]
    assert issue_codes(asked(drill, "/log/closed/0/tile/entries/000.p/1")) == [Code.LOG_TILE_UNKNOWN]
    (tmp_path / "closed").write_text(note)
    whole = exported(drill, tmp_path / "whole.jsonl", 0)
    chain = ("export", "--key", drill.key().vkey, "--key", old_key.vkey, "--closed", tmp_path / "closed", "--export")
    assert said(capsys, *chain, exported(drill, tmp_path / "next.jsonl"))[0] == 0
    code, words = said(capsys, *chain, whole)
    assert (code, "does not say that it follows" in words) == (1, True)

    # Nothing goes before its time, under a hold, or without a case.
    assert refused(drill) == Code.LOG_STILL_KEPT
    drill.house.clock.move(timedelta(days=9))
    assert refused(drill, "Not a case!") == Code.CASE_REFERENCE
    holds.set_hold(gateway, reference=accepted.reference, reason=HoldReason.INQUIRY, case_reference="C-1", actor="a")
    assert refused(drill) == Code.LOG_HELD
    for actor in ("b", "c"):
        holds.release(gateway, reference=accepted.reference, case_reference="C-1", actor=actor)
    assert shards.delete(gateway, origin=OLD, case_reference="RM-1", actor="operator:ann") == last.size

    # What was said is gone, everywhere, and whoever asks is told so.
    with reading(gateway.engine).begin() as connection:
        assert connection.scalar(select(func.sum(func.length(succession_tables.leaf.c.leaf)))) == 0
        assert connection.scalar(select(func.count()).select_from(event_details)) == 0
    with pytest.raises(NotifyError) as gone:
        proofs.proof_of(gateway, accepted.event_id)
    assert gone.value.issues[0].code == Code.LOG_ENTRIES_DELETED
    with pytest.raises(NotifyError):
        proofs.proofs_of(gateway, {"received": accepted.event_id})
    assert refused(drill) == Code.LOG_ENTRIES_DELETED
    assert [entry.event.subject for entry in evidence.story(gateway, reference=accepted.reference, actor="a")] == []
    with pytest.raises(NotifyError) as day:
        Reconciliation(gateway, drill.house.trust, london_day(accepted.accepted_at))
    assert day.value.issues[0].code == Code.LOG_ENTRIES_DELETED
    assert asked(drill, "/log/closed").json()["logs"][0]["entries_deleted_at"] is not None

    # What proves is there as before.
    verify_receipt(old_receipt, leaf_hash(accepted.leaf), old_key)
    assert (asked(drill, tile).content, asked(drill, "/log/closed/0/checkpoint").text) == (hashes, note)
    empty = exported(drill, tmp_path / "empty.jsonl", 0)
    code, words = said(capsys, "export", "--key", old_key.vkey, "--export", empty)
    assert (code, "deleted on" in words, "0 are readable here" in words) == (0, True, True)
    assert "deleted on" in said(capsys, "gaps", "--key", old_key.vkey, "--export", empty)[1]
    assert said(capsys, *chain, exported(drill, tmp_path / "later.jsonl"))[0] == 0
    for invariant in (StatesAreLogged(), AcceptancesAreLogged()):
        assert invariant.check(gateway, whole=True).level is Level.OK, invariant.name
    drill.run()
    with reading(gateway.engine).begin() as connection:
        assert connection.scalar(select(func.count()).where(audit_tables.leaf.c.tag == "log_entries:deleted")) == 1


@pytest.mark.parametrize("drill", ["postgresql"], indirect=True)
def test_a_deletion_without_its_event_does_not_commit(drill: Drill) -> None:  # noqa: F811
    closed(drill)
    origin = succession_tables.origin
    with pytest.raises(SQLAlchemyError), drill.house.gateway.engine.begin() as connection:
        connection.execute(update(origin).where(origin.c.epoch == 0).values(entries_deleted_at=1))


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_a_spoiled_cosignature_costs_the_closed_log_nothing_else(drill: Drill) -> None:  # noqa: F811
    drill.reopen(log_origin=OLD)
    drill.accept()
    signed = Guard(drill.settings.guard_file).last_signed()
    assert signed is not None
    with drill.house.gateway.engine.begin() as connection:
        row = {"size": signed.size, "witness_name": "icb", "at": 1, "line": "no signature\n"}
        connection.execute(cosigning_tables.cosignature.insert(), row)
    restore.open_next(drill.house.gateway, origin=NEXT, reason="year-closed", actor="operator:ann", restored=False)
    (log,) = shards.all_closed(drill.house.gateway)
    assert open_checkpoint(log.note, Verifier(OLD, drill.key().public)) == signed
