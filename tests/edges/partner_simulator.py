"""Partners that can be put out of order while they run: over TLS, under a name of their own, in every way there is.

`FAULTS` are the ways. A test begins one at a `SimulatedPartner` and ends it again; `names` makes their host names lead
to this machine. Certificates are made when the tests start and trusted by nobody else.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any, Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from edges.receivers.sink import OK, Connection, Reply, Request, Sink, status

DOMAIN = "partners.segin-tests.org"
HUGE = 20_000_000


@dataclass(frozen=True)
class Fault:
    """How a partner is out of order. `outcome` is what Segin should call an attempt; `takes` says whether the partner
    keeps what it is sent all the same; `asks_for` is how long it wants to be left alone. The door: whether it listens,
    and whether it answers whoever comes."""

    outcome: str
    reply: Callable[[], Reply] = lambda: OK
    takes: bool = False
    asks_for: timedelta | None = None
    door: Literal["open", "shut", "unattended"] = "open"
    certificate: str = "good"
    known: bool = True
    hangs_up: bool = False


def fixed(reply: Reply) -> Callable[[], Reply]:
    """That reply every time."""
    return lambda: reply


def retry_at() -> Reply:
    """503, and the moment from which the partner is there again, as a date: half an hour from now."""
    moment = format_datetime(datetime.now(UTC) + timedelta(minutes=30), usegmt=True)
    return status(503, f"Retry-After: {moment}")


@cache
def bomb() -> Reply:
    """100 MB in 100 kB."""
    return status(200, "Content-Encoding: gzip", body=gzip.compress(bytes(100_000_000), compresslevel=6))


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
FAULTS = {
    "refused": Fault("connection_refused", door="shut"),
    "unknown name": Fault("name_not_found", known=False),
    "slow accept": Fault("timeout", door="unattended"),
    "reset in the request": Fault("connection_lost", hangs_up=True),
    "no answer": Fault("timeout", fixed(Reply([(600, b"")]))),
    "header drip": Fault(
        "timeout", fixed(Reply([(0, b"HTTP/1.1 200 OK\r\n"), *((0.05, b"X-Drip: drop\r\n"),) * 5_000]))
    ),
    "not HTTP": Fault("bad_answer", fixed(Reply([(0, b"220 mail.example.org ESMTP\r\n\r\n")], close=True))),
    "redirect": Fault("redirect", fixed(status(302, "Location: https://127.0.0.1:9/"))),
    "refusal": Fault("http_403", fixed(status(403))),
    "gone": Fault("gone", fixed(status(410))),
    "too many": Fault("http_429", fixed(status(429, "Retry-After: 600")), asks_for=timedelta(minutes=10)),
    "maintenance": Fault("http_503", retry_at, asks_for=timedelta(minutes=30)),
    "error": Fault("http_500", fixed(status(500, body=b"x" * 1000))),
    "expired": Fault("tls_failed", certificate="expired"),
    "self-signed": Fault("tls_failed", certificate="self-signed"),
    "wrong host": Fault("tls_failed", certificate="wrong host"),
    "acknowledgement lost": Fault("connection_lost", fixed(Reply([(0, b"")], close=True)), takes=True),
    # The status line has come: the partner's answer is known, whatever becomes of the rest.
    "reset in the answer": Fault("ok", fixed(Reply([(0, HALF), (0.05, b"")], reset=True)), takes=True),
    "body drip": Fault(
        "ok",
        fixed(Reply([(0, b"HTTP/1.1 200 OK\r\n\r\n"), *((0.05, b"x"),) * 5_000])),
        takes=True,
    ),
    "huge body": Fault("ok", fixed(status(200, body=b"x" * HUGE)), takes=True),
    "gzip bomb": Fault("ok", bomb, takes=True),
}


class Authority:
    """A certificate authority of the tests' own, and the certificates of its hosts, good and bad."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _common_name("Segin tests")
        usage = {name: name in ("digital_signature", "key_cert_sign", "crl_sign") for name in KEY_USAGES}
        self._certificate = (
            _certificate(self._name, self._name, self._key, days=30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> str:
        """Its own certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def trusting(self) -> ssl.SSLContext:
        """For a client that trusts this authority and no other."""
        return ssl.create_default_context(cadata=self.pem)

    def server(self, host: str, kind: str) -> ssl.SSLContext:
        """For the server of that host, with a certificate that is good, expired, self-signed or for the wrong host."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _common_name(host)
        alone = kind == "self-signed"
        certificate = (
            _certificate(name, name if alone else self._name, key, days=-1 if kind == "expired" else 30)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(f"other.{DOMAIN}" if kind == "wrong host" else host)]),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key((key if alone else self._key).public_key()),
                critical=False,
            )
            .sign(key if alone else self._key, hashes.SHA256())
        )
        file = self.folder / f"{host}-{kind.replace(' ', '-')}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


KEY_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    """One that began a month ago and ends in so many days."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
    )


class _Connection(Connection):
    """A connection of a partner, which may hang up in the middle of a request."""

    def __init__(self, partner: SimulatedPartner) -> None:
        super().__init__(partner)
        self._partner = partner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._partner.transports.add(self._transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._partner.transports.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._partner.fault is not None and self._partner.fault.hangs_up:
            self._transport.abort()
        else:
            super().data_received(data)


@dataclass
class SimulatedPartner(Sink):
    """A partner's endpoint under a host name of its own, as a context manager. `taken` is what it has kept."""

    name: str = field(kw_only=True)
    authority: Authority = field(kw_only=True)
    fault: Fault | None = None
    taken: list[Request] = field(default_factory=list)
    transports: set[asyncio.Transport] = field(default_factory=set)

    @property
    def host(self) -> str:
        return f"{self.name}.{DOMAIN}"

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}/events"

    def begin(self, fault: Fault) -> None:
        """From now on the partner is out of order; whoever was connected is not any more."""
        self._run(self._change(fault))

    def end(self) -> None:
        """The partner is well again."""
        self._run(self._change(None))

    def got(self, request: Request) -> Reply:
        self.requests.append(request)
        if self.fault is None or self.fault.takes:
            self.taken.append(request)
        return OK if self.fault is None else self.fault.reply()

    def __enter__(self) -> Self:
        kinds = {each.certificate for each in FAULTS.values()}
        self._contexts = {kind: self.authority.server(self.host, kind) for kind in kinds}
        # Keeps the port while nothing listens at it.
        self._kept = _bound(0)
        self.port = self._kept.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name=self.name)
        self._thread.start()
        self._attended: asyncio.Task[None] | None = None
        self._door: socket.socket | None = None
        self.end()
        return self

    def __exit__(self, *_error: object) -> None:
        self._run(self._leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()
        self._kept.close()

    async def _change(self, fault: Fault | None) -> None:
        self.fault = fault
        await self._close()
        if fault is None or fault.door != "shut":
            self._door = _bound(self.port)
            self._door.listen(128)
            self._door.setblocking(False)
        if self._door is not None and (fault is None or fault.door == "open"):
            context = self._contexts["good" if fault is None else fault.certificate]
            self._attended = self._loop.create_task(self._attend(self._door, context))

    async def _attend(self, door: socket.socket, context: ssl.SSLContext) -> None:
        while True:
            visitor, _ = await self._loop.sock_accept(door)
            self.keep(self._loop.create_task(self._welcome(visitor, context)))

    async def _welcome(self, visitor: socket.socket, context: ssl.SSLContext) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: _Connection(self), visitor, ssl=context)
        except OSError:  # it did not like the certificate, or went away
            visitor.close()

    async def _close(self) -> None:
        tasks = [task for task in (self._attended, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._attended = None
        for transport in list(self.transports):
            transport.abort()
        if self._door is not None:
            self._door.close()
            self._door = None

    async def _leave(self) -> None:
        await self._close()
        await asyncio.sleep(0)  # for what was aborted to be told

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def names(partners: Sequence[SimulatedPartner]) -> Callable[..., Any]:
    """For `socket.getaddrinfo`: the partners' hosts lead to this machine, unless their fault is that nobody knows them;
    no other name leads anywhere."""
    known = {partner.host: partner for partner in partners}
    look_up = socket.getaddrinfo

    def getaddrinfo(host: str, *arguments: Any, **named: Any) -> Any:
        partner = known.get(host)
        if partner is None or (partner.fault is not None and not partner.fault.known):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up("127.0.0.1", *arguments, **named)

    return getaddrinfo
