# SPDX-License-Identifier: MIT
"""The SFTP channel's bench: a real sshd, and a reader who believes what a signed manifest names and nothing else."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Self
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from notify_gateway.domain.delivery import AttemptOutcome
from notify_gateway.domain.route import Route
from notify_gateway.egress.guard import Egress
from notify_gateway.privacy.drops import MANIFEST, verify_manifest
from notify_gateway.privacy.signing import SigningPurpose, VerifyingKey
from tests.support.sftp_server import SftpServer, make_key
from tests.support.waiting import free_port
from workers.channels.protocol import Channel
from workers.channels.sftp import SftpAccess, SftpChannel
from workers.channels.signature import RequestSigner

SIGNER = RequestSigner("gateway-1", Ed25519PrivateKey.generate())


def access(key_file: Path | None, *, timeout: float = 20.0, private: bool = True) -> SftpAccess:
    return SftpAccess(key_file=key_file, egress=Egress(allow_private=private), timeout=timedelta(seconds=timeout))


def gateway_key() -> VerifyingKey:
    return VerifyingKey(SIGNER.key_id, SigningPurpose.GATEWAY, SIGNER.private_key.public_key().public_bytes_raw())


def read_drop(folder: Path) -> dict[UUID, bytes]:
    """Return what a careful reader finds: of each batch whose manifest can be seen, every file, whole and as the manifest says."""
    held: dict[UUID, bytes] = {}
    for place in folder.glob(f"*/{MANIFEST}"):
        manifest = verify_manifest(place.read_bytes(), gateway_key())
        assert manifest.batch == place.parent.name
        fields = json.loads(place.read_bytes())
        views = (place.parent / fields["views"]["file"]).read_bytes()
        assert (sha256(views).hexdigest(), len(views)) == (fields["views"]["sha256"], fields["views"]["bytes"])
        for entry in manifest.entries:
            content = (place.parent / entry.name).read_bytes()
            assert sha256(content).hexdigest() == entry.digest
            assert held.setdefault(entry.delivery_id, content) == content
    return held


class SilentServer:
    """Takes connections and never says a word."""

    def __init__(self) -> None:
        self.taken: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                self.taken.append(self._listening.accept()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        for each in self.taken:
            each.close()


class CuttingRelay:
    """Passes what clients and a server say to each other on, until clients have sent ``after`` bytes; then it cuts their connection.

    With ``stall`` it leaves the connection as it is and passes nothing more on.
    """

    def __init__(self, port: int, *, after: int, stall: bool = False) -> None:
        self._server, self._left, self._stall = port, after, stall
        self._ended = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.cut = False
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listening.accept()[0]
                server = socket.create_connection(("127.0.0.1", self._server))
                threading.Thread(target=self._pass_on, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass_on, args=(server, client, False), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError), source, target:
            while content := source.recv(4096):
                if counted:
                    self._left -= len(content)
                    if self._left < 0:
                        self.cut = True
                        if self._stall:
                            self._ended.wait()
                        source.shutdown(socket.SHUT_RDWR)
                        target.shutdown(socket.SHUT_RDWR)
                        return
                target.sendall(content)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listening.close()


class SftpBench:
    success = AttemptOutcome.OFFERED

    def __init__(self, server: SftpServer, silent: SilentServer) -> None:
        self._server, self._silent = server, silent

    def make(self) -> Channel:
        return SftpChannel(signer=SIGNER, access=access(self._server.client_key))

    def good(self) -> Route:
        return self._server.route

    def broken(self) -> Mapping[str, Route]:
        other = self._server.folder / "other_key"
        return {
            "another host key": {**self.good(), "host_key": make_key(other)},
            "another kind of host key": {**self.good(), "host_key": make_key(other, "rsa")},
            "another user": {**self.good(), "user": "nobody-at-all"},
            "no folder": {**self.good(), "folder": f"{self._server.drop}/gone"},
            "nobody": {**self.good(), "port": str(free_port())},
            "a port that there is not": {**self.good(), "port": "65536"},
        }

    def hanging(self) -> Route | None:
        return {**self.good(), "port": str(self._silent.port)}

    def is_hanging(self) -> bool:
        return bool(self._silent.taken)

    def applied(self) -> Counter[UUID] | None:
        return Counter(read_drop(self._server.drop).keys())


@contextmanager
def sftp_bench(folder: Path) -> Iterator[SftpBench]:
    with SftpServer(folder / "sshd") as server, SilentServer() as silent:
        yield SftpBench(server, silent)
