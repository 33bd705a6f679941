"""A partner's endpoint for tests and benchmarks: a small HTTP server that notes what it gets and answers as told.

It speaks HTTP/1.1 by hand, because a test wants answers that no decent server would give. `Sink` runs it in a thread;
`python sink.py` runs it as a process of its own that prints its port and ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """One request, whole. Header names are in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """Pieces of bytes, each after a pause in seconds; `close` ends the connection after the last, `reset` rudely."""

    pieces: Sequence[tuple[float, bytes]]
    close: bool = False
    reset: bool = False


def status(code: int, *headers: str, body: bytes = b"") -> Reply:
    """A decent answer."""
    lines = [f"HTTP/1.1 {code} Said", *headers, f"Content-Length: {len(body)}", "", ""]
    return Reply([(0, "\r\n".join(lines).encode() + body)])


OK = status(200)


class Connection(asyncio.Protocol):
    """A connection of a sink: reads requests and answers them in the order in which they came."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sink.connections += 1
        transport.write(self._sink.greeting)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._next()) is not None:
            reply = self._sink.got(request)
            if len(reply.pieces) == 1 and not reply.pieces[0][0] and not reply.close and not reply.reset:
                self._transport.write(reply.pieces[0][1])
            else:
                self._sink.keep(asyncio.get_running_loop().create_task(self._answer(reply)))

    def _next(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = end + 4 + int(headers.get("content-length", 0))
        if len(self._buffer) < size:
            return None
        body = bytes(self._buffer[end + 4 : size])
        del self._buffer[:size]
        return Request(first.split(" ")[1], headers, body)

    async def _answer(self, reply: Reply) -> None:
        for pause, piece in reply.pieces:
            await asyncio.sleep(pause)
            if self._transport.is_closing():
                return
            self._transport.write(piece)
        if reply.reset:
            self._transport.abort()
        elif reply.close:
            self._transport.close()


@dataclass
class Sink:
    """The endpoint in a thread of its own, as a context manager. `answer` may be replaced while it runs."""

    answer: Callable[[Request], Reply] = lambda _request: OK
    requests: list[Request] = field(default_factory=list)
    greeting: bytes = b""
    connections: int = 0
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def ids(self) -> list[str]:
        """The webhook ids in the order in which they came, again when they came again."""
        return [request.headers["webhook-id"] for request in self.requests]

    def got(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.answer(request)

    def keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        server = self._loop.run_until_complete(self._loop.create_server(lambda: Connection(self), "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _Counting(Sink):
    """Keeps nothing of a request but that it came."""

    def got(self, request: Request) -> Reply:
        return self.answer(request)


if __name__ == "__main__":
    with _Counting(answer=lambda _request: Reply([(0, NO_CONTENT)])) as running:
        sys.stdout.write(f"{running.port}\n")
        sys.stdout.flush()
        sys.stdin.read()
