# SPDX-License-Identifier: MIT
"""What is vendored is what the lock and the manifest say, holds nothing that is gov.uk's alone, and loads nothing from elsewhere."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tools.vendor_assets import FOLDER, LICENCES, LOCK, MANIFEST, NotAsLocked, check, cleaned, require_integrity, vendor

LOCKED = json.loads(LOCK.read_text("utf-8"))


def test_what_is_committed_is_what_the_manifest_says() -> None:
    check(LOCKED, FOLDER)


def test_no_font_or_crest_of_gov_uk_is_handed_on_and_nothing_is_loaded_from_another_site() -> None:
    styles = (FOLDER / "govuk-frontend.css").read_text("utf-8")
    assert re.findall(r"url\(|@import|@font-face|GDS Transport|Margaret Calvert|sourceMappingURL", styles) == []
    assert "sourceMappingURL" not in (FOLDER / "govuk-frontend.js").read_text("utf-8")
    assert "Crown Copyright" in (FOLDER / LICENCES).read_text("utf-8")


@pytest.mark.parametrize("spoil", ["changed", "added", "taken away", "another version"])
def test_what_was_changed_by_hand_is_found(tmp_path: Path, spoil: str) -> None:
    folder = tmp_path / "vendor"
    shutil.copytree(FOLDER, folder)
    lock = json.loads(json.dumps(LOCKED))
    match spoil:
        case "changed":
            (folder / "govuk-frontend.js").write_text("alert(1)")
        case "added":
            (folder / "more.js").write_text("alert(1)")
        case "taken away":
            (folder / "govuk-frontend.css").unlink()
        case _:
            lock["govuk-frontend"]["version"] = "6.6.0"
    with pytest.raises(NotAsLocked):
        check(lock, folder)


def test_a_package_of_another_hash_or_a_file_that_would_load_something_is_refused() -> None:
    with pytest.raises(NotAsLocked):
        require_integrity(b"not it", LOCKED["govuk-frontend"]["integrity"])
    with pytest.raises(NotAsLocked):
        cleaned("body { background: url(https://example.org/x.png) }", "a.css")


@pytest.mark.long
def test_the_packages_give_the_very_files_that_are_committed(tmp_path: Path) -> None:
    shutil.copyfile(FOLDER / LICENCES, tmp_path / LICENCES)
    for name in vendor(LOCKED, tmp_path):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name
    assert (tmp_path / MANIFEST).read_bytes() == (FOLDER / MANIFEST).read_bytes()
