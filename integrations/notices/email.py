"""One message to one address over SMTP: encrypted, within a time limit, with an answer that is a code and never a text.

The hand-over calls it outside of any transaction. Nothing that the server says is kept or logged.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from threading import Timer
from typing import Final

from integrations.notices import outcomes

ANSWER_SECONDS: Final = 20.0
"""So long one answer of the server may take."""
MESSAGE_SECONDS: Final = 90.0
"""So long a message may take as a whole, whatever the server does."""

_DONE: Final = 250
_FORWARDED: Final = 251
_REFUSALS: Final = range(400, 600)


@dataclass(frozen=True)
class MailServer:
    """Where messages are handed in. `ca_file` names the authority of its certificate (none: those of the system);
    `allow_plain_loopback` lets a server on this machine do without STARTTLS, for development."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    allow_plain_loopback: bool = False


def send(
    server: MailServer,
    message: EmailMessage,
    to: str,
    *,
    answer_seconds: float = ANSWER_SECONDS,
    message_seconds: float = MESSAGE_SECONDS,
) -> str:
    """Hand the message in; what became of it (`outcomes`). OK only when the server has taken it."""
    line = _Line(server, message_seconds)
    try:
        line.dial(answer_seconds)
        outcome = _converse(line, message.as_bytes(policy=message.policy.clone(linesep="\r\n")), to)
        if line.over:  # what looks like an answer may be half of one
            raise TimeoutError
        with suppress(OSError):
            line.quit()
        return outcome
    except OSError as error:
        if line.handed:
            return outcomes.NOT_SURE
        return outcomes.TIMEOUT if line.over else _outcome_of(error)
    finally:
        line.end()


class _Line(smtplib.SMTP):
    """A connection that is cut when the time for the whole message is `over`, whatever it waits for. `handed`: from now
    on only the server knows whether it has the message."""

    def __init__(self, server: MailServer, message_seconds: float) -> None:
        self.over = self.handed = False
        self.server = server
        self._wire: socket.socket | None = None
        self._timer = Timer(message_seconds, self._cut)
        self._timer.daemon = True

    def dial(self, answer_seconds: float) -> None:
        """Connect. SMTP does so where it is made, and the time runs from before."""
        self._timer.start()
        own_name = self.server.sender.rpartition("@")[2]
        super().__init__(self.server.host, self.server.port, local_hostname=own_name, timeout=answer_seconds)

    def end(self) -> None:
        """Close it without another word."""
        self._timer.cancel()
        if self._wire is not None:
            self.close()
            self._wire.close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._wire = made.dup()  # TLS takes the socket itself over
        if self.over:
            raise TimeoutError
        return made

    def _cut(self) -> None:
        self.over = True
        if self._wire is not None:
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)


def _converse(line: _Line, content: bytes, to: str) -> str:
    refused = _secure(line) or _log_in(line)
    if refused is not None:
        return refused
    if line.mail(line.server.sender)[0] != _DONE:
        return outcomes.SENDER_REFUSED
    if line.rcpt(to)[0] not in (_DONE, _FORWARDED):
        return outcomes.RECIPIENT_REFUSED
    line.handed = True
    try:
        answer = line.data(content)[0]
    except smtplib.SMTPDataError:
        return outcomes.MESSAGE_REFUSED
    if answer == _DONE:
        return outcomes.OK
    return outcomes.MESSAGE_REFUSED if answer in _REFUSALS else outcomes.NOT_SURE


def _secure(line: _Line) -> str | None:
    """Go on encrypted, or say why not."""
    line.ehlo()
    if line.has_extn("starttls"):
        try:
            trusted = ssl.create_default_context(cafile=line.server.ca_file)
        except OSError:  # no such file, or no certificate in it
            return outcomes.TLS_FAILED
        line.starttls(context=trusted)
        line.ehlo()
        return None
    peer = line.sock.getpeername()[0] if line.sock is not None else ""
    return None if line.server.allow_plain_loopback and ip_address(peer).is_loopback else outcomes.TLS_MISSING


def _log_in(line: _Line) -> str | None:
    if line.server.user is None:
        return None
    try:
        line.login(line.server.user, line.server.password or "")
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException:
        return outcomes.LOGIN_REFUSED
    return None


def _outcome_of(error: OSError) -> str:
    # smtplib says of a server that keeps silent that it hung up.
    kinds = (error, error.__context__)
    if any(isinstance(each, TimeoutError) for each in kinds):
        return outcomes.TIMEOUT
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), outcomes.CONNECTION_FAILED)


_OUTCOMES: Final[list[tuple[type[Exception], str]]] = [
    (smtplib.SMTPServerDisconnected, outcomes.CONNECTION_LOST),
    (ssl.SSLError, outcomes.TLS_FAILED),
    (socket.gaierror, outcomes.NAME_NOT_FOUND),
    (ConnectionRefusedError, outcomes.CONNECTION_REFUSED),
    (ConnectionError, outcomes.CONNECTION_LOST),
]
"""The first that fits, before the message went out. All of them are OSErrors."""
