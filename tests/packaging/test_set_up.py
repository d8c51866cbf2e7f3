# SPDX-License-Identifier: MIT
"""Set-up finds what is there, installs what may be installed in one go, and says in plain words what is missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import ROOT
from tools import environment, set_up_bruno, set_up_mesh_sandbox, set_up_tests
from tools.set_up_tests import Part


def _find_python(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "tools" / "find_python"], env=os.environ | env, capture_output=True, text=True, check=False)


def test_a_python_is_found_that_is_new_enough() -> None:
    found = _find_python()
    assert found.returncode == 0
    version = subprocess.run(
        [found.stdout.strip(), "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True, check=True
    )
    assert version.stdout == b"True\n"


def test_where_there_is_no_python_the_reader_is_told_what_to_install(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    found = _find_python(PYTHON=str(old))
    assert found.returncode == 1
    assert found.stdout == ""
    assert "needs Python 3.11 or later" in found.stderr
    assert "apt-get install python3 python3-venv" in found.stderr


def test_an_environment_that_holds_the_lock_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, dev = tmp_path / "runtime.txt", tmp_path / "dev.txt"
    lock.write_text("a==1")
    dev.write_text("a==1\nb==1")
    monkeypatch.setattr(environment, "VENV", tmp_path)
    assert not environment.holds(lock)
    environment.stamp(dev).write_text("a==1\nb==1")
    assert environment.holds(lock)
    assert environment.holds(dev)
    dev.write_text("a==1\nb==2")
    assert not environment.holds(lock)


def test_all_that_tests_need_is_found_at_once() -> None:
    assert set_up_tests.set_up() == "PostgreSQL, Redis, nginx, curl, OpenSSH server, Node.js, Chromium, Liberation fonts and Pango present"
    assert set_up_bruno.set_up() == "Bruno present"
    assert set_up_mesh_sandbox.set_up() == "MESH sandbox present"


@pytest.fixture
def missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two parts that are missing until a file is there, on a machine with an empty PATH; returns that file."""
    file = tmp_path / "server"
    parts = (
        Part("Server", lambda: str(file) if file.exists() else None, ("server", "server-common")),
        Part("Font", lambda: str(file) if file.exists() else None, ("font",)),
    )
    monkeypatch.setattr(set_up_tests, "PARTS", parts)
    monkeypatch.setattr(set_up_tests, "LOG", tmp_path / "log")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return file


def _apt_get(folder: Path, script: str) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / "env").symlink_to("/usr/bin/env")
    apt = folder / "bin" / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$@" >> {folder}/called\n{script}\n')
    apt.chmod(0o755)


def test_what_is_missing_is_installed_in_one_call(missing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    _apt_get(tmp_path, f'[ "$1" = update ] || echo > {missing}')
    assert set_up_tests.set_up().startswith("Server and Font installed in ")
    called = (tmp_path / "called").read_text().splitlines()
    assert called == ["update", "install --yes --no-install-recommends server server-common font"]


def test_an_installation_that_fails_is_shown(missing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    _apt_get(tmp_path, "echo 'no space left'; exit 100")
    with pytest.raises(set_up_tests.SetUpFailed, match=r"(?s)no space left.*`apt-get update` failed as well"):
        set_up_tests.set_up()


def test_who_may_not_install_is_told_the_command(missing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    _apt_get(tmp_path, "")
    with pytest.raises(set_up_tests.SetUpFailed, match="sudo apt-get install --no-install-recommends server server-common font"):
        set_up_tests.set_up()
    assert not (tmp_path / "called").exists()


def test_where_there_is_no_apt_the_packages_are_named(missing: Path) -> None:
    with pytest.raises(set_up_tests.SetUpFailed, match=r"need Server and Font, which this machine does not have"):
        set_up_tests.set_up()


@pytest.fixture
def no_bruno(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which Bruno is not installed, with an empty PATH; returns the folder for programs."""
    monkeypatch.setattr(set_up_bruno, "FOLDER", tmp_path / "bruno")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def _npm(folder: Path, script: str) -> None:
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)


def test_bruno_is_installed_once_from_its_lock(no_bruno: Path) -> None:
    _npm(no_bruno, '[ "$1" = ci ] && /bin/mkdir -p node_modules/.bin && : > node_modules/.bin/bru')
    assert set_up_bruno.set_up().startswith("Bruno installed in ")
    _npm(no_bruno, "exit 1")
    assert set_up_bruno.set_up() == "Bruno present"
    (set_up_bruno.FOLDER / "installed.json").write_text("another lock")
    with pytest.raises(set_up_tests.SetUpFailed, match="Installing Bruno failed"):
        set_up_bruno.set_up()


def test_where_there_is_no_npm_the_reader_is_told_so(no_bruno: Path) -> None:
    with pytest.raises(set_up_tests.SetUpFailed, match=r"Install Node\.js with npm"):
        set_up_bruno.set_up()


def test_bruno_and_all_that_it_needs_is_pinned_by_hash() -> None:
    packages = json.loads((set_up_bruno.PINNED / set_up_bruno.LOCK).read_text())["packages"]
    del packages[""]
    assert len(packages) > 100
    assert [name for name, each in packages.items() if not each["integrity"].startswith("sha512-")] == []
    assert [name for name, each in packages.items() if "resolved" in each] == []


def test_a_mesh_sandbox_that_cannot_be_installed_is_told_and_not_taken_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "sandbox.txt"
    lock.write_text("no-hash==1\n")
    monkeypatch.setattr(set_up_mesh_sandbox, "LOCK", lock)
    monkeypatch.setattr(set_up_mesh_sandbox, "FOLDER", tmp_path / "sandbox")
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(set_up_tests.SetUpFailed, match="Installing the MESH sandbox failed"):
        set_up_mesh_sandbox.set_up()
    assert not (tmp_path / "sandbox" / "installed.txt").exists()


def test_the_mesh_sandbox_and_all_that_it_needs_is_pinned_by_hash_and_names_no_registry() -> None:
    lock = set_up_mesh_sandbox.LOCK.read_text()
    pins = re.split(r"\n(?=\S)", lock.strip())
    assert len(pins) > 20
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==\S+(?: ; .+)?(?: \\\n +--hash=sha256:[0-9a-f]{64})+", pin)] == []
    assert "://" not in lock
