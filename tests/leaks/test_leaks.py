# SPDX-License-Identifier: MIT
"""Canaries go through the journey and through every failure; nothing that is kept, said or sent on the way holds one."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import psycopg
import pytest

from notify_gateway.privacy.opening import open_delivery
from tests.leaks import evidence
from tests.leaks.canaries import BORN, CANARIES, NUMBER, Evidence, a_canary, search
from tests.leaks.faulty import BLAB, BLABS, FUSE, METRICS, SPANS
from tests.support.messages import CONDITION, HEADER, PATIENT, VIEWS, Message
from tests.support.service import PULL, WEBHOOK, Acceptance, RunningService, plain_url
from tests.support.services import PrivatePostgres, PrivateRedis, eventually

FAMILY = "Vorpalstone"
VALIDATE = "/fhir/R4/Bundle/$validate"

PAGES = {"NOTIFY_GATEWAY_OPERATIONS_PAGES": "loopback"}


def large(message: Message) -> Message:
    """Make the message so large that it goes through the process pool."""
    message.resource(VIEWS)["payload"] += [{"contentString": f"{n} whiffling through the tulgey copse " * 30} for n in range(60)]
    return message


# Ways to be refused, each with a canary in the place where a careless service would quote it.


def _set(index: int, name: str, value: object) -> Callable[[Message], Message]:
    return lambda message: message.having(lambda data: data["entry"][index]["resource"].update({name: value}))


REFUSALS: dict[str, Callable[[Message], Message]] = {
    "a parent not informed": lambda message: message.without("parent-informed"),
    "an element named like the child": _set(PATIENT, FAMILY, "x"),
    "an element named like the child's number": _set(PATIENT, NUMBER, "x"),
    "a word where a date belongs": _set(PATIENT, "birthDate", FAMILY),
    "a birth date in British spelling": _set(PATIENT, "birthDate", BORN.strftime("%d/%m/%Y")),
    "a name of the wrong type": _set(PATIENT, "name", "Zyxandra Vorpalstone"),
    "a number for a name": _set(PATIENT, "name", int(NUMBER)),
    "a code that is a name": _set(PATIENT, "gender", FAMILY),
    "a resource named like the child": _set(PATIENT, "resourceType", FAMILY),
    "a reference to the child": _set(CONDITION, "subject", {"reference": f"Patient/{FAMILY}-{NUMBER}"}),
    "an extension that no one knows": _set(
        PATIENT, "modifierExtension", [{"url": f"https://tulgeywood.example/{FAMILY}", "valueString": "Jubjubina"}]
    ),
    "a message id that is a name": _set(HEADER, "id", FAMILY),
    "a reason that is a name": _set(HEADER, "reason", {"coding": [{"code": FAMILY}]}),
    "a number whose check digit is wrong": lambda message: message.for_child(number=NUMBER[:-1] + str((int(NUMBER[-1]) + 1) % 10)),
    "a child in Wales": lambda message: message.for_child(postcode="CF10 3ND"),
    "an authority that disagrees with the postcode": lambda message: message.to_authority(WEBHOOK),
    "an attachment that is not what it says": lambda message: message.attached(FAMILY.encode() * 300, title="Report of the Wabe Clinic"),
    "an attachment that is no base64": lambda message: message.attached(data="Zyxandra Vorpalstone! " * 100),
    "an attachment of a type that is a name": lambda message: message.attached(contentType=FAMILY),
    "a service asked for without agreement": lambda message: message.having(lambda data: data["entry"].pop(14)),
    "a score beyond the scale": lambda message: message.scored("communication", int(NUMBER)),
    "a large one with a wrong date": lambda message: large(_set(PATIENT, "birthDate", FAMILY)(message)),
}
BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "cut short": lambda body: body[: len(body) // 2],
    "a key twice": lambda body: body.replace(b'"gender":', b'"Vorpalstone":"x","Vorpalstone":"x","gender":'),
    "bytes that are no UTF-8": lambda body: body.replace(b"Zyxandra", b"Zyxandra\xff"),
    "a NUL": lambda body: body.replace(b"Zyxandra", b"Zyxandra\\u0000"),
    "not a number": lambda body: body.replace(b'"gender":', b'"Zyxandra":NaN,"gender":'),
    "a list": lambda body: b"[" + body + b"]",
}


def be_refused(service: RunningService) -> Iterator[httpx2.Response]:
    """Be refused in every way that there is; yield the answers."""
    for name, spoil in REFUSALS.items():
        response = service.post(spoil(a_canary()))
        assert 400 <= response.status_code < 500, (name, response.status_code)
        yield response
    for name, cut in BROKEN.items():
        response = service.post(cut(a_canary().bytes()))
        assert 400 <= response.status_code < 500, (name, response.status_code)
        yield response
    body = a_canary().bytes()
    for header in ("Authorization", "Content-Type", "Accept", "X-Request-ID", "X-Correlation-ID", "Content-Encoding"):
        yield service.post(body, headers={header: f"{FAMILY} {NUMBER}"})
    yield service.post(
        body,
        headers={"User-Agent": FAMILY, "Prefer": f"wait={NUMBER}", "traceparent": FAMILY, "X-Forwarded-For": FAMILY, "X-Request-ID": None},
    )
    for path in (f"/fhir/R4/Patient?identifier={NUMBER}", f"/fhir/R4/Task/{FAMILY}", f"/{FAMILY}/{NUMBER}", f"/static/{FAMILY}.css"):
        yield service.get(path)
    for path in (f"deliveries?limit={FAMILY}", f"deliveries?after={FAMILY}", f"deliveries/{NUMBER}"):
        yield service.authority("GET", path)
    yield service.authority("POST", f"deliveries/{uuid4()}/received", json={"digest": FAMILY, "family": FAMILY})


def only_try(service: RunningService) -> Iterator[httpx2.Response]:
    """Try every message without sending it, bare or as Parameters; yield the answers."""
    bodies = [change(a_canary()).bytes() for change in (large, lambda message: message.reason("delete"), *REFUSALS.values())]
    bodies += [cut(a_canary().bytes()) for cut in BROKEN.values()]
    for number, body in enumerate(bodies):
        wrapped = b'{"resourceType":"Parameters","parameter":[{"name":"resource","resource":' + body + b"}]}"
        response = service.post(wrapped if number % 2 else body, path=VALIDATE)
        assert response.status_code == 200
        yield response


def go_all_the_way(service: RunningService) -> Iterator[httpx2.Response]:
    """Make the journey to both authorities, small and large; yield the answers."""
    messages = [a_canary(), a_canary(WEBHOOK), large(a_canary())]
    for message in messages:
        response = service.post(message, headers={"Prefer": "wait=1"})
        task_id = Acceptance.of(response).task_id
        yield response
        yield service.post(message)
        yield service.post(message.bytes() + b" ")
        service.receipt(task_id)
        yield service.get(f"/fhir/R4/Task/{task_id}/$receipt")
    service.wait_until_delivered(len(messages))
    yield service.authority("GET", "deliveries?limit=200")
    service.collect_all()
    yield service.get(f"/fhir/R4/Task/{task_id}")
    opened = b""
    for authority, held in ((PULL, service.collected), (WEBHOOK, service.receiver.applied)):
        for document in held.values():
            original = open_delivery(json.loads(document), service.keys[authority][0], service.runtime.public.gateway).original
            assert original is not None
            opened += original.reveal()
    assert {hit.canary for hit in search([Evidence("opened with the authority's key", opened)])} == set(CANARIES)


def begin(service: RunningService, body: bytes, sent: int) -> socket.socket:
    """Begin to post: all headers and the first ``sent`` bytes of the body."""
    request = (
        "POST /fhir/R4/$process-message HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\n"
        f"Authorization: Bearer {service.trust_token}\r\nX-Request-ID: {uuid4()}\r\nX-Correlation-ID: {uuid4()}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    connection = socket.create_connection(("127.0.0.1", service.ports[0]), timeout=30)
    connection.sendall(request + body[:sent])
    return connection


def crash(service: RunningService) -> None:
    """Kill the gateway while half a message, and while a whole large one, is in its hands; wait until it is back."""
    serving = next(iter(service.processes.values()))
    body = large(a_canary()).bytes()
    for sent in (len(body) // 2, len(body)):
        with begin(service, body, sent):
            serving.kill9(group=True)
        eventually(lambda: serving.alive, within=10, what="the gateway started again")
        service.wait_ready()


def of_all(service: RunningService, answers: list[httpx2.Response]) -> Iterator[Evidence]:
    yield from evidence.of_answers(answers)
    yield from evidence.of_databases(service.gateway.engine, service.gateway.shred_engine)
    yield from evidence.of_processes(process.pid for process in service.processes.values())
    yield from evidence.of_public_pages(service)
    yield from evidence.of_operations_pages(service)
    yield from evidence.of_deliveries(service)
    yield from evidence.of_folder(service.folder)


@pytest.mark.timeout(180)
def test_nothing_leaks_on_the_embedded_default_through_journey_refusal_error_timeout_and_crash(tmp_path: Path) -> None:
    with RunningService(tmp_path / "it", embedded_as="tests.leaks.faulty", environment=PAGES) as service:
        answers = [*go_all_the_way(service), *be_refused(service), *only_try(service)]

        for explosive in (a_canary(), large(a_canary())):
            for path in ("/fhir/R4/$process-message", VALIDATE):
                answers.append(service.post(explosive.identified(f"{FUSE}-{uuid4()}"), path=path))
                assert answers[-1].status_code == 500

        body = a_canary().bytes()
        with begin(service, body, len(body) - 10) as slow:
            late = slow.recv(65536)
        assert b" 408 " in late.split(b"\r\n")[0]

        database = sqlite3.connect(service.data_dir / "main.sqlite3", timeout=20)
        database.execute("CREATE TRIGGER made_to_fail BEFORE INSERT ON ages BEGIN SELECT RAISE(ABORT, 'made to fail'); END")
        answers.append(service.post(a_canary()))
        assert answers[-1].status_code == 503
        database.execute("DROP TRIGGER made_to_fail")
        database.close()
        Acceptance.of(service.post(a_canary()))

        crash(service)
        found = search([*of_all(service, answers), Evidence("answer to a slow body", late)])
        spans, measured = (service.temporary / name for name in (SPANS, METRICS))
        assert "tracing is on" in spans.read_text()
        assert "metrics-are-on" in measured.read_text()
        assert '"status": 500' in service.output()
    assert found == []
    assert search(evidence.of_folder(service.folder)) == [], "something leaked as the process ended"


def test_leaks_built_into_the_running_service_are_all_found(tmp_path: Path) -> None:
    log = "file logs/embedded.log"
    leaks = {
        "log": (log, "family name"),
        "library": (log, "NHS number"),
        "output": (log, "date of birth"),
        "digest": (log, "e-mail"),
        "span": (f"file tmp/{SPANS}", "family name"),
        "metric": ("body of an answer", "family name"),
        "file": ("file tmp/judged.gz", "family name"),
        "name": ("names of files", "NHS number"),
    }
    with RunningService(tmp_path / "it", embedded_as="tests.leaks.faulty", environment=PAGES) as service:
        Acceptance.of(service.post(a_canary()))
        assert search(of_all(service, [])) == []
        for way in BLABS:
            Acceptance.of(service.post(a_canary().identified(f"{BLAB}-{way}-{uuid4()}")))
        found = {(hit.place, hit.canary) for hit in search(of_all(service, []))}
    assert leaks.keys() == BLABS.keys()
    assert found >= set(leaks.values())


@pytest.mark.timeout(240)
def test_nothing_leaks_on_postgres_and_redis_through_journey_refusal_failing_database_and_crash(
    tmp_path: Path, private_postgres: PrivatePostgres, private_redis: PrivateRedis
) -> None:
    main, shred = private_postgres.create_database(), private_postgres.create_database()
    with (
        RunningService(tmp_path / "it", database_url=main, shred_url=shred, broker_url=private_redis.url, environment=PAGES) as service,
        evidence.Monitor(private_redis) as monitor,
    ):
        answers = [*go_all_the_way(service), *be_refused(service), *only_try(service)]
        assert b"workers.deliver" in monitor.recorded

        with psycopg.connect(plain_url(main), autocommit=True) as database:
            database.execute("ALTER TABLE messages ADD CONSTRAINT made_to_fail CHECK (event <> 'new') NOT VALID")
            answers.append(service.post(a_canary()))
            assert answers[-1].status_code == 503
            database.execute("ALTER TABLE messages DROP CONSTRAINT made_to_fail")
            assert "made_to_fail" in private_postgres.process.output  # the server's own log tells of the row that failed

            cutting = threading.Event()
            cutter = threading.Thread(target=_cut_connections, args=(main, cutting))
            cutter.start()
            cut = [service.post(a_canary(), gateway=n) for n in range(30)]
            cutting.set()
            cutter.join()
            assert {response.status_code for response in cut} <= {202, 503}
            answers += cut

        crash(service)
        answers.append(service.when(202, lambda: service.post(a_canary())))
        found = search(
            [
                *of_all(service, answers),
                *evidence.of_redis(private_redis),
                *evidence.of_cluster(private_postgres),
                Evidence("what passed through redis", monitor.recorded),
            ]
        )
    assert found == []
    assert search(evidence.of_folder(service.folder)) == [], "something leaked as the processes ended"


def _cut_connections(url: str, stop: threading.Event) -> None:
    """Cut every connection of the service to its database, over and over."""
    statement = (
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'notify_gateway'"
    )
    with psycopg.connect(plain_url(url), autocommit=True) as connection:
        while not stop.wait(0.05):
            connection.execute(statement)
