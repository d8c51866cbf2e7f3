# SPDX-License-Identifier: MIT
"""What may stand in the repository: no registry, no machine's path, no key; small modules, a licence on each; pins with hashes."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.support.waiting import ROOT

PRODUCT = ("audit", "mappings", "notify_gateway", "workers")
CODE = (*PRODUCT, "benchmarks", "tests", "tools")
MOST_LINES = 300
MOST_LINES_OF_TESTS = 400

# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = re.compile(
    "|".join(
        (
            "py" + r"pi\.org",
            "python" + "hosted",
            r"registry\.np" + "mjs",
            "np" + r"mjs\.com",
            r"deb\.deb" + "ian",
            "--extra" + "-index",
            "--ind" + "ex-url",
            r"\"re" + r"solved\": *\"ht",
        )
    )
)
MACHINE_PATHS = re.compile(
    "|".join(
        (
            r"(?<![\w.])/ro" + r"ot/",
            r"(?<![\w.])/ho" + r"me/[a-z]",
            r"(?<![\w.])/Us" + r"ers/[A-Za-z]",
            r"(?<![\w.])/wo" + r"rk/",
            r"[A-Z]:\\" + "Users",
        )
    )
)
PRIVATE_KEYS = re.compile(
    "-----BEGIN [A-Z ]*PRIVATE"
    + " KEY-----[\r\n]+[A-Za-z0-9+/=]|AGE-SECRET"
    + "-KEY-1[0-9A-Z]|AK"
    + "IA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}"
)
TEMPORARY_PATHS = re.compile(r"(?<![\w.])/t" + "mp/")
OF_CONTAINERS = ("Dockerfile", "docker-compose.yml", "deploy/", "tests/support/", "tests/packaging/")
NOT_OURS = ("tests/packaging/compose-spec/",)
SOFT_SPOTS = re.compile(
    r"#.*\b(TO" + "DO|FIX" + "ME|XX" + r"X)\b|pragma: no " + r"cover|pytest\.(mark\.)?(sk" + "ip|xf" + r"ail)|# type: ign" + r"ore\s*(\n|$)"
)


@cache
def _tracked() -> tuple[str, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    files = listed.split("\0") if listed else [str(path.relative_to(ROOT)) for folder in CODE for path in (ROOT / folder).rglob("*")]
    return tuple(sorted(name for name in files if name and (ROOT / name).is_file()))


@cache
def _text(name: str) -> str:
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return (ROOT / name).read_bytes().decode("latin-1")


def _modules(*folders: str) -> list[str]:
    return [name for name in _tracked() if name.endswith(".py") and name.split("/")[0] in folders]


def _found(pattern: re.Pattern[str], names: tuple[str, ...] | list[str]) -> list[str]:
    return [f"{name}: {match[0]!r}" for name in names if not name.startswith(NOT_OURS) for match in pattern.finditer(_text(name))]


def test_no_tracked_file_names_a_package_registry() -> None:
    assert _found(REGISTRIES, _tracked()) == []


def test_no_tracked_file_holds_a_path_of_somebodys_machine() -> None:
    assert _found(MACHINE_PATHS, _tracked()) == []
    code = [name for name in _tracked() if not name.endswith(".md") and not name.startswith(OF_CONTAINERS)]
    assert _found(TEMPORARY_PATHS, code) == []


def test_no_tracked_file_holds_a_private_key_or_token() -> None:
    assert _found(PRIVATE_KEYS, _tracked()) == []
    assert [name for name in _tracked() if re.search(r"(^|/)\.env$|\.(pem|key|p12|pfx|sqlite3?|db)$|\.key\.json$", name)] == []


def test_what_these_tests_look_for_would_be_found() -> None:
    assert REGISTRIES.search("https://py" + "pi.org/simple")
    assert MACHINE_PATHS.search("open('/ho" + "me/somebody/file')")
    assert PRIVATE_KEYS.search("-----BEGIN EC PRIVATE" + " KEY-----\nMHcCAQEEIB")
    assert SOFT_SPOTS.search("# TO" + "DO: later")


def test_nothing_unfinished_is_left_in_the_code() -> None:
    assert _found(SOFT_SPOTS, _modules(*CODE)) == []


@pytest.mark.parametrize("folder", CODE)
def test_modules_are_small_enough_to_read(folder: str) -> None:
    most = MOST_LINES_OF_TESTS if folder == "tests" else MOST_LINES
    # A migration is as long as the tables that it lays.
    sizes = {name: _text(name).count("\n") for name in _modules(folder) if "/migrations/" not in name}
    assert {name: size for name, size in sizes.items() if size > most} == {}


@pytest.mark.parametrize("folder", CODE)
def test_every_module_begins_with_its_licence_and_its_purpose(folder: str) -> None:
    for name in _modules(folder):
        assert _text(name).startswith("# SPDX-License-Identifier: MIT\n"), name
        purpose = ast.get_docstring(ast.parse(_text(name)))
        assert purpose or (folder == "tests" and name.endswith("/__init__.py")), f"{name} does not say what it is for"


def test_errors_are_never_caught_without_a_name() -> None:
    bare = [
        f"{name}:{node.lineno}"
        for name in _modules(*CODE)
        for node in ast.walk(ast.parse(_text(name)))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert bare == []


def test_only_the_clock_reads_the_clock() -> None:
    calls = re.compile(r"\b(datetime|date)\.(now|today|utcnow)\(")
    assert _found(calls, [name for name in _modules(*PRODUCT) if name != "notify_gateway/domain/clock.py"]) == []


def test_every_folder_of_tests_is_a_package_so_that_names_do_not_clash() -> None:
    folders = {Path(name).parent for name in _modules("tests")}
    assert [str(folder) for folder in sorted(folders) if not (ROOT / folder / "__init__.py").exists()] == []


def _pins(lock: str) -> dict[str, tuple[str, int]]:
    """Return what a lock pins: requirement with marker, version and number of hashes."""
    pins = {}
    for requirement in re.split(r"\n(?=\S)", _text(lock).strip()):
        head, *hashes = requirement.split(" \\\n")
        name, version = re.fullmatch(r"([\w.-]+(?:\[[\w,-]+\])?)==(\S+)(?: ; .+)?", head).groups()  # type: ignore[union-attr]
        assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}", line) for line in hashes), head
        pins[name] = (version, len(hashes))
    return pins


@pytest.mark.parametrize("kind", ["runtime", "dev"])
def test_every_dependency_is_pinned_with_hashes(kind: str) -> None:
    pins = _pins(f"requirements/{kind}.txt")
    assert len(pins) > 20
    assert [name for name, (_, hashes) in pins.items() if hashes == 0] == []
    asked = re.findall(r"(?m)^([A-Za-z][\w.-]*)", _text(f"requirements/{kind}.in"))
    pinned = {re.sub(r"[-_.]+", "-", name.split("[")[0]).lower() for name in pins}
    assert {re.sub(r"[-_.]+", "-", name).lower() for name in asked} <= pinned


def test_tests_run_on_the_very_versions_that_run_in_production() -> None:
    runtime, dev = _pins("requirements/runtime.txt"), _pins("requirements/dev.txt")
    differing = {name: (pin, dev.get(name)) for name, pin in runtime.items() if dev.get(name) != pin}
    assert differing == {}


def test_ci_runs_the_tests_and_nothing_else() -> None:
    assert _text(".ci/run") == "#!/usr/bin/env bash\nmake test\n"


def test_the_makefile_lists_every_command_with_a_sentence() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    phony = re.search(r"(?m)^\.PHONY: (.*)$", _text("Makefile"))
    targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", _text("Makefile")))
    assert phony is not None
    assert set(phony[1].split()) == targets
    assert all(re.search(rf"(?m)^  {target} +[A-Z]", listed) for target in targets)


def test_the_project_says_what_it_is_under_which_licence() -> None:
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    assert project["license"] == "MIT"
    assert "The notify_gateway authors" in _text("LICENSE")
