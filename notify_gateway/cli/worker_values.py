# SPDX-License-Identifier: MIT
"""What workers and pollers take from the service's settings and keys."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notify_gateway.settings import Settings
    from notify_gateway.use_cases.gateway import Core
    from workers.channels.mesh_protocol import MeshAccess
    from workers.run import WorkerValues


def worker_values(core: Core) -> WorkerValues:
    """Return what the workers take from settings and keys."""
    from workers.channels.signature import RequestSigner
    from workers.run import WorkerValues

    chosen, key = core.settings, core.signing_key
    return WorkerValues(
        broker_url=chosen.broker,
        broker_master=chosen.broker_master,
        signer=RequestSigner(key.kid, key.private),
        webhook_timeout=chosen.webhook_timeout,
        webhook_allow_private=chosen.webhook_allow_private,
        mesh=mesh_access(chosen),
        sftp_key=chosen.sftp_key,
        sftp_timeout=chosen.sftp_timeout,
        lease=chosen.lease,
        clock=core.clock,
    )


def mesh_access(chosen: Settings) -> MeshAccess | None:
    """Return how to get into the gateway's MESH mailbox, or None where the settings do not say all that it takes."""
    from workers.channels.mesh_protocol import MeshAccess

    if not (chosen.mesh_url and chosen.mesh_mailbox and chosen.mesh_password and chosen.mesh_shared_key):
        return None
    return MeshAccess(
        url=chosen.mesh_url,
        mailbox=chosen.mesh_mailbox,
        password=chosen.mesh_password.get_secret_value(),
        shared_key=chosen.mesh_shared_key.get_secret_value().encode(),
        certificate=chosen.mesh_certificate,
        private_key=chosen.mesh_private_key,
        ca=chosen.mesh_ca,
        timeout=chosen.mesh_timeout,
        most_bytes=chosen.mesh_most_bytes,
        chunk_bytes=chosen.mesh_chunk_bytes,
    )


def start_mesh_poller(core: Core, stop: threading.Event) -> threading.Thread:
    """Follow what MESH holds, in a thread of its own, until ``stop`` is set; where MESH is not used it ends at once."""

    def run() -> None:
        access = mesh_access(core.settings)
        if access is None:
            return
        from workers.channels.mesh_mailbox import MeshMailbox
        from workers.channels.mesh_poller import MeshPoller

        MeshPoller(core, lambda: MeshMailbox(access), stop).run()

    thread = threading.Thread(target=run, name="mesh-poller", daemon=True)
    thread.start()
    return thread


def start_receipt_poller(core: Core, stop: threading.Event) -> threading.Thread:
    """Read what authorities say they have of what was put down by SFTP, in a thread of its own, until ``stop`` is set."""
    from workers.receipts import ReceiptPoller
    from workers.run import sftp_access

    thread = threading.Thread(target=ReceiptPoller(core, sftp_access(worker_values(core)), stop).run, name="receipt-poller", daemon=True)
    thread.start()
    return thread
