# SPDX-License-Identifier: MIT
"""A MESH mailbox by way of NHS England's own client, which is synchronous and made for one thread; its errors become codes here."""

from __future__ import annotations

import re
import ssl
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

import requests
from mesh_client import MeshClient, MeshError
from urllib3.exceptions import HTTPError

from workers.channels.mesh_protocol import CONTENT_TYPE, SUBJECT, Arrived, MeshAccess, MeshFailed, Tracked

LONGEST_WAIT = 86_400.0
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_REFUSALS: Final[Mapping[str, str]] = {"12": "mesh-recipient", "17": "mesh-workflow"}


class MeshMailbox:
    """The mailbox that ``access`` opens; raises ``MeshFailed`` when its certificate cannot be used."""

    def __init__(self, access: MeshAccess) -> None:
        ca = str(access.ca) if access.ca else None
        cert = (str(access.certificate), str(access.private_key)) if access.certificate and access.private_key else None
        _require_readable(cert, ca)
        self._client = MeshClient(
            access.url,
            access.mailbox,
            access.password,
            shared_key=access.shared_key,
            cert=cert,
            verify=ca,
            max_chunk_size=access.chunk_bytes,
            max_retries=0,  # the outbox tries again, and asks first what has arrived
            timeout=access.timeout.total_seconds(),
            application_name="notify-gateway",
        )
        self._timeout = access.timeout.total_seconds()
        # The library keeps its session to itself, yet by-local-id tracking has no call of its own.
        self._session: requests.Session = self._client._session
        self._session.trust_env = False
        self._session.max_redirects = 0
        self._session.hooks["response"].append(_let_in)
        if ca:
            self._session.verify = ca

    def check(self) -> None:
        """Return when MESH lets us in."""
        with _told():
            self._client.handshake()  # type: ignore[no-untyped-call]  # the library is typed in parts

    def find(self, local_id: str) -> Tracked | None:
        """Return what was sent under our id, or None when nothing was."""
        with _told():
            answer = self._session.get(f"{self._client.mailbox_url}/outbox/tracking/{quote(local_id)}", timeout=self._timeout)
            if answer.status_code == 404:
                return None
            if answer.status_code == 300:
                return Tracked(None, "several")
            answer.raise_for_status()
            return _tracked(answer.json())

    def send(self, recipient: str, workflow: str, local_id: str, document: bytes) -> str:
        """Hand the document over, compressed, in chunks where it is long, and return the message's id."""
        with _told():
            message_id = self._client.send_message(
                recipient,
                document,
                compress=True,
                workflow_id=workflow,
                local_id=local_id,
                subject=SUBJECT,
                filename=f"{local_id}.json",
                content_type=CONTENT_TYPE,
            )
            return _id(message_id)

    def track(self, message_id: str) -> Tracked | None:
        """Return what became of a message that we sent, or None when MESH knows it no more."""
        with _told():
            try:
                return _tracked(dict(self._client.track_message(message_id)))
            except requests.HTTPError as error:
                if _status(error) in (404, 410):
                    return None
                raise

    def waiting(self, *, limit: int) -> list[str]:
        """Return the ids of messages that wait for us, oldest first."""
        with _told():
            return [_id(each) for each in self._client.list_messages(max_results=max(limit, 10))][:limit]

    def read(self, message_id: str, *, most: int) -> Arrived | None:
        """Return a message that waits for us, with at most ``most`` bytes, or None when it is gone."""
        with _told():
            try:
                message = self._client.retrieve_message(message_id)
            except requests.HTTPError as error:
                if _status(error) in (404, 410):
                    return None
                raise
            try:
                body = message.read(most + 1) if message.message_type == "DATA" else b""
            except (zlib.error, EOFError):
                body = None
            finally:
                message.close()  # type: ignore[no-untyped-call]
            return Arrived(
                message_id,
                str(message.message_type or ""),
                str(message.sender or ""),
                str(message.workflow_id or ""),
                message.mex_header("linkedmsgid"),
                message.mex_header("statuscode"),
                body if body is not None and len(body) <= most else None,
            )

    def acknowledge(self, message_id: str) -> None:
        """Take the message out of the mailbox, for good."""
        with _told():
            self._client.acknowledge_message(message_id)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()  # type: ignore[no-untyped-call]


def _require_readable(cert: tuple[str, str] | None, ca: str | None) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if cert:
            context.load_cert_chain(*cert)
        if ca:
            context.load_verify_locations(ca)
    except OSError:
        raise MeshFailed("mesh-certificate") from None


def _let_in(answer: requests.Response, *_: object, **__: object) -> None:
    """Raise for answers about us or about MESH itself, whatever was asked; the library takes some of them for news of the message."""
    if answer.status_code in (401, 403, 413, 429) or answer.status_code >= 500:
        answer.close()
        raise _by_status(answer.status_code, answer.headers)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what goes wrong in the block into ``MeshFailed``: codes alone, never a text that quotes an address or a message."""
    try:
        yield
    except MeshFailed:
        raise
    except MeshError as error:
        raise MeshFailed(_refusal(error)) from None
    except requests.HTTPError as error:
        raise _by_status(_status(error), error.response.headers if error.response is not None else {}) from None
    except requests.Timeout:
        raise MeshFailed("mesh-timeout") from None
    except requests.exceptions.SSLError:
        raise MeshFailed("mesh-tls") from None
    except (requests.ConnectionError, HTTPError):
        raise MeshFailed("mesh-unreachable") from None
    except (requests.RequestException, ValueError, TypeError, KeyError, AttributeError):
        raise MeshFailed("mesh-bad-answer") from None
    except OSError:
        raise MeshFailed("mesh-unreachable") from None


def _refusal(error: MeshError) -> str:
    told = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], dict) else {}
    detail = told.get("detail")
    first = detail[0] if isinstance(detail, list) and detail and isinstance(detail[0], dict) else {}
    return _REFUSALS.get(str(told.get("errorCode") or first.get("code") or ""), "mesh-refused")


def _status(error: requests.HTTPError) -> int:
    return error.response.status_code if error.response is not None else 0


def _by_status(status: int, headers: Mapping[str, str]) -> MeshFailed:
    if status in (401, 403):
        return MeshFailed("mesh-unauthorised")
    if status == 413:
        return MeshFailed("mesh-too-large")
    if status == 429 or status >= 500:
        wait = headers.get("Retry-After", "")
        return MeshFailed("mesh-unavailable", min(float(wait[:9]), LONGEST_WAIT) if wait.isascii() and wait.isdigit() else None)
    return MeshFailed(f"mesh-http-{status}")


def _tracked(told: Mapping[str, Any]) -> Tracked:
    """Read either form of a tracking answer: by our own id MESH still speaks the older one."""
    return Tracked(
        _id(told.get("message_id") or told.get("messageId")),
        str(told.get("status") or "").lower(),
        told.get("status_code") or told.get("statusCode"),
        told.get("recipient"),
        told.get("workflow_id") or told.get("workflowId"),
    )


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise MeshFailed("mesh-bad-answer")
    return value
