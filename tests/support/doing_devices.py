# SPDX-License-Identifier: MIT
"""Doing, for real, what people do with keys in their browsers: enrol, approve and end devices, drill, take what is sealed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import count

from sqlalchemy import select

from notify_gateway.domain.delivery import AttemptOutcome, AttemptResult
from notify_gateway.domain.staff import Person, Role
from notify_gateway.privacy.drills import open_drill
from notify_gateway.privacy.encoding import to_base64
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPurpose, fingerprint
from notify_gateway.store.tables import deliveries
from notify_gateway.use_cases import deliver, onboard
from notify_gateway.use_cases.devices import drill, enrol
from notify_gateway.use_cases.staff_sessions import Visit, look
from tests.support.acts import Act, World
from tests.support.messages import a_message
from tests.support.staff import STOCKTON, a_member, sign_in_as

_numbers = count(1)


def _manager(world: World, name: str) -> Person:
    return a_member(world.house.gateway, Role.MANAGER, name=name).person


def _post(world: World, path: str, status: int = 303, **fields: str) -> Act:
    """Return the sending of a form by a manager who has just proved who they are."""
    cookie = sign_in_as(world.house.gateway, Role.MANAGER, name="Kim Manager", stepped_up=True)
    visit = look(world.house.gateway, cookie)
    assert isinstance(visit, Visit)
    headers = {"Cookie": f"staff={cookie}", "Origin": "http://testserver"}

    def do() -> object:
        answer = world.http.post(path, data=fields | {"form_token": visit.form_token}, headers=headers)
        assert answer.status_code == status, answer.text
        return answer

    return do


def _key() -> RecipientPrivateKey:
    return RecipientPrivateKey.generate(STOCKTON, RecipientPurpose.WORKING)


def _proposed(world: World) -> RecipientPrivateKey:
    key = _key()
    label = f"Laptop {next(_numbers)}"
    enrol.enrol(world.house.gateway, by=_manager(world, "Lee Manager"), label=label, public=to_base64(key.public().raw))
    return key


def _live(world: World) -> RecipientPrivateKey:
    key = _proposed(world)
    enrol.approve(world.house.gateway, by=_manager(world, "Max Manager"), kid=key.kid, typed=fingerprint(key.public()))
    return key


def _enrol(world: World) -> Act:
    return _post(world, "/devices/enrol", label=f"Laptop {next(_numbers)}", public=to_base64(_key().public().raw))


def _approve(world: World) -> Act:
    key = _proposed(world)
    return _post(world, "/devices/approve", kid=key.kid, fingerprint=fingerprint(key.public()))


def _end(world: World) -> Act:
    return _post(world, "/devices/end", kid=_live(world).kid, reason="lost")


def _recovery(world: World) -> RecipientPrivateKey:
    return next(key for key in world.house.keys[STOCKTON] if key.purpose is RecipientPurpose.RECOVERY)


def _answer(world: World) -> Act:
    gateway = world.house.gateway
    begun = drill.begin(gateway, by=_manager(world, "Lee Manager"), kid=_recovery(world).kid)
    words = open_drill(json.loads(begun.document), _recovery(world), gateway.signing_key.public())
    return _post(world, "/devices/drill/answer", id=str(begun.id), answer=words)


def _take(path: str) -> Callable[[World], Act]:
    def prepare(world: World) -> Act:
        gateway, key = world.house.gateway, _live(world)
        onboard.register_authority(gateway, gss=STOCKTON, custody="authority-held", channel="inbox", actor="test")
        try:
            accepted = world.house.accept(a_message())
            with gateway.engine.begin() as connection:
                found = select(deliveries.c.id).where(deliveries.c.notification_id == accepted.notification_id)
                delivery = connection.scalars(found).one()
            (item,) = deliver.begin_attempts(gateway, [delivery], owner="test")
            deliver.finish_attempts(gateway, [AttemptResult(delivery, item.attempt, AttemptOutcome.OFFERED, "ok")], owner="test")
        finally:
            onboard.register_authority(gateway, gss=STOCKTON, custody="authority-held", channel="pull", actor="test")
        prefix = "file_" if path == "card/file" else ""
        reason = {f"{prefix}reason": "contact-family", f"{prefix}case_reference": "EY-2026-17"}
        return _post(world, f"/notifications/{accepted.reference}/{path}", 200, kid=key.kid, **reason)

    return prepare


DEVICES: Mapping[str, Callable[[World], Act]] = {
    "POST /devices/enrol": _enrol,
    "POST /devices/approve": _approve,
    "POST /devices/end": _end,
    "POST /devices/drill": lambda world: _post(world, "/devices/drill", kid=_recovery(world).kid),
    "POST /devices/drill/answer": _answer,
    "POST /notifications/{reference}/card/sealed": _take("card/sealed"),
    "POST /notifications/{reference}/card/file": _take("card/file"),
    "POST /notifications/{reference}/card/original/sealed": _take("card/original/sealed"),
}
