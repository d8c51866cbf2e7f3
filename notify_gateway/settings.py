# SPDX-License-Identifier: MIT
"""Settings: one table from the environment (``NOTIFY_GATEWAY_*``), ``*_FILE`` secrets or ``.env``; no secret has a default."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict

from notify_gateway.alert_settings import AlertSettings
from notify_gateway.delivery_settings import DeliverySettings
from notify_gateway.log_settings import LogSettings
from notify_gateway.staff_settings import StaffSettings
from notify_gateway.telemetry_settings import TelemetrySettings

PREFIX = "NOTIFY_GATEWAY_"


class Deployment(StrEnum):
    """A deployment is one of these for life; live and made-up children never mix."""

    LIVE = "live"
    TEST = "test"
    DEMONSTRATION = "demonstration"


class OperationsPages(StrEnum):
    """From where the operations pages can be reached."""

    OFF = "off"
    LOOPBACK = "loopback"
    NETWORK = "network"


class Settings(DeliverySettings, LogSettings, AlertSettings, StaffSettings, TelemetrySettings):
    """Everything that can be set. Field descriptions are the documentation (``notify-gateway config docs``)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", hide_input_in_errors=True, frozen=True)

    deployment: Annotated[
        Deployment,
        Field(description="live refuses NHS numbers of the 999 range; test and demonstration refuse all others."),
    ] = Deployment.TEST
    base_url: Annotated[
        str, Field(description="Address under which trusts and authorities reach the service, without a closing slash.")
    ] = "http://127.0.0.1:8080"
    log_origin: Annotated[str, Field(description="Origin line of the audit log; never changed while the log lives.")] = (
        "notify-gateway.example/log/1"
    )
    data_dir: Annotated[Path, Field(description="Folder for key files, the guard file, the postcode table and the embedded databases.")] = (
        Path("var")
    )
    database_url: Annotated[
        SecretStr | None,
        Field(description="SQLAlchemy URL of the main database (postgresql+psycopg://…); empty: SQLite in data_dir."),
    ] = None
    shred_database_url: Annotated[
        SecretStr | None,
        Field(description="SQLAlchemy URL of the shred-key store, a database of its own; empty: SQLite in data_dir."),
    ] = None
    broker_url: Annotated[
        SecretStr | None,
        Field(description="Celery broker: redis://…, or sentinel://…;sentinel://… (see broker_master); empty: in memory, embedded only."),
    ] = None
    broker_master: Annotated[
        str | None, Field(description="Name of the master that the broker's sentinels watch; empty: no sentinels.")
    ] = None
    keys_dir: Annotated[Path | None, Field(description="Folder of the service's key files; empty: keys below data_dir.")] = None
    postcodes_dir: Annotated[Path | None, Field(description="Folder of the compiled postcode table; empty: postcodes below data_dir.")] = (
        None
    )
    witness_policy: Annotated[
        Path | None,
        Field(description="C2SP tlog-policy file that names the log's witnesses, their addresses and the quorum; empty: no witnesses."),
    ] = None
    witness_every: Annotated[
        timedelta, Field(gt=timedelta(0), description="How often witnesses are asked to cosign the log's newest checkpoint.")
    ] = timedelta(seconds=5)
    timestamp_url: Annotated[
        str | None,
        Field(description="Address of a time-stamping authority (RFC 3161), which stamps the log's newest checkpoint; empty: none."),
    ] = None
    timestamp_every: Annotated[timedelta, Field(gt=timedelta(0), description="How often the log is time-stamped.")] = timedelta(days=1)
    erasures_dir: Annotated[
        Path | None,
        Field(description="Folder of erasures.jsonl, which remembers outside every database what was erased; empty: data_dir. Back it up."),
    ] = None
    opener_keys_dir: Annotated[
        Path | None, Field(description="Folder of the managed keys, which only the opener's user may read; empty: opener below data_dir.")
    ] = None
    opener_socket: Annotated[Path | None, Field(description="Unix socket of the opener process that holds managed keys.")] = None
    trusted_proxy: Annotated[str, Field(description="Address of the TLS proxy whose forwarding headers are believed; empty: none.")] = ""
    commit_group: Annotated[int, Field(ge=1, le=512, description="Most acceptances committed in one transaction.")] = 128
    promise_within: Annotated[timedelta, Field(description="Time within which an accepted notification stands in the log.")] = timedelta(
        seconds=60
    )
    invariants_every: Annotated[
        timedelta, Field(gt=timedelta(0), description="How often the invariants are looked at (notify-gateway invariants).")
    ] = timedelta(minutes=15)
    overdue_after: Annotated[
        timedelta, Field(gt=timedelta(0), description="After how long a delivery that is due and free, and lies, breaks an invariant.")
    ] = timedelta(minutes=10)
    unconfirmed_after: Annotated[
        timedelta, Field(gt=timedelta(0), description="After how long a delivery that was offered and is not confirmed is a warning.")
    ] = timedelta(days=3)
    webhook_timeout: Annotated[timedelta, Field(description="Longest wait for a receiver's whole answer.")] = timedelta(seconds=10)
    webhook_allow_private: Annotated[
        bool, Field(description="Let webhooks and SFTP go to private and loopback addresses; refused in a live deployment.")
    ] = False
    mesh_url: Annotated[
        str | None,
        Field(description="Address of the MESH service (https://…), for authorities that are reached by MESH; empty: MESH is not used."),
    ] = None
    mesh_mailbox: Annotated[str | None, Field(description="The gateway's own MESH mailbox; it reads all that comes there.")] = None
    mesh_password: Annotated[SecretStr | None, Field(description="Password of the MESH mailbox.")] = None
    mesh_shared_key: Annotated[SecretStr | None, Field(description="Shared key of the MESH environment, which signs each request.")] = None
    mesh_certificate: Annotated[Path | None, Field(description="Client certificate (PEM) that MESH issued, for mutual TLS.")] = None
    mesh_private_key: Annotated[Path | None, Field(description="Private key (PEM) of the client certificate for MESH.")] = None
    mesh_ca: Annotated[
        Path | None, Field(description="CA certificates (PEM) that sign MESH's own; empty: the NHS's for its addresses, else the system's.")
    ] = None
    mesh_most_bytes: Annotated[int, Field(ge=1024, description="Largest document that is sent by MESH, in bytes.")] = 32 * 1024 * 1024
    mesh_chunk_bytes: Annotated[int, Field(ge=1024, description="Bytes above which a MESH message goes in several chunks.")] = (
        16 * 1024 * 1024
    )
    mesh_timeout: Annotated[timedelta, Field(gt=timedelta(0), description="Longest silence of MESH within one request.")] = timedelta(
        seconds=20
    )
    mesh_track_every: Annotated[
        timedelta,
        Field(gt=timedelta(0), description="How often the MESH mailbox is read, and a young message tracked; older ones less often."),
    ] = timedelta(minutes=5)
    mesh_uncollected_after: Annotated[
        timedelta,
        Field(gt=timedelta(0), description="After how long a message that nobody has fetched from MESH is told of; MESH keeps it 5 days."),
    ] = timedelta(days=3)
    sftp_key_file: Annotated[
        Path | None,
        Field(description="OpenSSH private key with which workers and scheduler sign in to SFTP servers; empty: sftp.key in keys_dir."),
    ] = None
    sftp_timeout: Annotated[
        timedelta, Field(gt=timedelta(0), description="Longest wait for a connection to an SFTP server, and for each file there.")
    ] = timedelta(seconds=30)
    sftp_look_every: Annotated[
        timedelta,
        Field(gt=timedelta(0), description="How often it is looked whether an authority has confirmed what was put down by SFTP."),
    ] = timedelta(minutes=1)
    max_body: Annotated[
        int, Field(ge=1024, le=5 * 1024 * 1024, description="Largest message with its attachments, in bytes; the proxy has the same limit.")
    ] = 5 * 1024 * 1024
    max_message: Annotated[
        int, Field(ge=1024, le=256 * 1024, description="Largest message without its attachments, in bytes; real ones are under 50 KB.")
    ] = 256 * 1024
    client_rate: Annotated[
        float,
        Field(ge=0, description="Requests (or lines of a bulk) a second for each client, in each gateway process; 0: no limit."),
    ] = 200
    client_burst: Annotated[int, Field(ge=1, description="Requests that a client may send at once before its rate counts.")] = 5_000
    client_requests: Annotated[
        int, Field(ge=1, description="Requests of one client under way at once in each gateway process; more are answered 429.")
    ] = 256
    address_rate: Annotated[
        float, Field(ge=0, description="Requests without a token a second from each address (set trusted_proxy); 0: no limit.")
    ] = 50
    address_burst: Annotated[int, Field(ge=1, description="Requests without a token that an address may send at once.")] = 500
    sign_in_failures: Annotated[
        int, Field(ge=0, description="Failed sign-ins a minute from each address before more are answered 429; 0: no limit.")
    ] = 120
    lasting_trust_tokens: Annotated[
        bool | None,
        Field(description="Let bearer tokens that last be issued to trusts, who otherwise sign in with their keys; empty: not in live."),
    ] = None
    operations_pages: Annotated[
        OperationsPages,
        Field(
            description="Who reaches the pages at /ops: off nobody; loopback browsers on this machine or through a tunnel; network any, "
            "over https alone in a live deployment."
        ),
    ] = OperationsPages.OFF
    one_person_onboarding: Annotated[
        bool | None,
        Field(description="Let one person put authorities and their keys on the service; empty: not in live, where two do."),
    ] = None
    log_level: Annotated[str, Field(description="Least level of log lines: debug, info, warning, error.")] = "info"

    @field_validator("timestamp_url")
    @classmethod
    def _plain_address(cls, url: str | None) -> str | None:
        if not url:
            return None
        # Most time-stamping authorities speak http alone. What they answer is signed and bears our nonce; what they learn is a hash.
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None or not url.isascii():
            raise ValueError("timestamp_url begins with https:// or http:// and holds neither name nor password of a user")
        return url

    @model_validator(mode="after")
    def _live_is_strict(self) -> Settings:
        if self.deployment is Deployment.LIVE and self.webhook_allow_private:
            raise ValueError("webhook_allow_private is not for a live deployment: give receivers public addresses")
        if self.deployment is Deployment.LIVE and not self.base_url.startswith("https://"):
            raise ValueError("base_url must be https:// in a live deployment")
        if (self.mesh_certificate is None) != (self.mesh_private_key is None):
            raise ValueError("mesh_certificate and mesh_private_key go together")
        if self.deployment is Deployment.LIVE and self.mesh_url and not (self.mesh_url.startswith("https://") and self.mesh_certificate):
            raise ValueError("mesh_url must be https:// in a live deployment, with mesh_certificate and mesh_private_key")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read, strongest first: arguments, environment, files named by ``NOTIFY_GATEWAY_*_FILE``, ``.env``, the secrets folder."""
        return init_settings, env_settings, FileNamedByEnvironment(settings_cls), dotenv_settings, file_secret_settings

    @property
    def trusts_get_lasting_tokens(self) -> bool:
        """Return whether a trust may be given a token that lasts; in a live deployment only where that was set on purpose."""
        return self.deployment is not Deployment.LIVE if self.lasting_trust_tokens is None else self.lasting_trust_tokens

    @property
    def one_person_onboards(self) -> bool:
        """Return whether one person alone may bring an authority or a key on; in a live deployment only where that was set on purpose."""
        return self.deployment is not Deployment.LIVE if self.one_person_onboarding is None else self.one_person_onboarding

    @property
    def main_url(self) -> str:
        """Return the SQLAlchemy URL of the main database."""
        return self.database_url.get_secret_value() if self.database_url else f"sqlite:///{self.data_dir / 'main.sqlite3'}"

    @property
    def shred_url(self) -> str:
        """Return the SQLAlchemy URL of the shred-key store."""
        return self.shred_database_url.get_secret_value() if self.shred_database_url else f"sqlite:///{self.data_dir / 'shred.sqlite3'}"

    @property
    def broker(self) -> str:
        """Return the Celery broker URL."""
        return self.broker_url.get_secret_value() if self.broker_url else "memory://"

    @property
    def keys(self) -> Path:
        """Return the folder of the service's key files."""
        return self.keys_dir or self.data_dir / "keys"

    @property
    def sftp_key(self) -> Path:
        """Return the private key file with which the service signs in to SFTP servers."""
        return self.sftp_key_file or self.keys / "sftp.key"

    @property
    def postcodes(self) -> Path:
        """Return the folder of the compiled postcode table."""
        return self.postcodes_dir or self.data_dir / "postcodes"

    @property
    def opener_keys(self) -> Path:
        """Return the folder of the keys in managed custody."""
        return self.opener_keys_dir or self.data_dir / "opener"

    @property
    def erasures(self) -> Path:
        """Return the file, outside every database, that remembers what was erased."""
        return (self.erasures_dir or self.data_dir) / "erasures.jsonl"

    @property
    def guard_file(self) -> Path:
        """Return the file, outside every database, that remembers what the log last signed."""
        return self.data_dir / "log-guard.json"


class FileNamedByEnvironment(SecretsSettingsSource):
    """Reads ``NOTIFY_GATEWAY_X`` from the file that ``NOTIFY_GATEWAY_X_FILE`` names, so that a secret need not stand in the environment."""

    def __call__(self) -> dict[str, object]:
        """Return the values of all settings whose file is named.

        Raises ``OSError`` when a named file cannot be read.
        """
        import os

        values: dict[str, object] = {}
        for name in self.settings_cls.model_fields:
            path = os.environ.get(f"{PREFIX}{name.upper()}_FILE")
            if path:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
        return values
