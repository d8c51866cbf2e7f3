# SPDX-License-Identifier: MIT
"""A witness that is killed at a given step of its answer: ``python -m tests.audit.dying_witness STATE fsync:2``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audit.witness import Witness
from tests.audit.test_witness import HONEST, ICB, LOG, Clock


def main(state: str, step: str) -> None:
    name, number = step.split(":")
    left = int(number)

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments)

        return run

    if name != "answer":
        setattr(os, name, dying(getattr(os, name)))
    line = Witness(ICB, [LOG.verifier], Path(state), Clock()).add_checkpoint(HONEST.request(0, 8))
    if name == "answer":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdout.write(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
