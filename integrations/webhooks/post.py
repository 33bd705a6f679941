"""One POST to a partner, guarded: whom it may reach, how long it may take, how much it may answer.

The only HTTP client of Segin. The sender gives it a URL, headers and a body; the answer is a code, never a text that
came from outside.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from integrations.webhooks import outcomes
from integrations.webhooks.addresses import RefusedUrl, check_url, is_allowed

USER_AGENT: Final = "Segin-Webhooks/1"
LARGEST_ANSWER: Final = 64 * 1024
"""Bytes of an answer's body that are read (and thrown away) to keep the connection."""
DRAIN_SECONDS: Final = 1.0
ATTEMPT_SECONDS: Final = 15.0
"""So long an attempt may take, from the look-up of the name to the answer."""
# Many servers drop an idle connection after 5 seconds; a POST sent into that moment would be lost.
KEEP_ALIVE_SECONDS: Final = 4.0
_ASKS_FOR_TIME: Final = (429, 503)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a POST. `retry_after` is the header of an answer that asks for time, as it was sent."""

    outcome: str
    status_code: int | None = None
    retry_after: str | None = None


class Poster:
    """A pool of connections to partners; an asynchronous context manager."""

    def __init__(self, *, allow_loopback: bool, connections: int, timeout: float) -> None:
        self._allow_loopback = allow_loopback
        self._connections = connections
        self._timeout = timeout

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_AllowedAddresses(self._allow_loopback),
                socket_factory=self._open_socket,
                limit=self._connections,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),  # `post` limits the whole attempt
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._session.close()

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send it and say what came of it, within the time limit whatever the partner does.

        The status line is the partner's answer: a body that never ends changes nothing about it.
        """
        answer: Answer | None = None
        try:
            check_url(url, allow_loopback=self._allow_loopback)
            async with (
                asyncio.timeout(self._timeout),
                self._session.post(url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                answer = _answer_of(response)
                await _drain(response)
        except (RefusedUrl, aiohttp.InvalidURL):
            return Answer(outcomes.REFUSED_URL)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return answer or Answer(_outcome_of(error))
        return answer

    def _open_socket(self, address: tuple[Any, ...]) -> socket.socket:
        """The last gate before a connection: whatever a name or a URL led to, this is where it would go."""
        family, kind, protocol, _, place = address
        if not is_allowed(ip_address(place[0]), allow_loopback=self._allow_loopback):
            raise RefusedAddress
        return socket.socket(family, kind, protocol)


class RefusedAddress(OSError):
    """A connection would have led to an address that is not public."""


class _AllowedAddresses(AbstractResolver):
    """Looks a name up once and gives the literal addresses to connect to, or none if a single one is not allowed."""

    def __init__(self, allow_loopback: bool) -> None:
        self._allow_loopback = allow_loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        addresses = [str(place[0]) for *_, place in found]
        if not all(is_allowed(ip_address(each), allow_loopback=self._allow_loopback) for each in addresses):
            raise RefusedAddress
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST
            )
            for address, (kind, _, protocol, *_) in zip(addresses, found, strict=True)
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _answer_of(response: aiohttp.ClientResponse) -> Answer:
    asked = response.headers.get("Retry-After") if response.status in _ASKS_FOR_TIME else None
    return Answer(outcomes.of_status(response.status), response.status, asked)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the body to its end so that the connection can be used again, or give both up when it is long or slow."""
    if response.content.at_eof():
        return
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(DRAIN_SECONDS):
            read = 0
            while read <= LARGEST_ANSWER and not response.content.at_eof():
                read += len(await response.content.readany())


def _outcome_of(error: Exception) -> str:
    behind = getattr(error, "os_error", error)
    if isinstance(behind, RefusedAddress):
        return outcomes.REFUSED_ADDRESS
    if isinstance(error, TimeoutError):
        return outcomes.TIMEOUT
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return outcomes.NAME_NOT_FOUND
    if isinstance(error, aiohttp.ClientSSLError):
        return outcomes.TLS_FAILED
    if isinstance(error, aiohttp.ClientConnectorError):
        refused = isinstance(behind, ConnectionRefusedError)
        return outcomes.CONNECTION_REFUSED if refused else outcomes.CONNECTION_FAILED
    if isinstance(error, aiohttp.ClientResponseError):
        return outcomes.BAD_ANSWER
    return outcomes.CONNECTION_LOST
