"""No URL, name or address opens a door into our own network: hostile ones are refused before anything is sent."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import pytest
from edges.receivers.sink import Sink
from hypothesis import given
from hypothesis import strategies as st

from integrations.webhooks.addresses import RefusedUrl, check_url, is_allowed
from integrations.webhooks.post import Answer, Poster

HOSTILE = [
    # not a web address, or not one for us
    *("", "partner.example.org", "//partner.example.org/", "ftp://partner.example.org/", "file:///etc/passwd"),
    *("gopher://partner.example.org/", "javascript:alert(1)", "https://", "https:///path", "https://:443/"),
    *("http://partner.example.org/", "HTTP://PARTNER.EXAMPLE.ORG/", "https://partner.example.org/#part"),
    *("https://partner.example.org:0/", "https://partner.example.org:99999/", "https://partner.example.org:x/"),
    # another host than it seems
    *("https://user:word@partner.example.org/", "https://partner.example.org@10.0.0.1/", "https://@10.0.0.1/"),
    *("https://10.0.0.1\\@partner.example.org/", "https://partner.example.org\\.10.0.0.1/"),
    *("https://partner.example.org/\r\nHost: evil", "https://partner.example.org/ x", "https://partner .example.org/"),
    *("https://partner.example.org%00.10.0.0.1/", "https://partner.example.org\t/", "https://ex%61mple.org/"),
    # this machine
    *("https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/", "https://127.0.0.1/"),
    *("https://127.1/", "https://127.0.1/", "https://0x7f.0.0.1/", "https://0x7f000001/", "https://2130706433/"),
    *("https://017700000001/", "https://0177.0.0.1/", "https://127.0.0.1./", "https://0/", "https://0.0.0.0/"),
    *("https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::127.0.0.1]/", "https://[0:0::1]/"),
    *("https://①②⑦.⓪.⓪.①/", "https://127。0。0。1/", "https://ⓛocalhost/"),
    # networks that are not public
    *("https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/", "https://198.18.0.1/"),
    *("https://192.0.2.1/", "https://198.51.100.1/", "https://203.0.113.1/", "https://192.0.0.8/"),
    *("https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[fec0::1]/", "https://[2001:db8::1]/"),
    # link-local and metadata services
    *("https://192.0.0.192/", "https://169.254.170.2/v2/credentials", "https://[fd20:ce::254]/"),
    *("https://2852039166/", "https://0251.0376.0251.0376/", "https://169.254.43518/", "https://[fe80::a9fe:a9fe]/"),
    *("https://169.254.169.254/latest/meta-data/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/"),
    *("https://[fd00:ec2::254]/", "https://100.100.100.200/", "https://168.63.129.16/", "https://0xA9FEA9FE/"),
    *("https://metadata/", "https://metadata.google.internal/", "https://[::ffff:169.254.169.254]/"),
    # multicast, broadcast, reserved
    *("https://233.252.0.1/", "https://232.0.0.1/", "https://[ff0e::1]/", "https://[ff05::2]/", "https://[ff02::fb]/"),
    *("https://224.0.0.1/", "https://239.255.255.255/", "https://255.255.255.255/", "https://240.0.0.1/"),
    "https://[ff02::1]/",
    # addresses that carry another one
    *("https://[64:ff9b::7f00:1]/", "https://[64:ff9b::10.0.0.1]/", "https://[64:ff9b:1::1]/"),
    *("https://[2002:7f00:1::]/", "https://[2002:a00:1::1]/", "https://[2001:0:7f00:1::]/", "https://192.88.99.1/"),
    *("https://[64:ff9b::a9fe:a9fe]/", "https://[64:ff9b::192.168.0.1]/", "https://[64:ff9b:1:a9fe:a9:fe00::]/"),
    *("https://[2002:a9fe:a9fe::1]/", "https://[2002:c0a8:1::]/", "https://[::ffff:0:10.0.0.1]/"),
    *("https://[::ffff:10.0.0.1]/", "https://[::ffff:c0a8:1]/", "https://[0:0:0:0:0:ffff:7f00:1]/"),
    *("https://[::ffff:100.64.0.1]/", "https://[2001:20::1]/", "https://[5f00::1]/", "https://[3fff::1]/"),
    # names inside a network
    *("https://intranet/", "https://db.local/", "https://printer.lan/", "https://vault.corp/"),
    *("https://-a.example.org/", "https://a..example.org/", f"https://{'a' * 64}.example.org/", "https://[::1/"),
    f"https://{'a.' * 130}org/",
]


def test_the_corpus_is_not_made_of_repetitions() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 110


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused(url: str) -> None:
    with pytest.raises(RefusedUrl) as refused:
        check_url(url, allow_loopback=False)
    assert len(url) < 9 or url not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://partner.example.org/",
            "https://partner.example.org:8443/a/b?c=d",
            "https://xn--caf-dma.example.org/",
        ),
        *("https://93.184.215.14/", "https://[2606:4700:4700::1111]/events", "https://a.b.c.example.org./"),
        "HTTPS://Partner.Example.org/Events",
    ],
)
def test_a_public_https_url_is_accepted(url: str) -> None:
    check_url(url, allow_loopback=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/", "http://localhost:8000/", "http://[::1]:8000/"])
def test_this_machine_only_when_it_was_allowed(url: str) -> None:
    check_url(url, allow_loopback=True)
    with pytest.raises(RefusedUrl):
        check_url(url, allow_loopback=False)


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://partner.example.org/", "https://192.168.0.1/"])
def test_allowing_this_machine_allows_no_other(url: str) -> None:
    with pytest.raises(RefusedUrl):
        check_url(url, allow_loopback=True)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_that_the_standard_library_calls_private_is_allowed(address: Any) -> None:
    allowed = is_allowed(address, allow_loopback=False)
    assert not (
        allowed and (address.is_private or address.is_multicast or address.is_reserved or address.is_link_local)
    )


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_that_carries_another_is_allowed(address: Any) -> None:
    if is_allowed(address, allow_loopback=False):
        assert address.is_global
        assert address.ipv4_mapped is None
        assert address.sixtofour is None
        assert address.teredo is None


def post(url: str, *, allow_loopback: bool) -> Answer:
    async def attempt() -> Answer:
        async with Poster(allow_loopback=allow_loopback, connections=2, timeout=5) as poster:
            return await poster.post(url, {}, b"{}")

    return asyncio.run(attempt())


def answers(*addresses: str) -> Any:
    """A name server that gives these addresses for any name."""

    def look_up(_host: str, port: int, *_args: object, **_named: object) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    return look_up


@pytest.mark.parametrize(
    "addresses",
    [
        *(["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["fe80::1%2"], ["64:ff9b::a00:1"]),
        # one good address does not make up for a bad one
        *(["93.184.215.14", "192.168.0.1"], ["2606:4700:4700::1111", "fd00::1"]),
    ],
)
def test_a_public_name_that_leads_inside_is_refused(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers(*addresses))
    assert post("https://partner.example.org/", allow_loopback=False) == Answer("refused_address")


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere when it is asked a second time gains nothing: it is asked once."""
    asked: list[str] = []

    def rebinding(host: str, port: int, *_args: object, **_named: object) -> list[Any]:
        asked.append(host)
        return answers("127.0.0.1" if len(asked) == 1 else "10.0.0.1")(host, port)

    with Sink() as sink:
        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        assert post(f"http://localhost:{sink.port}/", allow_loopback=True) == Answer("ok", 200)
    assert asked == ["localhost"]
    assert sink.requests[0].headers["host"] == f"localhost:{sink.port}"


def test_the_last_gate_is_the_socket_itself() -> None:
    """Whatever got past the URL and the name, no socket is opened to such an address."""
    gate = Poster(allow_loopback=False, connections=1, timeout=1)
    for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254"):
        with pytest.raises(OSError):  # noqa: PT011  (the class is the sender's own)
            gate._open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)))
    public = gate._open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443)))
    public.close()
    assert ip_address("93.184.215.14").is_global


def test_a_name_that_does_not_exist() -> None:
    assert post("https://no-such-host.invalid/", allow_loopback=False) == Answer("name_not_found")


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sink() as partner, Sink() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert post(partner.url, allow_loopback=True) == Answer("ok", 200)
    assert (len(partner.requests), len(proxy.requests)) == (1, 0)
