# SPDX-License-Identifier: MIT
"""Our command under a clock that is wrong: ``python -m tests.faults.shifted ARGUMENTS``, where libfaketime is not to be had.

The seconds by which it is wrong stand in the file that ``NOTIFY_GATEWAY_TEST_CLOCK`` names, and may change at any time.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from notify_gateway.cli.main import main
from notify_gateway.domain.clock import SystemClock

FILE = Path(os.environ.pop("NOTIFY_GATEWAY_TEST_CLOCK"))
_true_now = SystemClock.now


def _now(self: SystemClock) -> datetime:
    return _true_now(self) + timedelta(seconds=int(FILE.read_text() or "0"))


if __name__ == "__main__":
    SystemClock.now = _now  # type: ignore[method-assign]
    main()
