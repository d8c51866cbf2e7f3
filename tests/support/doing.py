# SPDX-License-Identifier: MIT
"""Doing, for real, each act that discloses or changes: what goes before it is done first, then the act is returned to be done."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from mappings.authorities import Directory
from mappings.postcodes import demonstration_source
from notify_gateway.domain.model import OrganisationType
from notify_gateway.domain.retention import ErasureReason, HoldReason
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, fingerprint, save
from notify_gateway.store import sign_in
from notify_gateway.store.proposals import Proposal
from notify_gateway.store.tables import shred_keys
from notify_gateway.use_cases import client_keys, collect, erase, gateway_keys, holds, log_keys, onboard, two_people
from notify_gateway.use_cases.client_keys import Offer
from notify_gateway.use_cases.gateway_keys import GATEWAY_NEXT
from notify_gateway.use_cases.log_keys import LOG_RETIRING
from tests.support.acts import HARTLEPOOL, Act, World, numbers
from tests.support.doing_casework import SETTLING
from tests.support.doing_devices import DEVICES
from tests.support.doing_inbox import IN_THE_INBOX
from tests.support.doing_operations import OPERATING
from tests.support.doing_paper import TAKING_AWAY
from tests.support.doing_staff import ENTERING
from tests.support.messages import a_message
from tests.support.signing import Assertion, TrustKey, form, jwks
from tests.use_cases.conftest import MIDDLESBROUGH, STOCKTON

NEXT_LOG = "notify-gateway.example/log/next"
_ALERT = ("--kind", "webhook", "--to", "https://alerts.example.gov.uk/hook")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _ids() -> dict[str, str]:
    return {"X-Request-ID": str(uuid4()), "X-Correlation-ID": str(uuid4())}


def _send(world: World) -> Act:
    headers = _ids() | {"Content-Type": "application/fhir+json"}
    return world.ask("POST", "/fhir/R4/$process-message", "RXX", 202, headers=headers, content=a_message().bytes())


def _send_many(world: World) -> Act:
    headers = _ids() | {"Content-Type": "application/fhir+ndjson"}
    return world.ask("POST", "/fhir/R4/$process-messages", "RXX", headers=headers, content=a_message().bytes())


def _sign_in(world: World) -> Act:
    _, client_id, key = world.trust_with_key()
    audience = f"{world.house.gateway.settings.base_url}/oauth2/token"
    fields = form(Assertion(key, client_id, audience, world.house.clock.now()).signed())

    def do() -> None:
        answer = world.http.post("/oauth2/token", data=fields)
        assert answer.status_code == 200, answer.text

    return do


def _of_delivery(method: str, step: str, before: Callable[[World], UUID], body: Mapping[str, str] | None = None) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        return world.ask(method, f"/authority/v1/deliveries/{before(world)}{step}", STOCKTON, json=body)

    return prepare


def _receive(world: World) -> Act:
    delivery = world.offered()
    document = collect.fetch(world.house.gateway, authority=STOCKTON, delivery_id=delivery)
    digest = {"digest": hashlib.sha256(document).hexdigest()}
    return world.ask("POST", f"/authority/v1/deliveries/{delivery}/received", STOCKTON, json=digest)


def _reveal(world: World) -> Act:
    delivery = world.offered(a_message().for_child(postcode="TS24 8AY").to_authority(HARTLEPOOL))
    reason = {"reason": "contact-family", "case_reference": "EY-2026-17"}
    return world.ask("POST", f"/authority/v1/deliveries/{delivery}/reveal", HARTLEPOOL, json=reason)


def _read_log(path: str, whose: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        world.queued()
        world.sequenced()
        return world.ask("GET", path, whose)

    return prepare


def _search_form(world: World) -> Act:
    return world.ask("POST", "/fhir/R4/AuditEvent/_search", "dpo", headers=FORM, content=b"type=rest")


def _read_audit_event(world: World) -> Act:
    world.queued()
    world.sequenced()
    accepted = next(key for key, event in world.recorded().items() if event.tag == "notification:accepted")
    return world.ask("GET", f"/fhir/R4/AuditEvent/{accepted}", "dpo")


def _deliver(world: World) -> Act:
    delivery = world.queued()
    return lambda: world.celery.tasks["workers.deliver"]([str(delivery)])


def _show_story(world: World) -> Act:
    return world.command("audit", "show", world.house.accept(a_message()).reference)


def _show_details(world: World) -> Act:
    return world.command("audit", "details", world.house.accept(a_message()).reference)


def _export_log(world: World) -> Act:
    world.queued()
    world.sequenced()
    return world.command("audit", "export", "--out", world.folder / "log.jsonl")


def _add_authority_key(world: World) -> Act:
    key = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING).public()
    save(world.folder / "theirs.pub", key)
    return world.command("authorities", "key", "add", world.folder / "theirs.pub", "--fingerprint", fingerprint(key))


def _retire_authority_key(world: World) -> Act:
    key = RecipientPrivateKey.generate(MIDDLESBROUGH, RecipientPurpose.WORKING).public()
    onboard.register_key(world.house.gateway, key=key, actor="test")
    return world.command("authorities", "key", "retire", key.kid)


def _propose_authority(world: World) -> Proposal:
    settings = {"gss": "E06000005", "custody": "managed", "channel": "pull", "route": {}}
    return two_people.propose_settings(world.house.gateway, directory=Directory.load(), **settings, actor="operator:ben")  # type: ignore[arg-type]


def _approve_authority(world: World) -> Act:
    return world.command("authorities", "approve", "E06000005", "--code", _propose_authority(world).fingerprint)


def _refuse_authority(world: World) -> Act:
    _propose_authority(world)
    return world.command("authorities", "refuse", "E06000005")


def _propose_authority_key(world: World) -> Act:
    save(world.folder / "next.pub", RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING).public())
    return world.command("authorities", "key", "propose", world.folder / "next.pub")


def _proposed_key(world: World) -> Proposal:
    key = RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING).public()
    return two_people.propose_key(world.house.gateway, key=key, actor="operator:somebody-else")


def _approve_authority_key(world: World) -> Act:
    proposal = _proposed_key(world)
    return world.command("authorities", "key", "approve", proposal.subject, "--fingerprint", proposal.fingerprint)


def _refuse_authority_key(world: World) -> Act:
    return world.command("authorities", "key", "refuse", _proposed_key(world).subject)


def _remove_alert(world: World) -> Act:
    world.command("authorities", "alerts", "add", HARTLEPOOL, *_ALERT)()
    return world.command("authorities", "alerts", "remove", HARTLEPOOL, *_ALERT)


def _jwks_file(world: World) -> tuple[Path, TrustKey]:
    number = next(numbers)
    key, file = TrustKey(f"key-{number}", number=number), world.folder / f"{number}.json"
    file.write_bytes(jwks(key))
    return file, key


def _invite(world: World) -> Act:
    file, _ = _jwks_file(world)
    return world.command("trusts", "invite", f"T{next(numbers)}", "--name", "A trust", "--type", "nhs-trust", "--jwks", file)


def _approve(world: World) -> Act:
    number = next(numbers)
    key = TrustKey(f"key-{number}", number=number)
    client_keys.invite(
        world.house.gateway,
        ods=f"T{number}",
        name="A trust",
        organisation_type=OrganisationType.NHS_TRUST,
        offer=Offer(jwks=jwks(key)),
        actor="operator:somebody-else",
    )
    return world.command("trusts", "approve", f"T{number}", "--fingerprint", key.fingerprint)


def _add_trust_key(world: World) -> Act:
    (ods, _, _), (file, _) = world.trust_with_key(), _jwks_file(world)
    return world.command("trusts", "keys", "add", ods, "--jwks", file)


def _revoke_trust_key(world: World) -> Act:
    ods, _, key = world.trust_with_key()
    return world.command("trusts", "keys", "revoke", ods, key.kid)


def _forget_address(world: World) -> Act:
    (ods, client_id, _), now = world.trust_with_key(), world.house.clock.now()
    with world.house.gateway.engine.begin() as connection:
        sign_in.save_source(connection, sign_in.KeySource(UUID(client_id), "https://keys.example/", "test", now, now, now))
    return world.command("trusts", "keys", "forget-address", ods)


def _revoke_token(group: str, kind: str, code: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        token = onboard.issue_token(world.house.gateway, kind=kind, code=code, lasts=timedelta(days=1), actor="test")
        return world.command(group, "revoke", token.id)

    return prepare


def _commanded(*arguments: object) -> Callable[[World], Act]:
    return lambda world: world.command(*arguments)


def _load_postcodes(world: World) -> Act:
    file = world.folder / "postcodes.csv"
    shutil.copyfile(demonstration_source(), file)
    return world.command("postcodes", "load", file, "--edition", f"edition-{next(numbers)}")


def _load_demonstration(world: World) -> Act:
    _load_postcodes(world)()
    return world.command("postcodes", "demonstration")


def _erase(world: World) -> Act:
    reference = world.house.accept(a_message()).reference
    return world.command("erase", reference, "--reason", "subject-request", "--case", "IG-2026-1", "--cancel-open", "--yes")


def _back_up(world: World) -> Act:
    return world.command("backup", "--to", world.folder / "backup", "--shred-to", world.folder / "backup-of-shred-keys")


def _hold(world: World) -> Act:
    reference = world.house.accept(a_message()).reference
    return world.command("hold", "set", reference, "--reason", "litigation", "--case", "IG-2026-2")


def _release(world: World) -> Act:
    reference = world.house.accept(a_message()).reference
    holds.set_hold(world.house.gateway, reference=reference, reason=HoldReason.LITIGATION, case_reference="IG-2026-3", actor="test")
    return world.command("hold", "release", reference, "--case", "IG-2026-3")


def _replay(world: World) -> Act:
    accepted, gateway = world.house.accept(a_message()), world.house.gateway
    with gateway.shred_engine.begin() as connection:
        before = {row.message_id: dict(row._mapping) for row in connection.execute(select(shred_keys))}
    reason = ErasureReason.SUBJECT_REQUEST
    erase.erase(gateway, reference=accepted.reference, reason=reason, case_reference="IG-2026-4", actor="test", cancel_open=True)
    with gateway.shred_engine.begin() as connection:
        now = set(connection.scalars(select(shred_keys.c.message_id)))
        connection.execute(insert(shred_keys), [row for key, row in before.items() if key not in now])
    return world.command("restore", "replay-erasures")


def _close_year(world: World) -> Act:
    world.queued()
    world.sequenced()
    return world.command("audit", "close-year", "--origin", NEXT_LOG, "--yes")


def _delete_entries(world: World) -> Act:
    _close_year(world)()
    world.set_variable("NOTIFY_GATEWAY_LOG_KEPT", "PT0.000001S")
    world.set_variable("NOTIFY_GATEWAY_LOG_ORIGIN", NEXT_LOG)
    return world.command("audit", "delete-entries", world.house.gateway.settings.log_origin, "--case", "RM-1", "--yes")


def _open_next(world: World) -> Act:
    world.queued()
    world.sequenced()
    world.put_back()
    world.queued()
    world.sequenced()
    return world.command("restore", "open", "--reason", "disk-failure", "--lists", world.folder / "lists")


def _rotate_log_key(world: World) -> Act:
    if (world.house.gateway.settings.keys / LOG_RETIRING).exists():
        _retire_log_key(world)()
    return world.command("keys", "rotate", "log")


def _retire_log_key(world: World) -> Act:
    gateway = world.house.gateway
    if not (gateway.settings.keys / LOG_RETIRING).exists():
        log_keys.rotate(gateway.engine, gateway.settings.keys, now=world.house.clock.now(), actor="test")
    return world.command("keys", "retire", "log")


def _rotate_gateway_key(world: World) -> Act:
    if (world.house.gateway.settings.keys / GATEWAY_NEXT).exists():
        _retire_gateway_key(world)()
    return world.command("keys", "rotate", "gateway")


def _retire_gateway_key(world: World) -> Act:
    gateway = world.house.gateway
    if not (gateway.settings.keys / GATEWAY_NEXT).exists():
        gateway_keys.rotate(gateway.engine, gateway.settings.keys, now=world.house.clock.now(), actor="test")
    return world.command("keys", "retire", "gateway")


_DELIVERY = "/authority/v1/deliveries/{delivery_id}"
_ON = {"on": "2026-11-20"}
DOING: Mapping[str, Callable[[World], Act]] = {
    **OPERATING,
    **SETTLING,
    **DEVICES,
    **ENTERING,
    **IN_THE_INBOX,
    **TAKING_AWAY,
    "POST /fhir/R4/$process-message": _send,
    "POST /fhir/R4/$process-messages": _send_many,
    "POST /oauth2/token": _sign_in,
    f"GET {_DELIVERY}": _of_delivery("GET", "", World.offered),
    f"POST {_DELIVERY}/received": _receive,
    f"POST {_DELIVERY}/acknowledge": _of_delivery("POST", "/acknowledge", World.received),
    f"POST {_DELIVERY}/contacted": _of_delivery("POST", "/contacted", World.acknowledged, _ON),
    f"POST {_DELIVERY}/outcome": _of_delivery("POST", "/outcome", World.acknowledged, _ON | {"outcome": "portage"}),
    f"POST {_DELIVERY}/send-back": _of_delivery("POST", "/send-back", World.received, {"reason": "moved"}),
    f"POST {_DELIVERY}/reveal": _reveal,
    "GET /log/tile/entries/{path}": _read_log("/log/tile/entries/000.p/1", "dpo"),
    "GET /log/export": _read_log("/log/export", "RXX"),
    "GET /ig/export": _read_log("/ig/export", "dpo"),
    "GET /ig/details/{reference}": lambda world: world.ask("GET", f"/ig/details/{world.house.accept(a_message()).reference}", "dpo"),
    "GET /fhir/R4/AuditEvent": _read_log("/fhir/R4/AuditEvent?subtype=create", "dpo"),
    "POST /fhir/R4/AuditEvent/_search": _search_form,
    "GET /fhir/R4/AuditEvent/{event_id}": _read_audit_event,
    "task workers.deliver": _deliver,
    "command audit show": _show_story,
    "command audit details": _show_details,
    "command audit export": _export_log,
    "command authorities register": _commanded("authorities", "register", "E06000003", "--custody", "managed", "--channel", "pull"),
    "command authorities token": _commanded("authorities", "token", STOCKTON),
    "command authorities propose": _commanded("authorities", "propose", "E06000003", "--custody", "managed", "--channel", "pull"),
    "command authorities approve": _approve_authority,
    "command authorities refuse": _refuse_authority,
    "command authorities key propose": _propose_authority_key,
    "command authorities key approve": _approve_authority_key,
    "command authorities key refuse": _refuse_authority_key,
    "command authorities key add": _add_authority_key,
    "command authorities key retire": _retire_authority_key,
    "command authorities alerts add": _commanded("authorities", "alerts", "add", STOCKTON, *_ALERT),
    "command authorities alerts remove": _remove_alert,
    "command trusts register": _commanded("trusts", "register", "RZZ", "--name", "A trust", "--type", "nhs-trust"),
    "command trusts invite": _invite,
    "command trusts approve": _approve,
    "command trusts token": _commanded("trusts", "token", "RXX"),
    "command trusts revoke": _revoke_token("trusts", "trust", "RXX"),
    "command trusts keys add": _add_trust_key,
    "command trusts keys revoke": _revoke_trust_key,
    "command trusts keys forget-address": _forget_address,
    "command ig register": _commanded("ig", "register", "caldicott", "--for", "Caldicott Guardian, Example ICB"),
    "command ig token": _commanded("ig", "token", "dpo"),
    "command ig revoke": _revoke_token("ig", "ig", "dpo"),
    "command erase": _erase,
    "command backup": _back_up,
    "command hold set": _hold,
    "command hold release": _release,
    "command keys rotate gateway": _rotate_gateway_key,
    "command keys retire gateway": _retire_gateway_key,
    "command audit close-year": _close_year,
    "command audit delete-entries": _delete_entries,
    "command restore open": _open_next,
    "command restore replay-erasures": _replay,
    "command keys rotate log": _rotate_log_key,
    "command keys retire log": _retire_log_key,
    "command postcodes load": _load_postcodes,
    "command postcodes demonstration": _load_demonstration,
}
ALONE = ("command audit close-year", "command audit delete-entries", "command restore open")
"""Acts after which a service goes on under another name, so that each needs a service of its own."""
