# SPDX-License-Identifier: MIT
"""An authority, its channel and its keys: two people, the very fingerprint, fourteen days, and events that the authority sees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select

from audit.events import Event, read_leaf
from mappings.authorities import Directory
from notify_gateway.domain.catalogue import Code
from notify_gateway.domain.errors import Conflict, NotAllowed, NotFound, NotifyError, Refused
from notify_gateway.privacy.keys import RecipientPrivateKey, RecipientPublicKey, RecipientPurpose, fingerprint
from notify_gateway.settings import Deployment
from notify_gateway.store import parties
from notify_gateway.store.proposals import Proposal, waiting
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import onboard, two_people
from notify_gateway.use_cases.client_keys import PROPOSAL_LASTS
from notify_gateway.use_cases.exporting import is_own
from tests.use_cases.conftest import STOCKTON, House

HARTLEPOOL = "E06000001"
ANN, BEN = "operator:ann", "operator:ben"
DIRECTORY = Directory.load()


def propose(house: House, channel: str = "pull", *, actor: str = ANN, gss: str = HARTLEPOOL, **route: str) -> Proposal:
    wanted = {"gss": gss, "custody": "authority-held", "channel": channel}
    return two_people.propose_settings(house.gateway, directory=DIRECTORY, **wanted, route=route, actor=actor)


def approve(house: House, proposal: Proposal, typed: str | None = None, *, actor: str = BEN) -> Proposal:
    typed = proposal.fingerprint if typed is None else typed
    return two_people.approve(house.gateway, directory=DIRECTORY, subject=proposal.subject, fingerprint=typed, actor=actor)


def a_key(gss: str = STOCKTON) -> RecipientPublicKey:
    return RecipientPrivateKey.generate(gss, RecipientPurpose.WORKING).public()


def served(house: House) -> Mapping[str, parties.Receiver]:
    house.gateway.receivers.forget()
    return house.gateway.receivers.get()


def live(house: House, gss: str = STOCKTON) -> set[str]:
    return {key.kid for key in served(house)[gss].live_keys}


def leaves(house: House) -> list[bytes]:
    with house.gateway.engine.begin() as connection:
        return list(connection.scalars(select(audit_tables.pending.c.leaf).order_by(audit_tables.pending.c.arrival)))


def events(house: House, *tags: str) -> list[Event]:
    return [event for event in map(read_leaf, leaves(house)) if event.tag in tags]


def code(error: pytest.ExceptionInfo[NotifyError]) -> str:
    return error.value.issues[0].code


def test_an_authority_comes_on_by_two_people_and_by_what_the_second_one_read(house: House) -> None:
    first = propose(house, "webhook", url="https://one.example/hook")
    assert HARTLEPOOL not in served(house)
    with pytest.raises(NotAllowed) as alone:
        approve(house, first, actor=ANN)
    assert code(alone) == Code.SECOND_PERSON_NEEDED
    # While the second person reads, the first one exchanges the address: the code that was read is not that of what waits now.
    second = propose(house, "webhook", url="https://another.example/hook")
    with pytest.raises(Conflict) as exchanged:
        approve(house, second, first.fingerprint)
    assert code(exchanged) == Code.FINGERPRINT_DIFFERS
    assert HARTLEPOOL not in served(house)
    approve(house, second, second.fingerprint.lower().replace(" ", "-"))
    assert served(house)[HARTLEPOOL].route == {"url": "https://another.example/hook"}
    with pytest.raises(NotFound) as gone:
        approve(house, second)
    assert code(gone) == Code.PROPOSAL_UNKNOWN
    told = events(house, "authority:proposed", "authority:approved", "client:registered", "access:denied")
    mine = [(event.tag, event.actor) for event in told if HARTLEPOOL in (event.subject, *event.fields.values())]
    assert mine == [
        ("authority:proposed", ANN),
        ("access:denied", ANN),
        ("authority:proposed", ANN),
        ("access:denied", BEN),
        ("client:registered", BEN),
        ("authority:approved", BEN),
    ]


def test_a_change_of_channel_takes_two_people_and_what_is_no_route_is_not_proposed(house: House) -> None:
    for wrong in ("webhook", "nothing"):
        with pytest.raises(Refused):
            propose(house, wrong, gss=STOCKTON)
    with pytest.raises(Refused):
        propose(house, gss="E06999999")
    change = propose(house, "mesh", gss=STOCKTON, mailbox="X26ABC2", workflow="SEND_NOTIFICATION")
    assert served(house)[STOCKTON].channel == "pull"
    approve(house, change)
    assert served(house)[STOCKTON].channel == "mesh"
    assert len(live(house)) == 2, "its keys stay"


def test_a_key_is_sealed_to_only_when_a_second_person_heard_its_fingerprint(house: House) -> None:
    key, before = a_key(), live(house)
    proposal = two_people.propose_key(house.gateway, key=key, actor=ANN)
    for actor, typed, wanted in (
        (ANN, None, Code.SECOND_PERSON_NEEDED),
        (BEN, fingerprint(a_key()), Code.FINGERPRINT_DIFFERS),
        (BEN, "", Code.FINGERPRINT_DIFFERS),
    ):
        with pytest.raises((NotAllowed, Conflict)) as refused:
            approve(house, proposal, typed, actor=actor)
        assert code(refused) == wanted
    assert live(house) == before
    approve(house, proposal)
    assert live(house) == before | {key.kid}
    with pytest.raises(Conflict) as known:
        two_people.propose_key(house.gateway, key=key, actor=ANN)
    assert code(known) == Code.KEY_KNOWN
    with pytest.raises(NotFound) as nobody:
        two_people.propose_key(house.gateway, key=a_key(HARTLEPOOL), actor=ANN)
    assert code(nobody) == Code.AUTHORITY_NOT_SERVED
    (registered,) = [event for event in events(house, "key:registered") if event.subject == key.kid]
    assert (registered.actor, registered.fields["confirmed_by"]) == (BEN, ANN)


def test_a_key_is_retired_by_two_people_and_the_authority_sees_every_step_in_its_own_export(house: House) -> None:
    kid = house.keys[STOCKTON][0].kid
    proposal = two_people.propose_retirement(house.gateway, kid=kid, actor=ANN)
    with pytest.raises(NotAllowed):
        approve(house, proposal, actor=ANN)
    assert kid in live(house)
    approve(house, proposal)
    assert kid not in live(house)
    with pytest.raises(NotFound) as twice:
        two_people.propose_retirement(house.gateway, kid=kid, actor=ANN)
    assert code(twice) == Code.KEY_UNKNOWN
    with house.gateway.engine.begin() as connection:
        stockton = parties.find_client(connection, kind="authority", code=STOCKTON)
        other = parties.find_client(connection, kind="authority", code="E06000002")
    assert stockton is not None
    assert other is not None
    seen = [read_leaf(leaf).tag for leaf in leaves(house) if is_own(leaf, stockton)]
    assert seen[-4:] == ["key:proposed", "access:denied", "key:retired", "key:approved"]
    assert not any(is_own(leaf, other) and kid in leaf.decode() for leaf in leaves(house))


def test_a_proposal_lapses_and_may_be_refused_by_anybody_and_then_nothing_happens(house: House) -> None:
    proposal = propose(house)
    house.clock.move(PROPOSAL_LASTS - timedelta(seconds=1))
    with house.gateway.engine.begin() as connection:
        assert waiting(connection, now=house.clock.now()) == [proposal]
    house.clock.move(timedelta(seconds=1))
    with pytest.raises(NotFound):
        approve(house, proposal)
    again = propose(house)
    two_people.refuse(house.gateway, subject=again.subject, actor=ANN)
    with pytest.raises(NotFound):
        approve(house, again)
    with pytest.raises(NotFound):
        two_people.refuse(house.gateway, subject=again.subject, actor=BEN)
    assert HARTLEPOOL not in served(house)
    (refused,) = events(house, "proposal:refused")
    assert (refused.actor, refused.fields["act"], refused.fields["proposed_by"]) == (ANN, "settings", ANN)


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_in_a_live_deployment_one_person_alone_changes_nothing(house: House) -> None:
    gateway = house.gateway
    live_settings = gateway.settings.model_copy(update={"deployment": Deployment.LIVE})
    assert live_settings.model_copy(update={"one_person_onboarding": True}).one_person_onboards
    object.__setattr__(gateway, "settings", live_settings)
    before = served(house)
    for act in (
        lambda: onboard.register_authority(gateway, gss=HARTLEPOOL, custody="managed", channel="pull", actor=ANN),
        lambda: onboard.register_key(gateway, key=a_key(), actor=ANN),
        lambda: onboard.retire_key(gateway, kid=house.keys[STOCKTON][0].kid, actor=ANN),
    ):
        with pytest.raises(NotAllowed) as refused:
            act()
        assert code(refused) == Code.TWO_PEOPLE_NEEDED
    assert served(house) == before
    approve(house, propose(house))
    assert HARTLEPOOL in served(house)
