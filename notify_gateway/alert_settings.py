# SPDX-License-Identifier: MIT
"""The settings of alerts: the mail server that takes e-mails, and how often there may be one. No secret has a default."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from notify_gateway.domain.alerts import is_mailbox


class MailSecurity(StrEnum):
    """How the way to the mail server is kept private; the server's certificate is verified in both of the first."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class AlertSettings(BaseSettings):
    """What can be set for alerts; ``Settings`` holds them with all others."""

    smtp_host: Annotated[str | None, Field(description="Mail server that takes alerts by e-mail; empty: no e-mail is sent.")] = None
    smtp_port: Annotated[int, Field(ge=1, le=65535, description="Port of the mail server: usually 587 with starttls, 465 with tls.")] = 587
    smtp_security: Annotated[
        MailSecurity,
        Field(description="starttls, tls, or none, which is for a mail server on this machine (a loopback address) alone."),
    ] = MailSecurity.STARTTLS
    smtp_ca_file: Annotated[
        Path | None, Field(description="PEM file of the certificates that the mail server's is verified by; empty: the system's.")
    ] = None
    smtp_from: Annotated[str | None, Field(description="Mailbox that alerts by e-mail come from: name@domain.")] = None
    smtp_user: Annotated[str | None, Field(description="Name to sign in to the mail server with; empty: without signing in.")] = None
    smtp_password: Annotated[SecretStr | None, Field(description="Password to sign in to the mail server with.")] = None
    smtp_timeout: Annotated[
        timedelta, Field(gt=timedelta(0), le=timedelta(minutes=1), description="Longest time that handing over one e-mail may take in all.")
    ] = timedelta(seconds=20)
    alert_pause: Annotated[
        timedelta,
        Field(gt=timedelta(0), description="Least time between two e-mails to one mailbox; the next one names all that came meanwhile."),
    ] = timedelta(minutes=15)

    @field_validator("smtp_host", "smtp_from", "smtp_user", "smtp_password", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return value or None

    @field_validator("smtp_from")
    @classmethod
    def _one_mailbox(cls, value: str | None) -> str | None:
        if value is not None and not is_mailbox(value):
            raise ValueError("smtp_from is one plain mailbox: name@domain")
        return value

    @model_validator(mode="after")
    def _mail_is_kept_private(self) -> Self:
        if (self.smtp_host is None) != (self.smtp_from is None):
            raise ValueError("smtp_host and smtp_from belong together: set both, or neither")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("smtp_user and smtp_password belong together: set both, or neither")
        if self.smtp_security is MailSecurity.NONE and self.smtp_host is not None and not _is_here(self.smtp_host):
            raise ValueError("smtp_security none is for a mail server on this machine: set starttls or tls")
        return self


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
