# SPDX-License-Identifier: MIT
"""People who are signed in: with no provider, for tests of pages; and at the practice provider, which may be made to lie."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx2
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from audit.events import Event
from audit.log import append
from notify_gateway.cli.demo.front_door import ServerThread
from notify_gateway.cli.practice.personas import PROVIDER, personas, write_providers
from notify_gateway.cli.practice.provider import Issued, PracticeProvider
from notify_gateway.cli.run import listen
from notify_gateway.domain.staff import Role
from notify_gateway.store.staff import BY_PROVIDER, Member, Members
from notify_gateway.store.tables import audit_tables
from notify_gateway.use_cases import staff_sessions
from notify_gateway.use_cases.client_keys import Books
from notify_gateway.use_cases.staff_providers import CALLBACK

STOCKTON, MIDDLESBROUGH, TRUST = "E06000004", "E06000002", "RXX"
FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


def a_member(books: Books, *roles: Role, authority: str = STOCKTON, name: str = "Robin Officer") -> Member:
    """Enter somebody with these roles, the same person for the same name, roles and organisation; return them."""
    known = hashlib.sha256(f"{name} {sorted(roles)} {authority}".encode()).digest()
    with books.engine.begin() as connection:
        members = Members(connection, authority)
        held = members.by_subject(known)
        if held is not None:
            return held
        now = books.clock.now()
        member = Member(uuid4(), authority, known, PROVIDER, name, frozenset(roles), BY_PROVIDER, now, last_at=now)
        members.add(member)
        fields = {"organisation": authority, "provider": PROVIDER, "roles": ",".join(sorted(roles))}
        append(connection, audit_tables, [Event("staff:added", at=now, actor="test", subject=member.person.actor, fields=fields)])
    return member


def sign_in_as(books: Books, *roles: Role, authority: str = STOCKTON, name: str = "Robin Officer", stepped_up: bool = False) -> str:
    """Sign somebody in with these roles (an officer if none is named) without any provider; return what their browser holds.

    The cookie is called ``staff`` over http and ``__Host-staff`` over https.
    """
    member = a_member(books, *(roles or (Role.OFFICER,)), authority=authority, name=name)
    opened = staff_sessions.open_session(books, member, provider=PROVIDER)
    if not stepped_up:
        return opened.cookie
    visit = staff_sessions.look(books, opened.cookie)
    assert isinstance(visit, staff_sessions.Visit)
    return staff_sessions.step_up(books, visit, cookie=opened.cookie, provider=PROVIDER).cookie


def form_token(page: str) -> str:
    """Return the token that a page's forms bear."""
    found = FORM_TOKEN.search(page)
    assert found is not None, page[:2000]
    return found[1]


@dataclass
class Liar(PracticeProvider):
    """A practice provider whose tokens and answers can be tampered with."""

    lie: Callable[[dict[str, Any]], str | Mapping[str, Any]] = field(default=dict)

    def _id_token(self, issued: Issued) -> str:
        return self.lying(self.claims(issued))

    def lying(self, claims: dict[str, Any]) -> str:
        """Return the token that is sent in the place of the true one."""
        found = self.lie(claims)
        return found if isinstance(found, str) else self.sign(dict(found))


@dataclass(frozen=True)
class Practice:
    """A running practice provider, and the file that names it."""

    provider: Liar
    file: Path
    there: httpx2.Client

    def choose(self, url: str, key: str) -> str:
        """Choose somebody on the provider's page at ``url``; return where it sends the browser."""
        answer = self.there.get(f"{url}&as={key}")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


@contextmanager
def practice(folder: Path, base_url: str = "http://testserver", now: Callable[[], float] = time.time) -> Iterator[Practice]:
    """Keep a practice provider running while the block runs; ``now`` is its clock."""
    people = personas(home=STOCKTON, other=MIDDLESBROUGH, trust=TRUST)
    with listen("127.0.0.1", 0) as listening:
        issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        file, secret = write_providers(folder, issuer, people)
        provider = Liar(issuer, f"{base_url}{CALLBACK}/{PROVIDER}", secret, people, now=now)
        server = uvicorn.Server(uvicorn.Config(provider.app(), log_config=None, access_log=False))
        with ServerThread(server, listening), httpx2.Client() as there:
            yield Practice(provider, file, there)


def browser(app: FastAPI, base_url: str = "http://testserver") -> TestClient:
    """Return somebody's browser: it reads pages, follows nothing by itself, and says that its forms come from this site."""
    return TestClient(app, base_url=base_url, follow_redirects=False, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})


def come_in(client: TestClient, running: Practice, key: str, *, goes_to: str = "") -> httpx2.Response:
    """Sign in at the practice provider as the made-up person; return the answer to the way back."""
    begun = client.get(f"/sign-in/with/{PROVIDER}", params={"next": goes_to} if goes_to else {})
    assert begun.status_code == 303, begun.text
    return client.get(running.choose(begun.headers["location"], key))


def parameters(url: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
