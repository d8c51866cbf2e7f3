# SPDX-License-Identifier: MIT
"""Brings styles and scripts of others into ``notify_gateway/web/static/vendor``, by hash, without what is not ours to show.

``tools/assets.lock.json`` names the packages; ``npm pack`` fetches them, so that no registry's address stands here. The font and the crest
of GOV.UK are for gov.uk alone: both are taken out, and with them every address that a browser would load.

Usage: ``python -m tools.vendor_assets`` writes the files anew; with ``--check`` it only compares those that are there with the manifest.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.set_up_tests import SetUpFailed, find_program

LOCK = Path(__file__).with_name("assets.lock.json")
FOLDER = LOCK.parents[1] / "notify_gateway" / "web" / "static" / "vendor"
MANIFEST = "manifest.json"
LICENCES = "LICENCES.txt"
"""Kept by hand: what is vendored may only be handed on with it."""
FONTS = '-apple-system,"Segoe UI",Roboto,"Helvetica Neue",arial,sans-serif'
_FACE = re.compile(r"(?:/\*![^*]*Margaret Calvert[^*]*\*/)?@font-face\{[^}]*\}")
_MAP = re.compile(r"/[*/]# sourceMappingURL=[^\n*]*(?:\*/)?\n?")
_ADDRESS = re.compile(r"url\([^)]*\)")


class NotAsLocked(Exception):
    """What was fetched, or what is there, is not what the lock and the manifest say."""


def vendor(lock: Mapping[str, Any], folder: Path) -> list[str]:
    """Write the files of all locked packages and their manifest; return the names. Raises ``NotAsLocked``, ``SetUpFailed``."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = {}
    for package, wanted in lock.items():
        with tempfile.TemporaryDirectory() as fetched:
            packed = fetch(package, wanted["version"], Path(fetched))
            require_integrity(packed.read_bytes(), wanted["integrity"])
            with tarfile.open(packed) as archive:
                for inside, name in wanted["files"].items():
                    member = archive.extractfile(f"package/{inside}")
                    if member is None:
                        raise NotAsLocked(f"{package} has no {inside}")
                    content = cleaned(member.read().decode("utf-8"), name).encode()
                    (folder / name).write_bytes(content)
                    listed[name] = {"package": package, "version": wanted["version"], "sha256": _digest(content)}
    listed[LICENCES] = {"sha256": _digest((folder / LICENCES).read_bytes())}
    (folder / MANIFEST).write_text(json.dumps(listed, indent=2, sort_keys=True) + "\n", "utf-8")
    return sorted(listed)


def check(lock: Mapping[str, Any], folder: Path) -> None:
    """Return if the files that are there are those of the manifest, at the versions of the lock; raises ``NotAsLocked``."""
    listed = json.loads((folder / MANIFEST).read_text("utf-8"))
    there = {path.name for path in folder.iterdir()} - {MANIFEST}
    if there != set(listed):
        raise NotAsLocked(f"only in the folder or only in the manifest: {', '.join(sorted(there ^ set(listed)))}")
    wanted = {name: package["version"] for package in lock.values() for name in package["files"].values()}
    for name, told in listed.items():
        if _digest((folder / name).read_bytes()) != told["sha256"]:
            raise NotAsLocked(f"{name} was changed by hand: run python -m tools.vendor_assets")
        if told.get("version") != wanted.get(name):
            raise NotAsLocked(f"{name} is of another version than the lock says")


def require_integrity(content: bytes, integrity: str) -> None:
    """Return if the package has the locked hash (SHA-512, in the form of subresource integrity); raises ``NotAsLocked``."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != integrity:
        raise NotAsLocked("a package that was fetched has not the locked hash")


def cleaned(text: str, name: str) -> str:
    """Return the file without fonts, crest, source map and any address that a browser would load; raises ``NotAsLocked``."""
    text = _MAP.sub("", text)
    if not name.endswith(".css"):
        return text
    text = _FACE.sub("", text).replace("GDS Transport,arial,sans-serif", FONTS).replace("url(/assets/images/govuk-crest.svg)", "none")
    left = _ADDRESS.findall(text) + re.findall(r"GDS Transport", text)
    if left:
        raise NotAsLocked(f"{name} still names {', '.join(sorted(set(left)))}")
    return text


def fetch(package: str, version: str, folder: Path) -> Path:
    """Return the package as npm fetches it, not yet compared with any hash; raises ``SetUpFailed``."""
    npm = find_program("npm")
    if npm is None:
        raise SetUpFailed("npm fetches what is vendored, and there is no npm. Install Node.js with npm.")
    command = [npm, "pack", f"{package}@{version}", "--silent", "--ignore-scripts", "--pack-destination", str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    packed = sorted(folder.glob("*.tgz"))
    if done.returncode != 0 or len(packed) != 1:
        raise SetUpFailed(f"{done.stderr}\nnpm could not fetch {package}@{version}")
    return packed[0]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> int:
    """Write or compare, say what was found, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare what is there with the manifest")
    asked = parser.parse_args()
    lock = json.loads(LOCK.read_text("utf-8"))
    try:
        if asked.check:
            check(lock, FOLDER)
            print("What is vendored is as the manifest says")
        else:
            print(f"Written: {', '.join(vendor(lock, FOLDER))}")
    except (NotAsLocked, SetUpFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
