# SPDX-License-Identifier: MIT
"""Example messages, and what of a bad message provokes each error (``make generate`` writes them from ``examples`` and the tests)."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def samples() -> dict[str, Any]:
    """Return ``examples`` by reason, and ``errors`` by code: the cases, and place, wrong and right where it can be shown."""
    loaded: dict[str, Any] = json.loads(resources.files("notify_gateway.api").joinpath("data", "samples.json").read_bytes())
    return loaded
