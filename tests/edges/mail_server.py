"""A mail server for tests: speaks enough SMTP to take messages in over STARTTLS, and goes wrong where it is told to."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self

CREDENTIALS = ("segin", "s3cret-of-the-tests")


@dataclass(frozen=True)
class Taken:
    """A message that came whole: from whom, to whom, over an encrypted connection or not, and its bytes."""

    sender: str
    to: list[str]
    encrypted: bool
    content: bytes = field(repr=False)

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class MailServer:
    """A context manager. Without `tls` it offers no STARTTLS; `refuses` are addresses that it does not take; `answers`
    gives another answer than the usual one to a command (`greeting`, `AUTH`, `MAIL`, `message`); `hangs_up_at` drops
    the connection there; `silent_at` says nothing more, and `drips_at` a letter at a time for ever."""

    tls: ssl.SSLContext | None = None
    refuses: set[str] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)
    hangs_up_at: str | None = None
    silent_at: str | None = None
    drips_at: str | None = None
    taken: list[Taken] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server")
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        self._talks: set[asyncio.Task[None]] = set()
        return await asyncio.start_server(self._attend, "127.0.0.1", 0)

    async def _stop(self) -> None:
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _Talk(self, reader, writer).run()
        writer.transport.abort()
        self._talks.discard(task)


class _HungUp(OSError):
    pass


class _Talk:
    """One conversation."""

    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._encrypted = False
        self._sender, self._to = "", []  # type: str, list[str]

    async def run(self) -> None:
        await self._say("greeting", "220 mail.example.org ESMTP")
        while line := (await self._reader.readline()).decode("latin-1").rstrip("\r\n"):
            word = line.partition(" ")[0].upper()
            if word == "QUIT":
                await self._say("QUIT", "221 bye")
                return
            await self._obey(word, line)

    async def _obey(self, word: str, line: str) -> None:
        if word == "EHLO":
            offered = ["250-mail.example.org", "250-8BITMIME"]
            if self._server.tls is not None and not self._encrypted:
                offered.append("250-STARTTLS")
            await self._say(word, "\r\n".join([*offered, "250 AUTH PLAIN"]))
        elif word == "STARTTLS":
            await self._say(word, "220 go on")
            assert self._server.tls is not None
            await self._writer.start_tls(self._server.tls)
            self._encrypted = True
        elif word == "AUTH":
            said = base64.b64decode(line.split()[-1]).decode().split("\0")[1:]
            await self._say(word, "235 welcome" if tuple(said) == CREDENTIALS else "535 no")
        elif word == "MAIL":
            self._sender, self._to = _address(line), []
            await self._say(word, "250 yes")
        elif word == "RCPT":
            if (address := _address(line)) in self._server.refuses:
                await self._say(word, "550 nobody of that name")
            else:
                self._to.append(address)
                await self._say(word, "250 yes")
        elif word == "DATA":
            await self._say(word, "354 go on")
            if word in self._server.answers:
                return
            content = await self._reader.readuntil(b"\r\n.\r\n")
            content = content.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
            if "message" not in self._server.answers:
                self._server.taken.append(Taken(self._sender, self._to, self._encrypted, content))
            await self._say("message", "250 taken")
        else:
            await self._say(word, "250 yes")

    async def _say(self, at: str, usual: str) -> None:
        server = self._server
        if at == server.hangs_up_at:
            raise _HungUp
        if at == server.silent_at:
            await asyncio.sleep(3600)
        while at == server.drips_at:
            self._writer.write(b"2")
            await self._writer.drain()
            await asyncio.sleep(0.05)
        self._writer.write(server.answers.get(at, usual).encode() + b"\r\n")
        await self._writer.drain()


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
