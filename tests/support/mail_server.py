# SPDX-License-Identifier: MIT
"""A real SMTP server (RFC 5321, STARTTLS, AUTH PLAIN and LOGIN) on loopback, which behaves or misbehaves and keeps what it takes."""

from __future__ import annotations

import asyncio
import ssl
import threading
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

MOST_LINE = 2000
LOGIN = ("alerts", "not-a-real-password")


@dataclass(frozen=True)
class Mail:
    """What was taken: the envelope, whether it came over TLS, and the bytes of the message."""

    sender: str
    recipients: tuple[str, ...]
    over_tls: bool
    signed_in: bool
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.content, policy=default))


class MailServer:
    """Runs in a thread of its own. ``how`` is ``good`` or a way to fail, and may be changed at any time."""

    def __init__(self, *, trust: ssl.SSLContext | None = None, implicit: bool = False) -> None:
        self.mails: list[Mail] = []
        self.greetings: list[str] = []
        self.how = "good"
        self.under_way = 0
        self._trust, self._implicit = trust, implicit
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MOST_LINE, ssl=self._trust if self._implicit else None)

    async def _end(self) -> None:
        self._server.close()
        sessions = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in sessions:
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.under_way += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _Session(self, reader, writer, self._trust, over_tls=self._implicit).run()
        finally:
            self.under_way -= 1
            writer.close()


class _Session:
    def __init__(
        self,
        server: MailServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        trust: ssl.SSLContext | None,
        *,
        over_tls: bool,
    ) -> None:
        self._server, self._reader, self._writer, self._trust = server, reader, writer, trust
        self._over_tls, self._signed_in = over_tls, False
        self._sender: str | None = None
        self._recipients: list[str] = []

    async def run(self) -> None:
        if self._server.how == "drip":
            while True:
                await self._say("220-" + "x" * 10)
                await asyncio.sleep(0.05)
        await self._say("220 mail.example ESMTP")
        while True:
            line = (await self._reader.readuntil(b"\r\n"))[:-2].decode("ascii")
            verb, _, rest = line.partition(" ")
            if not await self._do(verb.upper(), rest):
                return

    async def _do(self, verb: str, rest: str) -> bool:
        """Carry a command out; False ends the session."""
        if self._server.how == "hang" and verb == "MAIL":
            await asyncio.sleep(60)
        match verb:
            case "EHLO":
                self._server.greetings.append(rest)
                offers = ["mail.example", *(["STARTTLS"] if self._offers_tls else []), "AUTH PLAIN LOGIN", "8BITMIME"]
                for offer in offers[:-1]:
                    await self._say(f"250-{offer}")
                await self._say(f"250 {offers[-1]}")
            case "STARTTLS" if self._offers_tls:
                await self._say("220 go ahead")
                await self._writer.start_tls(cast(ssl.SSLContext, self._trust))
                self._over_tls = True
            case "AUTH":
                self._signed_in = await self._who(rest) == LOGIN
                await self._say("235 welcome" if self._signed_in else "535 5.7.8 no such login")
            case "MAIL" if self._trust is not None and not self._over_tls:
                await self._say("530 5.7.0 STARTTLS first")
            case "MAIL":
                self._sender, self._recipients = _path(rest), []
                await self._say("250 ok")
            case "RCPT":
                await self._recipient(_path(rest))
            case "DATA":
                return await self._data()
            case "QUIT":
                await self._say("421 not so fast" if self._server.how == "rude" else "221 bye")
                return False
            case "RSET" | "NOOP":
                await self._say("250 ok")
            case _:
                await self._say("502 not here")
        return True

    @property
    def _offers_tls(self) -> bool:
        return self._trust is not None and not self._over_tls and self._server.how != "no-starttls"

    async def _who(self, rest: str) -> tuple[str, str]:
        how, _, initial = rest.partition(" ")
        if how.upper() == "PLAIN":
            _, name, password = b64decode(initial or await self._ask("")).decode().split("\0")
            return name, password
        name = b64decode(initial or await self._ask("VXNlcm5hbWU6")).decode()
        return name, b64decode(await self._ask("UGFzc3dvcmQ6")).decode()

    async def _ask(self, challenge: str) -> str:
        await self._say(f"334 {challenge}")
        return (await self._reader.readuntil(b"\r\n"))[:-2].decode("ascii")

    async def _recipient(self, path: str) -> None:
        if self._server.how == "no-mailbox":
            await self._say(f"550 5.1.1 {path} is not known here")
            return
        self._recipients.append(path)
        await self._say("250 ok")

    async def _data(self) -> bool:
        if self._server.how == "busy":
            await self._say("451 4.3.0 later please")
            return True
        await self._say("354 go on")
        lines: list[bytes] = []
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if self._server.how == "dies":
            self._writer.transport.abort()
            return False
        if self._server.how == "full":
            await self._say("552 5.2.2 mailbox of Ada Example is full")
            return True
        assert self._sender is not None
        self._server.mails.append(Mail(self._sender, tuple(self._recipients), self._over_tls, self._signed_in, b"".join(lines)))
        await self._say("250 taken")
        return True

    async def _say(self, line: str) -> None:
        self._writer.write(line.encode() + b"\r\n")
        await self._writer.drain()


def _path(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
