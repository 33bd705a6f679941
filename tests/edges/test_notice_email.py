"""Handing a message to a real mail server: encrypted or not at all, and every way in which the server can fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from edges.mail_server import CREDENTIALS, MailServer
from edges.partner_simulator import Authority

from integrations.notices import email, outcomes

TO = "suivi@partner.example.org"
USER, PASSWORD = CREDENTIALS


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    made = Authority(folder)
    (folder / "ca.pem").write_text(made.pem)
    return made


@pytest.fixture(scope="module")
def ca_file(authority: Authority) -> Path:
    return authority.folder / "ca.pem"


@pytest.fixture
def running(authority: Authority) -> Iterator[MailServer]:
    with MailServer(tls=authority.server("localhost", "good")) as server:
        yield server


def message() -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["Message-ID"] = "Segin", "<segin-1-1-2@example.org>"
    made.set_content(".one\n..two\nété\n")
    return made


def send(server: MailServer, ca_file: Path | None, **given: Any) -> str:
    limits = {name: given.pop(name) for name in ("answer_seconds", "message_seconds") if name in given}
    known = {"host": "localhost", "port": server.port, "sender": "segin@example.org", "ca_file": ca_file}
    return email.send(email.MailServer(**known | given), message(), TO, **limits)


def test_a_message_is_handed_in_encrypted_under_our_name(running: MailServer, ca_file: Path) -> None:
    assert send(running, ca_file, user=USER, password=PASSWORD) == outcomes.OK
    (taken,) = running.taken
    assert (taken.sender, taken.to, taken.encrypted) == ("segin@example.org", [TO], True)
    assert taken.message["Message-ID"] == "<segin-1-1-2@example.org>"
    assert taken.message.get_content() == ".one\r\n..two\r\nété\r\n"


def test_a_certificate_that_nobody_vouches_for_is_refused(running: MailServer, ca_file: Path, tmp_path: Path) -> None:
    assert send(running, None) == outcomes.TLS_FAILED
    assert send(running, tmp_path / "none.pem") == outcomes.TLS_FAILED
    assert send(running, ca_file, host="127.0.0.1") == outcomes.TLS_FAILED
    assert running.taken == []


@pytest.mark.parametrize("kind", ["expired", "self-signed", "wrong host"])
def test_a_bad_certificate_is_refused(authority: Authority, ca_file: Path, kind: str) -> None:
    with MailServer(tls=authority.server("localhost", kind)) as server:
        assert send(server, ca_file, user=USER, password=PASSWORD, allow_plain_loopback=True) == outcomes.TLS_FAILED
        assert server.taken == []


def test_nothing_goes_out_in_clear_but_to_this_machine_when_it_may() -> None:
    with MailServer() as server:
        assert send(server, None, user=USER, password=PASSWORD) == outcomes.TLS_MISSING
        assert server.taken == []
        assert send(server, None, user=USER, password=PASSWORD, allow_plain_loopback=True) == outcomes.OK
        assert [taken.encrypted for taken in server.taken] == [False]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"answers": {"greeting": "554 go away"}}, outcomes.CONNECTION_FAILED),
        ({"answers": {"STARTTLS": "454 not now"}}, outcomes.CONNECTION_FAILED),
        ({"answers": {"AUTH": "535 no"}}, outcomes.LOGIN_REFUSED),
        ({"answers": {"MAIL": "550 not you"}}, outcomes.SENDER_REFUSED),
        ({"refuses": {TO}}, outcomes.RECIPIENT_REFUSED),
        ({"answers": {"DATA": "451 not now"}}, outcomes.MESSAGE_REFUSED),
        ({"answers": {"message": "552 too large"}}, outcomes.MESSAGE_REFUSED),
        ({"hangs_up_at": "greeting"}, outcomes.CONNECTION_LOST),
        ({"hangs_up_at": "RCPT"}, outcomes.CONNECTION_LOST),
        ({"hangs_up_at": "DATA"}, outcomes.NOT_SURE),
        ({"hangs_up_at": "message"}, outcomes.NOT_SURE),
        ({"hangs_up_at": "QUIT"}, outcomes.OK),
        ({"silent_at": "greeting"}, outcomes.TIMEOUT),
        ({"silent_at": "message"}, outcomes.NOT_SURE),
        ({"drips_at": "greeting"}, outcomes.TIMEOUT),
        ({"drips_at": "message"}, outcomes.NOT_SURE),
    ],
    ids=str,
)
def test_each_fault_has_its_outcome_in_time(
    authority: Authority, ca_file: Path, fault: dict[str, Any], outcome: str
) -> None:
    patience = {"silent_at": {"answer_seconds": 1.0}, "drips_at": {"message_seconds": 1.5}}
    with MailServer(tls=authority.server("localhost", "good"), **fault) as server:
        (kind,) = fault
        assert send(server, ca_file, user=USER, password=PASSWORD, **patience.get(kind, {})) == outcome
        has_it = fault in ({"hangs_up_at": "QUIT"}, {"hangs_up_at": "message"}, {"silent_at": "message"})
        assert len(server.taken) == (has_it or fault == {"drips_at": "message"})


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        server = email.MailServer(host="127.0.0.1", port=door.getsockname()[1], sender="segin@example.org")
        assert email.send(server, message(), TO) == outcomes.CONNECTION_REFUSED
    missing = email.MailServer(host="mail.segin.invalid", port=587, sender="segin@example.org")
    assert email.send(missing, message(), TO) == outcomes.NAME_NOT_FOUND


def test_the_password_is_never_shown() -> None:
    server = email.MailServer(host="h", port=1, sender="s@example.org", user="u", password=PASSWORD)
    assert PASSWORD not in repr(server)


def test_each_outcome_is_explained_in_both_languages() -> None:
    codes = {value for name, value in vars(outcomes).items() if name.isupper() and isinstance(value, str)}
    assert codes == outcomes.WORDS.keys()
    assert all(text.fr and text.en for words in outcomes.WORDS.values() for text in words)
