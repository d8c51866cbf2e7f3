# SPDX-License-Identifier: MIT
"""The rows of the fault table, as data."""

from __future__ import annotations

from tests.faults import mesh, parts, receiver, servers
from tests.faults.table import Row

BACK = "the supervisor starts it again"
RETRIED = "due again after a growing pause; the circuit probes and closes by itself"
LEASE = "the lease runs out, and another worker makes the attempt again under the same id"

OURS = (
    Row(
        "gateway killed between commit and enqueue",
        "kill -9",
        "the next scheduler finds it in the outbox",
        "signal",
        parts.gateway_before_enqueue,
    ),
    Row(
        "worker killed before the POST",
        "kill -9 while nothing gets through to the receiver",
        LEASE,
        "signal, wire",
        parts.worker_before_post,
    ),
    Row("worker killed during the POST", "kill -9 while the receiver has not answered", LEASE, "signal", parts.worker_during_post),
    Row("worker killed after the POST", "kill -9 while the answer cannot be committed", LEASE, "signal, wire", parts.worker_after_post),
    Row("scheduler killed", "kill -9, three times", BACK, "signal", parts.killed("scheduler")),
    Row("sequencer killed", "kill -9, three times", BACK, "signal", parts.killed("sequencer")),
    Row("everything killed at once", "kill -9 of all parts, Redis and PostgreSQL", BACK, "signal", parts.everything_killed),
    Row("SIGTERM in the middle", "SIGTERM to all parts", "each drains and ends; " + BACK, "signal", parts.sigterm),
    Row("two dispatchers", "a second scheduler", "SKIP LOCKED; nothing to heal", "process", parts.two_dispatchers),
    Row("poison: a damaged envelope", "one byte of one in a hundred", "fails alone, until it is mended", "SQL", parts.damaged_envelope),
    Row("poison: malformed hints", "LPUSH of what no hinter writes", "refused by code and dropped", "Redis", parts.poisoned_hints),
    Row(
        "poison: no messages at all",
        "LPUSH of what Celery cannot read",
        "dropped by code; the worker goes on",
        "Redis",
        parts.poisoned_wire,
    ),
    Row("all hints again", "every hint three times more", "nothing to claim", "Redis", parts.hints_again),
    Row("all messages again", "every message once more", "409 with the first Location", "HTTP", parts.messages_again),
)
REDIS = (
    Row("Redis wiped", "FLUSHALL, ten times", "hinted again from the outbox", "Redis", servers.flushed),
    Row(
        "Redis killed",
        "kill -9, three times; it keeps nothing",
        "hinted again; a deaf worker ends itself",
        "signal",
        servers.redis_restarted,
    ),
    Row("Redis paused", "SIGSTOP", "hinted again when it answers", "signal", servers.redis_paused),
    Row("Redis full", "maxmemory 1, noeviction", "hinted again when it takes writes", "Redis", servers.redis_full),
)
POSTGRES = (
    Row(
        "PostgreSQL restarted", "fast shutdown, then kill -9", "503 meanwhile; the sender comes again", "signal", servers.postgres_restarted
    ),
    Row("PostgreSQL's connections cut", "pg_terminate_backend, 25 times", "connected anew", "SQL", servers.connections_cut),
    Row(
        "PostgreSQL's disk full",
        "the tablespace of the envelopes filled",
        "503 meanwhile",
        "tmpfs tablespace",
        servers.disk_full,
        "RLIMIT_FSIZE on postgres",
    ),
)
RECEIVER = (
    Row("receiver down", "nobody listens", RETRIED, "wire", servers.receiver_down),
    Row("receiver slow", "two seconds for each", "64 at once in each task", "receiver", servers.receiver(receiver.slow)),
    Row("receiver answers 500", "kept, and 500 all the same", RETRIED, "receiver", servers.receiver(receiver.broken)),
    Row("receiver busy", "503 with Retry-After", RETRIED, "receiver", servers.receiver(receiver.busy)),
    Row("receiver resets before it reads", "RST", RETRIED, "receiver", servers.receiver(receiver.resets_early)),
    Row("receiver resets after it kept", "RST", RETRIED, "receiver", servers.receiver(receiver.resets_late)),
    Row("receiver breaks its answer off", "half a body", RETRIED, "receiver", servers.receiver(receiver.half)),
    Row(
        "receiver answers twice",
        "two answers to each request",
        "the second confirms nothing else",
        "receiver",
        servers.receiver(receiver.answers_twice),
    ),
    Row("receiver lies", "200 without the digest, then asks again", RETRIED, "receiver", servers.receiver(receiver.lies)),
    Row("receiver confirms other bytes", "200 with another digest", RETRIED, "receiver", servers.receiver(receiver.mistakes)),
    Row(
        "authority acknowledges twice", "every acknowledgement again", "the same answer, no second event", "HTTP", parts.acknowledged_twice
    ),
    Row("receiver's certificate wrong", "TLS by somebody else", "nothing is sent; " + RETRIED, "wire", servers.certificate_wrong),
)
WIRES = {
    "gateway-PostgreSQL": lambda stand: stand.gateway_database,
    "worker-PostgreSQL": lambda stand: stand.worker_database,
    "worker-Redis": lambda stand: stand.broker,
    "worker-receiver": lambda stand: stand.to_receiver,
}
NETWORK = tuple(
    Row(f"{between}: {how}", told, "connected anew, sent again", "wire", servers.faulty(wire, how))
    for between, wire in WIRES.items()
    for how, told in (
        ("late", "100 ms on each read"),
        ("cut", "RST, 20 times"),
        ("black hole", "nothing passes"),
        ("sliced", "97 bytes at once"),
    )
)
CLOCK = (
    Row(
        "clock an hour ahead, and right again",
        "all parts",
        "what is due at no sane time is due",
        "libfaketime",
        servers.clock("+3600"),
        "injected clock",
        in_time=False,
    ),
    Row(
        "clock an hour behind, and right again",
        "all parts",
        "nothing to heal",
        "libfaketime",
        servers.clock("-3600"),
        "injected clock",
        in_time=False,
    ),
)
AGAIN = "due again after a growing pause; MESH is asked first what it has"
MESH = tuple(
    Row(f"MESH {name}", injected, heals, tool, inject, kind=mesh.MeshStand)
    for name, injected, heals, tool, inject in (
        ("down", "nobody listens", AGAIN, "wire", mesh.down),
        ("silent", "nothing passes", AGAIN, "wire", mesh.silent),
        ("loses its answers", "each message is taken, no answer comes", AGAIN, "wire", mesh.answers_lost),
        ("has not answered, worker killed", "kill -9 with messages at MESH", f"{LEASE}; {AGAIN}", "signal, wire", mesh.worker_killed),
        ("hands over twice", "200 messages once more", "applied once by delivery id, confirmed twice", "sandbox", mesh.handed_over_twice),
        ("reports", "a REPORT for each of 200 messages", "sent again under another id, applied once", "sandbox", mesh.reports),
    )
)
ROWS = (*OURS, *REDIS, *POSTGRES, *RECEIVER, *MESH, *NETWORK, *CLOCK)
SHORT = (
    "worker killed during the POST",
    "Redis wiped",
    "PostgreSQL's connections cut",
    "receiver lies",
    "all messages again",
)
