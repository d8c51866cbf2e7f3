# SPDX-License-Identifier: MIT
"""Settings: where they come from, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from notify_gateway.settings import Deployment, Settings


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_no_secret_has_a_default() -> None:
    settings = Settings()
    assert settings.database_url is settings.shred_database_url is settings.broker_url is None
    assert settings.mesh_password is settings.mesh_shared_key is None


def test_a_secret_is_read_from_the_file_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql+psycopg://u:sesame@h/db\n")
    monkeypatch.setenv("NOTIFY_GATEWAY_DATABASE_URL_FILE", str(tmp_path / "url"))
    settings = Settings()
    assert settings.main_url == "postgresql+psycopg://u:sesame@h/db"
    assert "sesame" not in repr(settings)


def test_the_environment_is_stronger_than_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "origin").write_text("from.the.file/log")
    monkeypatch.setenv("NOTIFY_GATEWAY_LOG_ORIGIN_FILE", str(tmp_path / "origin"))
    assert Settings().log_origin == "from.the.file/log"
    monkeypatch.setenv("NOTIFY_GATEWAY_LOG_ORIGIN", "from.the.environment/log")
    assert Settings().log_origin == "from.the.environment/log"


@pytest.mark.parametrize(
    "unsafe",
    [
        {"webhook_allow_private": True, "base_url": "https://gateway.example"},
        {"base_url": "http://gateway.example"},
        {"base_url": "https://gateway.example", "mesh_url": "https://mesh.example"},
        {"base_url": "https://gateway.example", "mesh_url": "http://mesh.example", "mesh_certificate": "a", "mesh_private_key": "b"},
    ],
    ids=["webhooks to private addresses", "an address without TLS", "MESH without a certificate", "MESH without TLS"],
)
def test_a_live_deployment_refuses_what_is_for_tests(unsafe: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(deployment=Deployment.LIVE, **unsafe)  # type: ignore[arg-type]


def test_a_wrong_setting_is_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_GATEWAY_COMMIT_GROUP", "canary")
    with pytest.raises(ValidationError) as error:
        Settings()
    assert "canary" not in str(error.value)


def test_a_certificate_for_mesh_comes_with_its_key_and_both_are_good_in_a_live_deployment() -> None:
    with pytest.raises(ValidationError, match="go together"):
        Settings(mesh_certificate=Path("a"))
    whole = {"mesh_url": "https://mesh.example", "mesh_certificate": Path("a"), "mesh_private_key": Path("b")}
    assert Settings(deployment=Deployment.LIVE, base_url="https://gateway.example", **whole).mesh_url == "https://mesh.example"  # type: ignore[arg-type]
