# SPDX-License-Identifier: MIT
"""The repository's TLS proxy, run by the machine's own nginx: the same configuration with its ports and paths replaced."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Sequence
from pathlib import Path

from tests.support.processes import Process
from tests.support.waiting import ROOT, answers, free_port, need_program

PROXY_FOLDER = ROOT / "deploy" / "proxy"


class NativeProxy:
    """nginx before ``gateways`` (ports of 127.0.0.1), listening on ``port`` with the certificate in ``secrets``.

    With ``mutual_tls``, ``secrets`` holds ``client_ca`` as well.
    """

    def __init__(self, folder: Path, *, secrets: Path, gateways: Sequence[int], mutual_tls: bool = False, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.status_port = free_port()
        self.secrets = secrets
        self.access_log = folder / "access.log"
        self.error_log = folder / "error.log"
        (folder / "mutual-tls").mkdir(parents=True, exist_ok=True)
        (folder / "run").mkdir(exist_ok=True)
        (folder / "nginx.conf").write_text(self._configuration(), encoding="utf-8")
        (folder / "upstreams.conf").write_text(_upstreams(gateways), encoding="utf-8")
        if mutual_tls:
            text = (PROXY_FOLDER / "mutual-tls.conf").read_text(encoding="utf-8")
            (folder / "mutual-tls" / "on.conf").write_text(_replace(text, {"/run/secrets/": f"{secrets}/"}), encoding="utf-8")
        command: list[str | Path] = [
            need_program("nginx"),
            "-p",
            folder,
            "-c",
            folder / "nginx.conf",
            "-e",
            self.error_log,
            "-g",
            "daemon off;",
        ]
        self.process = Process(command, name="proxy", log=folder / "nginx.out", ready=self.healthy)

    @property
    def url(self) -> str:
        """Return the address under which callers reach the service."""
        return f"https://localhost:{self.port}"

    def context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts this proxy's certificate and no other."""
        return ssl.create_default_context(cafile=str(self.secrets / "tls_certificate"))

    def healthy(self) -> bool:
        """Tell what the compose file's health check would."""
        return answers(f"http://127.0.0.1:{self.status_port}/_proxy", status=204)

    def start(self) -> NativeProxy:
        """Start nginx and return when it answers."""
        self.process.start()
        return self

    def stop(self) -> None:
        """End nginx."""
        self.process.stop()

    def logs(self) -> str:
        """Return everything that the proxy has written."""
        files = (self.access_log, self.error_log, self.process.log)
        return "".join(file.read_text(encoding="utf-8") for file in files if file.exists())

    def _configuration(self) -> str:
        text = _replace(
            (PROXY_FOLDER / "nginx.conf").read_text(encoding="utf-8"),
            {
                "listen 8443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
                "127.0.0.1:8081": f"127.0.0.1:{self.status_port}",
                "/run/secrets/": f"{self.secrets}/",
                "/tmp/": f"{self.folder}/run/",
                "/dev/stdout": str(self.access_log),
                "/dev/stderr": str(self.error_log),
                "/etc/nginx/errors/": f"{PROXY_FOLDER}/errors/",
                "worker_processes auto;": "worker_processes 2;",
            },
        )
        # nginx started by root would change to a user who may not read the checkout.
        return f"user root;\n{text}" if os.geteuid() == 0 else text


def _upstreams(gateways: Sequence[int]) -> str:
    lines = (PROXY_FOLDER / "upstreams.conf").read_text(encoding="utf-8").splitlines()
    servers = [f"    server 127.0.0.1:{port} max_fails=1 fail_timeout=2s;" for port in gateways]
    kept = [line for line in lines if not line.strip().startswith(("resolver ", "server ", "#"))]
    return "\n".join([kept[0], *servers, *kept[1:]]) + "\n"


def _replace(text: str, replacements: dict[str, str]) -> str:
    """Replace all at once, so that no replacement is replaced again; what is to be replaced must be there."""
    for old in replacements:
        if old not in text:
            raise ValueError(f"the proxy's configuration no longer holds {old!r}: mend tests/support/proxy.py")
    return re.sub("|".join(map(re.escape, replacements)), lambda match: replacements[match[0]], text)
