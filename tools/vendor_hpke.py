# SPDX-License-Identifier: MIT
"""Brings HPKE for browsers, ``@hpke/core`` with its ``@hpke/common``, into one module: ``notify_gateway/web/static/custody/hpke.js``.

Versions and hashes are in ``tools/assets.lock.json``. Of the packages only the files that X25519, HKDF-SHA256 and AES-256-GCM need are
taken, one after the other, unchanged but for import and export words and links in comments: what is served is what was published.

Usage: ``python -m tools.vendor_hpke`` writes the module anew; with ``--check`` it only compares what is there with the lock.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import posixpath
import re
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.set_up_tests import SetUpFailed
from tools.vendor_assets import LOCK, NotAsLocked, fetch, require_integrity

MODULE = LOCK.parents[1] / "notify_gateway" / "web" / "static" / "custody" / "hpke.js"
CORE, COMMON = "@hpke/core", "@hpke/common"
ENTRIES = (
    f"{CORE}/esm/src/cipherSuiteNative.js",
    f"{CORE}/esm/src/kems/dhkemX25519.js",
    f"{CORE}/esm/src/aeads/aesGcm.js",
    f"{COMMON}/esm/src/kdfs/hkdf.js",
)
OFFERED = {
    "CipherSuiteNative": "CipherSuite",
    "DhkemX25519HkdfSha256": "DhkemX25519HkdfSha256",
    "HkdfSha256Native": "HkdfSha256",
    "Aes256Gcm": "Aes256Gcm",
}
_IMPORT = re.compile(r'^import (?:\{(?P<names>[^}]*)\}|\* as (?P<all>\w+)) from "(?P<place>[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |class |const )", re.MULTILINE)
_NAMED = re.compile(r"^(?:export )?(?:async function|function|class|const|let|var) (\w+)", re.MULTILINE)
_LINK = re.compile(r"\{@link \S+ \| ([^}]*)\}")
_AGAIN = re.compile(r'^export \{([^}]*)\} from "([^"]+)";', re.MULTILINE)


def bundle(sources: Mapping[str, str]) -> str:
    """Return one module of all that the entries need of ``sources``; raises ``NotAsLocked`` on what cannot be joined so."""
    order: list[str] = []
    for entry in ENTRIES:
        _visit(sources, entry, order, ())
    names: dict[str, str] = {}
    parts = []
    for path in order:
        text = sources[path]
        for name in _NAMED.findall(text):
            if name in names and re.search(rf"^export .*\b{name}\b", text, re.MULTILINE):
                raise NotAsLocked(f"{name} is in {names[name]} and in {path}: the modules cannot be joined")
            if name in names:  # its own affair, so it may be called otherwise
                text, name = re.sub(rf"\b{name}\b", f"{name}_{len(names)}", text), f"{name}_{len(names)}"
            names[name] = path
        aliases = {found["all"]: _place(path, found["place"], sources) for found in _IMPORT.finditer(text) if found["all"]}
        text = _IMPORT.sub("", text)
        for alias in aliases:
            text = re.sub(rf"\b{alias}\.(?=\w)", "", text)
        text = _LINK.sub(r"\1", _EXPORT.sub("", text)).replace("export {};", "").strip()
        if re.search(r"^(?:import|export)\b", text, re.MULTILINE):
            raise NotAsLocked(f"{path} imports or exports in a way that is not known here")
        if text:
            parts.append(f"// {path}\n{text}\n")
    offered = ", ".join(name if name == called else f"{name} as {called}" for name, called in OFFERED.items())
    return "\n".join([*parts, f"export {{ {offered} }};\n"])


def _visit(sources: Mapping[str, str], path: str, order: list[str], above: tuple[str, ...]) -> None:
    if path in order or path in above:
        return
    for found in _IMPORT.finditer(sources[path]):
        names = [] if found["all"] else [name.strip() for name in found["names"].split(",") if name.strip()]
        for place in _places(path, found["place"], names, sources):
            _visit(sources, place, order, (*above, path))
    order.append(path)


def _places(path: str, place: str, names: list[str], sources: Mapping[str, str]) -> list[str]:
    """Return the files that an import is for: of the other package those alone that have the names."""
    if place != COMMON:
        return [_place(path, place, sources)]
    index = f"{COMMON}/esm/mod.js"
    where = {
        name.strip(): _place(index, target, sources) for listed, target in _AGAIN.findall(sources[index]) for name in listed.split(",")
    }
    where |= {name: f"{COMMON}/esm/src/errors.js" for name in _NAMED.findall(sources[f"{COMMON}/esm/src/errors.js"])}
    if unknown := [name for name in names if name not in where]:
        raise NotAsLocked(f"{COMMON} has no {', '.join(unknown)}")
    return list(dict.fromkeys(where[name] for name in names))


def _place(path: str, place: str, sources: Mapping[str, str]) -> str:
    found = posixpath.normpath(posixpath.join(posixpath.dirname(path), place))
    if found not in sources:
        raise NotAsLocked(f"{path} imports {place}, which is not there")
    return found


def fetched(lock: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Return the modules of both packages by name, and their licence; raises ``NotAsLocked``, ``SetUpFailed``."""
    sources: dict[str, str] = {}
    licence = ""
    for package in (CORE, COMMON):
        with tempfile.TemporaryDirectory() as folder:
            packed = fetch(package, lock[package]["version"], Path(folder))
            require_integrity(packed.read_bytes(), lock[package]["integrity"])
            with tarfile.open(packed) as archive:
                for member in archive.getmembers():
                    inside = member.name.removeprefix("package/")
                    content = archive.extractfile(member)
                    if content is not None and inside.startswith("esm/") and inside.endswith(".js"):
                        sources[f"{package}/{inside}"] = content.read().decode("utf-8")
                    elif content is not None and inside == "LICENSE":
                        licence = content.read().decode("utf-8").strip()
    return sources, licence


def written(lock: Mapping[str, Any]) -> str:
    """Return the whole module, under the packages' licence."""
    sources, licence = fetched(lock)
    told = "\n".join(f" * {line}".rstrip() for line in licence.splitlines())
    versions = ", ".join(f"{package} {lock[package]['version']}" for package in (CORE, COMMON))
    return f"/*!\n * {versions}, joined by tools/vendor_hpke.py; not changed by hand.\n *\n{told}\n */\n{bundle(sources)}"


def check(lock: Mapping[str, Any]) -> None:
    """Return if the module that is there is the one that the lock names; raises ``NotAsLocked``."""
    if hashlib.sha256(MODULE.read_bytes()).hexdigest() != lock[CORE]["module_sha256"]:
        raise NotAsLocked(f"{MODULE.name} is not what the lock says: run python -m tools.vendor_hpke")


def main() -> int:
    """Write or compare, say what was found, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare what is there with the lock")
    asked = parser.parse_args()
    lock = json.loads(LOCK.read_text("utf-8"))
    try:
        if not asked.check:
            MODULE.parent.mkdir(parents=True, exist_ok=True)
            MODULE.write_text(written(lock), "utf-8")
            print(f"Written; its SHA-256 is {hashlib.sha256(MODULE.read_bytes()).hexdigest()}")
        check(lock)
    except (NotAsLocked, SetUpFailed) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
