# SPDX-License-Identifier: MIT
"""What the front door's validation costs: the published example, from bytes to everything that is judged, structural parse included."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from fhir.resources.R4B.bundle import Bundle

from notify_gateway.domain.identity import PrivateBytes
from notify_gateway.fhir.structure import check_structure
from notify_gateway.store.parties import Client
from notify_gateway.use_cases.examine import examine
from notify_gateway.use_cases.gateway import Gateway

EXAMPLE = Path(__file__).parent.parent / "examples" / "send_notification_new.json"
AIM_US = 2000
"""Most CPU that the validation of the 12-entry example may cost."""


@dataclass(frozen=True)
class FrontDoor:
    """CPU in microseconds: of the whole validation (JSON, FHIR, message, law, needs, routing), and of the R4B models alone beside it."""

    validation_us: Sequence[float]
    models_alone_us: Sequence[float]

    @property
    def within_aim(self) -> bool:
        """Tell whether the middle one of the measurements keeps the aim."""
        return median(self.validation_us) <= AIM_US


def measure_front_door(gateway: Gateway, client: Client, *, rounds: int = 500) -> FrontDoor:
    """Validate the example again and again, in turn with the models alone; raises what the front door raises if it were refused."""
    body = EXAMPLE.read_bytes()
    private = PrivateBytes(body)
    validation: list[float] = []
    models: list[float] = []
    for _ in range(rounds):
        validation.append(_cpu_us(lambda: examine(gateway, private, client, check=check_structure)))
        models.append(_cpu_us(lambda: Bundle.model_validate_json(body)))
    return FrontDoor(sorted(validation), sorted(models))


def _cpu_us(act: Callable[[], object]) -> float:
    began = time.thread_time()
    act()
    return (time.thread_time() - began) * 1e6
