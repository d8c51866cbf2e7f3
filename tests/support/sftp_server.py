# SPDX-License-Identifier: MIT
"""OpenSSH's own sshd as an authority's SFTP server: on a free port, for one key of ours, with one host key, in a folder of its own."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.support.processes import Process
from tests.support.waiting import free_port, listens, need_program

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 200
MaxSessions 200
LogLevel VERBOSE
Subsystem sftp internal-sftp
ForceCommand {command}
{more}
"""


def make_key(path: Path, kind: str = "ed25519") -> str:
    """Write a private key in OpenSSH's form, for its owner alone, and return the public key as one line without a comment."""
    key = {
        "ed25519": Ed25519PrivateKey.generate,
        "rsa": lambda: generate_rsa(65537, 2048),
        "ecdsa": lambda: generate_ec(SECP256R1()),
    }[kind]()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


class SftpServer:
    """A server whose user has the folder ``drop``; ``client_key`` is the file of the key that it lets in.

    ``options`` are those of ``internal-sftp`` (``-P posix-rename`` takes that request away), ``more`` further lines of the configuration,
    ``limit`` the most bytes that a file may have there, in blocks of 1024.
    """

    def __init__(self, folder: Path, *, kind: str = "ed25519", options: str = "", more: str = "", limit: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.drop = folder / "drop"
        self.drop.mkdir()
        self.client_key = folder / "client_key"
        self.host_key = make_key(folder / "host_key", kind)
        (folder / "authorized_keys").write_text(make_key(self.client_key) + "\n")
        config = folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=folder, command=f"internal-sftp {options}".strip(), more=more))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        command: list[str | Path] = [need_program("sshd"), "-D", "-e", "-f", config]
        if limit is not None:
            # With the signal ignored, a write beyond the limit fails as one on a full disk does.
            command = ["bash", "-c", f"trap '' XFSZ; ulimit -f {limit}; exec \"$@\"", "sshd", *command]
        self.process = Process(command, name="sshd", log=folder / "sshd.log", ready=lambda: listens(self.port))

    @property
    def route(self) -> dict[str, str]:
        """Return the route as an operator would register it."""
        user = pwd.getpwuid(os.geteuid()).pw_name
        return {"host": "127.0.0.1", "port": str(self.port), "user": user, "host_key": self.host_key, "folder": str(self.drop)}

    def __enter__(self) -> Self:
        self.process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()
