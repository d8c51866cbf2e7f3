# SPDX-License-Identifier: MIT
"""``python -m benchmarks``: service, embedded default and baselines, in turn and under the same load, each on fresh databases."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from benchmarks.delivery.measure import DeliveryPlan, measure_delivery
from benchmarks.inbox.measure import InboxPlan, measure_inbox
from benchmarks.log.measure import LogPlan, measure_log
from benchmarks.measure import Load, measure
from benchmarks.report import Results, as_json, tables
from benchmarks.steps import Steps, measure_steps
from benchmarks.systems import TRUST, Place, baseline, embedded, lean_baseline, onboarded_alone, service
from tests.support.messages import a_message
from tests.support.services import PrivatePostgres, Process, answers, free_port

SYSTEMS = {"baseline": baseline, "lean baseline": lean_baseline, "service": service, "embedded": embedded}
COMPARED = ("baseline", "service", "lean baseline")


@dataclass(frozen=True)
class Plan:
    """How much is measured: ``pairs`` times each of baselines and service, in turn, over eight connections and over one."""

    messages: int
    messages_alone: int
    pairs: int
    pairs_alone: int
    embedded: int
    steps: int
    log: LogPlan
    delivery: DeliveryPlan
    inbox: InboxPlan


LOG, QUICK_LOG = LogPlan(100_000, 1_000_000, 10.0, 3, 2000), LogPlan(20_000, 100_000, 3.0, 1, 500)
DELIVERY = DeliveryPlan(messages=3000, rate=150, steady=2000, backlog=20_000, day=100_000, pairs=4)
QUICK_DELIVERY = DeliveryPlan(messages=600, rate=100, steady=500, backlog=2000, day=10_000, pairs=1)
INBOX, QUICK_INBOX = InboxPlan(20_000, 200, 100), InboxPlan(20_000, 200, 30)
DEFAULT = Plan(messages=2000, messages_alone=300, pairs=4, pairs_alone=2, embedded=2, steps=512, log=LOG, delivery=DELIVERY, inbox=INBOX)
QUICK = Plan(
    messages=500,
    messages_alone=100,
    pairs=2,
    pairs_alone=1,
    embedded=1,
    steps=128,
    log=QUICK_LOG,
    delivery=QUICK_DELIVERY,
    inbox=QUICK_INBOX,
)
PARTS = ("service", "log", "delivery", "inbox")


def run(plan: Plan, console: Console, only: str | None = None) -> Results:
    """Measure all that ``plan`` names and return it; raises ``PromiseBroken`` as soon as the service does not keep what it promised.

    ``only`` leaves out all but one of ``PARTS``.
    """
    results = Results()

    def tell(text: str) -> None:
        console.print(text, highlight=False)

    if only in (None, "service"):
        _measure_service(plan, console, results)
    if only in (None, "log"):
        with _place() as place:
            results.log = measure_log(place, plan.log, tell)
    if only in (None, "delivery"):
        with _place() as place:
            results.delivery = measure_delivery(place, plan.delivery, tell)
    if only in (None, "inbox"):
        with _place() as place:
            results.inbox = measure_inbox(place, plan.inbox, tell)
    return results


def _measure_service(plan: Plan, console: Console, results: Results) -> None:
    turns = [
        *[(name, Load(plan.messages, 8)) for _ in range(plan.pairs) for name in COMPARED],
        *[(name, Load(plan.messages_alone, 1)) for _ in range(plan.pairs_alone) for name in COMPARED],
        *[("embedded", Load(plan.messages, 8)) for _ in range(plan.embedded)],
    ]
    with _place() as place:
        messages = place.folder / "messages.jsonl"
        count = max(load.messages + load.warm_up for _, load in turns)
        messages.write_bytes(b"".join(a_message(index).bytes() + b"\n" for index in range(count)))
        for number, (name, load) in enumerate(turns, 1):
            console.print(f"[{number}/{len(turns)}] {name}, {load.messages} messages over {load.connections} …", highlight=False)
            figures = measure(SYSTEMS[name], place, load, messages)
            results.add(name, load.connections, figures)
            console.print(f"    {figures.delivered_per_s:.0f} delivered/s; {figures.promises or 'nothing promised'}", highlight=False)
        console.print("Steps …")
        results.steps = _steps(place, plan.steps)


def _steps(place: Place, count: int) -> Steps:
    bodies = [a_message(index).bytes() for index in range(count)]
    with onboarded_alone(place) as settings:
        return measure_steps(settings, TRUST, bodies)


@contextmanager
def _place() -> Iterator[Place]:
    """Lend a PostgreSQL server, a receiver and a folder; nothing of it is left afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="notify-gateway-bench-") as name:
        folder, postgres = Path(name), PrivatePostgres()
        command = [sys.executable, "-m", "benchmarks.receiver", str(port)]
        receiver = Process(command, name="receiver", log=folder / "receiver.log", ready=lambda: answers(f"{url}/count"))
        try:
            postgres.start()
            receiver.start()
            yield Place(postgres, url, folder)
        finally:
            receiver.stop()
            postgres.stop()


def main() -> int:
    """Measure, print the tables, write the JSON, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute instead of several")
    parser.add_argument("--messages", type=int, help="messages of each run, instead of the plan's")
    parser.add_argument("--pairs", type=int, help="runs of baselines and service each, instead of the plan's")
    parser.add_argument("--pairs-alone", type=int, help="the same over one connection, instead of the plan's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--only", choices=PARTS, help="the service beside its baselines, the audit log, delivery, or the inbox alone")
    asked = parser.parse_args()
    plan = QUICK if asked.quick else DEFAULT
    if asked.messages:
        plan = replace(plan, messages=asked.messages, messages_alone=min(asked.messages, plan.messages_alone))
        plan = replace(plan, log=plan.log.at_most(asked.messages), delivery=plan.delivery.at_most(asked.messages))
    if asked.pairs:
        plan = replace(plan, pairs=asked.pairs, log=replace(plan.log, pairs=asked.pairs))
        plan = replace(plan, delivery=replace(plan.delivery, pairs=asked.pairs))
    if asked.pairs_alone is not None:
        plan = replace(plan, pairs_alone=asked.pairs_alone)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    console = Console()
    try:
        results = run(plan, console, asked.only)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    for table in tables(results):
        console.print(table)
    if asked.json:
        asked.json.write_text(as_json(results, plan), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
