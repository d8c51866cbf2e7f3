# SPDX-License-Identifier: MIT
"""The command as its users call it: in this process where that is enough, as a process of its own elsewhere."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from notify_gateway.cli.main import main
from tests.support.processes import base_environment

COMMAND = (sys.executable, "-m", "notify_gateway.cli.main")


@dataclass(frozen=True)
class Result:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """Everything that was printed, with single spaces."""
        return " ".join((self.out + self.err).split())


Call = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder without settings of anybody."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(folder: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Runs the command in this process."""
    handlers, level = list(logging.root.handlers), logging.root.level
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def run(*arguments: object) -> Result:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        out, err = capfd.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    yield run
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    for number, handler in before.items():
        signal.signal(number, handler)


def call_outside(
    *arguments: object, folder: Path, stdin: str = "", environment: dict[str, str] | None = None, within: float = 90
) -> Result:
    """Run the command as a process of its own in ``folder``."""
    command = [*COMMAND, *(str(each) for each in arguments)]
    env = base_environment() | (environment or {})
    ended = subprocess.run(command, cwd=folder, env=env, input=stdin, capture_output=True, text=True, timeout=within)
    return Result(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture(scope="session")
def made_ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first ``ready`` of a run leaves a copy of its folder for the others."""
    return tmp_path_factory.mktemp("ready") / "folder"


@pytest.fixture
def ready(call: Call, folder: Path, made_ready: Path) -> Call:
    """The command in a folder where keys, databases and postcodes are made."""
    if made_ready.exists():
        shutil.copytree(made_ready, folder, dirs_exist_ok=True)
    else:
        for command in (("keys", "make"), ("migrate",)):
            assert call(*command).status == 0
        shutil.copytree(folder, made_ready)
    # This leaves an event, which must not be older than the test: a log that lags behind shuts the door.
    assert call("postcodes", "demonstration").status == 0
    return call
