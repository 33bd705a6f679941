"""A partner of the demonstration: a real HTTP endpoint in a process of its own, that verifies and counts.

`PartnerProcess` starts it (`python -m deployments.demo.partner`) and tells it, through its standard input, how to
behave; when that pipe closes, for whatever reason, the process ends by itself.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

import uvicorn
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

SLOW_ANSWER_SECONDS: Final = 0.25

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Behaviour(StrEnum):
    """How the endpoint answers: at once, with an error, or late."""

    WELL = "well"
    FAILING = "failing"
    SLOW = "slow"


@dataclass
class Received:
    """What reached the partner. `events` are different ones, `again` those that came another time, `turned_away`
    the requests answered with an error while failing, `not_verified` those whose signature did not hold, and
    `out_of_order` those that came after a later event of the same case."""

    requests: int = 0
    events: int = 0
    again: int = 0
    turned_away: int = 0
    not_verified: int = 0
    out_of_order: int = 0


@dataclass
class _Endpoint:
    """The ASGI application: one partner's receiving side."""

    verifier: Webhook
    behaviour: Behaviour = Behaviour.WELL
    received: Received = field(default_factory=Received)
    _seen: set[str] = field(default_factory=set)
    _last_of_case: dict[str, int] = field(default_factory=dict)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        status = await self._answer(dict(scope["headers"]), await _body(receive))
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, headers: dict[bytes, bytes], body: bytes) -> int:
        self.received.requests += 1
        if self.behaviour is Behaviour.FAILING:
            self.received.turned_away += 1
            return 503
        if self.behaviour is Behaviour.SLOW:
            await asyncio.sleep(SLOW_ANSWER_SECONDS)
        try:
            event = self.verifier.verify(body, {name.decode(): value.decode() for name, value in headers.items()})
        except (WebhookVerificationError, ValueError):
            self.received.not_verified += 1
            return 400
        self._count(event)
        return 204

    def _count(self, event: dict[str, Any]) -> None:
        if event["id"] in self._seen:
            self.received.again += 1
            return
        self._seen.add(event["id"])
        self.received.events += 1
        case, sequence = event["data"]["case"], int(event["sequence"])
        if sequence <= self._last_of_case.get(case, 0):
            self.received.out_of_order += 1
        self._last_of_case[case] = max(sequence, self._last_of_case.get(case, 0))


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


class PartnerProcess:
    """The endpoint as the demonstration sees it: an address, a behaviour, and what it received."""

    def __init__(self, secret: str) -> None:
        # A session of its own: Ctrl-C reaches the demonstration, which then closes the pipe.
        self._process = subprocess.Popen(
            # -P: a folder `models` or `deployments` where somebody happens to be must not be taken for ours.
            [sys.executable, "-P", "-m", "deployments.demo.partner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.url: str = self._ask({"secret": secret})["url"]

    def behave(self, behaviour: Behaviour) -> None:
        """Answer like this from now on."""
        self._ask({"behaviour": behaviour})

    def received(self) -> Received:
        """What has reached the partner until now."""
        return Received(**self._ask({})["received"])

    def close(self) -> None:
        """End the process, waiting until it has."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _ask(self, order: dict[str, str]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the partner's process has no pipes")
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer


async def _serve() -> None:
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    endpoint = _Endpoint(Webhook(json.loads(await orders.readline())["secret"]))
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(endpoint, interface="asgi3", lifespan="off", access_log=False, log_level="error", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    _reply({"url": f"http://127.0.0.1:{listener.getsockname()[1]}/events"})
    while line := await orders.readline():
        endpoint.behaviour = Behaviour(json.loads(line).get("behaviour", endpoint.behaviour))
        _reply({"received": asdict(endpoint.received)})
    server.should_exit = True
    await serving


def _reply(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve())
