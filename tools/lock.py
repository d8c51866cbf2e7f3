# SPDX-License-Identifier: MIT
"""Pins every dependency, with hashes, for all platforms: ``requirements/*.in`` to ``requirements/*.txt``. Needs only the standard library.

The MESH sandbox of the tests has an environment of its own, and so a lock of its own.

The locks hold names, versions and hashes, never a registry's address. A pin that still fits stays; ``--upgrade`` takes the newest.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "build" / "lock"
RESOLVER = "uv"
OPTIONS = "--universal --python-version 3.11 --generate-hashes --quiet --no-emit-index-url --no-emit-find-links --no-header --no-annotate"


def main() -> int:
    """Make the resolver's own environment and write both locks; the dev lock holds every pin of the runtime lock."""
    if not (TOOL / "bin" / RESOLVER).exists():
        venv.create(TOOL, with_pip=True)
        subprocess.run([TOOL / "bin" / "pip", "install", "--quiet", RESOLVER], check=True)
    for kind, constraint in (("runtime", ()), ("dev", ("--constraint", "requirements/runtime.txt"))):
        files = (f"requirements/{kind}.in", "--output-file", f"requirements/{kind}.txt")
        subprocess.run(
            [TOOL / "bin" / RESOLVER, "pip", "compile", *OPTIONS.split(), *constraint, *files, *sys.argv[1:]], cwd=ROOT, check=True
        )
        print(f"requirements/{kind}.txt written")
    sandbox = ("tools/mesh_sandbox/sandbox.in", "--output-file", "tools/mesh_sandbox/sandbox.txt")
    subprocess.run([TOOL / "bin" / RESOLVER, "pip", "compile", *OPTIONS.split(), *sandbox, *sys.argv[1:]], cwd=ROOT, check=True)
    print(f"{sandbox[-1]} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
