# SPDX-License-Identifier: MIT
"""``.env.example`` shows every setting as it is, and nothing in it works as a secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from notify_gateway.settings import PREFIX, Settings
from tools import write_env_example


def test_the_example_is_what_the_settings_make_it() -> None:
    assert write_env_example.FILE.read_text(encoding="utf-8") == write_env_example.text(), "run `make generate`"


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_example_with_everything_switched_on_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    defaults = Settings()
    (tmp_path / ".env").write_text(re.sub(rf"(?m)^#({PREFIX}\w+=.+)$", r"\1", write_env_example.text()))
    assert Settings() == defaults
    (tmp_path / ".env").write_text(f"{PREFIX}LEASE=PT1M\n")
    assert Settings() != defaults


def test_no_secret_has_a_default() -> None:
    secrets = {name: field.default for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert len(secrets) >= 3
    assert set(secrets.values()) == {None}
    assert SecretStr not in {type(field.default) for field in Settings.model_fields.values()}
