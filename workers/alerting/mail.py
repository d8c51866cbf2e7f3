# SPDX-License-Identifier: MIT
"""Alerts by e-mail: one SMTP session each, on a verified TLS connection, bounded in time as a whole. Blocks; for a thread of its own."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from notify_gateway.alert_settings import MailSecurity
from notify_gateway.domain.alerts import Alert, AlertKind, AlertResult
from notify_gateway.domain.clock import Clock
from workers.alerting.words import domain_of, email

_log = structlog.get_logger("workers.alerting.mail")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where e-mail is handed over, and as whom; ``timeout`` is that of the whole session."""

    host: str
    port: int
    security: MailSecurity
    sender: str
    timeout: timedelta
    ca_file: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)


class MailSender:
    """Hands over one e-mail at a time."""

    kind = AlertKind.EMAIL
    at_once = 1

    def __init__(self, server: MailServer, *, base_url: str, clock: Clock) -> None:
        """Read the certificates to verify by; raises ``OSError`` when their file is not there."""
        self._server, self._base_url, self._clock = server, base_url, clock
        self._trust = ssl.create_default_context(cafile=str(server.ca_file) if server.ca_file else None)
        self._line = _Line()
        self._closed = False

    def send(self, alerts: Sequence[Alert]) -> list[AlertResult]:
        """Hand each e-mail over and return one result for each; what the server has taken counts as told."""
        return [self._attempt(alert) for alert in alerts]

    def close(self) -> None:
        """End the session under way, which fails with ``stopping``; safe from any thread."""
        self._closed = True
        self._line.cut("stopping")

    def try_door(self) -> str | None:
        """Open a session and say farewell; return None where the server would take e-mail, else the code of what is wrong."""
        return self._within(lambda line: self._open(line))

    def _attempt(self, alert: Alert) -> AlertResult:
        code = self._within(lambda line: self._hand_over(alert, line))
        return AlertResult((), code) if code else AlertResult(tuple(each.delivery_id for each in alert.untold))

    def _within(self, act: Callable[[_Line], _Session]) -> str | None:
        """Do it within the time-out and end the session; return the code of what went wrong, if anything did."""
        line = self._line = _Line()
        if self._closed:
            return "stopping"
        deadline = threading.Timer(self._server.timeout.total_seconds(), line.cut, ("timeout",))
        deadline.daemon = True
        deadline.start()
        try:
            session = act(line)
            with suppress(OSError, smtplib.SMTPException):
                session.quit()  # the server has taken what there was; what it says to a farewell changes nothing
            session.close()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            return line.why or _code_of(error)
        finally:
            deadline.cancel()
            line.close()
        return None

    def _open(self, line: _Line) -> _Session:
        server = self._server
        session = _Session(server, line, self._trust)
        try:
            if server.security is MailSecurity.STARTTLS:
                session.starttls(context=self._trust)
            if server.user is not None and server.password is not None:
                session.login(server.user, server.password)
        except BaseException:
            session.close()
            raise
        return session

    def _hand_over(self, alert: Alert, line: _Line) -> _Session:
        server = self._server
        message = email(alert, sender=server.sender, base_url=self._base_url, now=self._clock.now())
        session = self._open(line)
        try:
            session.send_message(message, from_addr=server.sender, to_addrs=[alert.address])
        except BaseException:
            session.close()
            raise
        return session


class _Line:
    """The connection of one e-mail, which another thread can cut: time-outs of single reads do not bound a server that drips."""

    def __init__(self) -> None:
        self.why: str | None = None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def hold(self, connected: socket.socket) -> None:
        """Remember the connection; it is cut at once if that was asked for before."""
        with self._lock:
            # A descriptor of its own, for TLS takes the socket over.
            self._socket = connected.dup()
            if self.why is not None:
                self._shut()

    def cut(self, why: str) -> None:
        """End the connection, if there is one; ``why`` is the code of the failure that follows."""
        with self._lock:
            self.why = self.why or why
            self._shut()

    def close(self) -> None:
        """Give the descriptor back."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Session(smtplib.SMTP):
    """A session over a line that can be cut. It greets by the sender's domain: the machine's own name is nobody's business."""

    def __init__(self, server: MailServer, line: _Line, trust: ssl.SSLContext) -> None:
        self._mail_server, self._line, self._trust = server, line, trust
        super().__init__(server.host, server.port, local_hostname=domain_of(server.sender), timeout=server.timeout.total_seconds())

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected = socket.create_connection((host, port), timeout)
        self._line.hold(connected)
        if self._mail_server.security is MailSecurity.TLS:
            return self._trust.wrap_socket(connected, server_hostname=host)
        return connected


def _code_of(error: Exception) -> str:
    """Return the stable code of what went wrong; never the server's words, which may quote an address."""
    match error:
        case socket.gaierror():
            return "unresolved"
        case TimeoutError():
            return "timeout"
        case ConnectionRefusedError():
            return "refused"
        case ssl.SSLError():
            return "tls"
        case smtplib.SMTPNotSupportedError():
            return "starttls-missing"
        case smtplib.SMTPAuthenticationError():
            return "sign-in-refused"
        case smtplib.SMTPRecipientsRefused():
            return "mailbox-refused"
        case smtplib.SMTPResponseException():
            return f"smtp-{error.smtp_code}"
        case smtplib.SMTPException() | ConnectionError():
            return "reset"
        case OSError():
            return "unreachable"
        case _:
            _log.error("mail-unexpected", error=type(error).__name__)
            return "unexpected"
