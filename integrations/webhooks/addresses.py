"""Which addresses a delivery may reach: public ones over https, so that no URL opens a door into our own network.

`subscriptions` checks a URL when it is given; the sender checks it again, and each address that it connects to.
"""

from __future__ import annotations

import re
import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

from models.errors import WrongUse

# `is_global` lets these through, in some versions: protocol assignments, 6to4 relays, and the address at which Azure
# answers its own machines.
_IPV4_NOT_PUBLIC: Final = tuple(
    IPv4Network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
)
# All that is routed on the internet, less what carries or hides another address or is for examples.
_IPV6_PUBLIC: Final = IPv6Network("2000::/3")
_IPV6_NOT_PUBLIC: Final = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?")
_PLAIN: Final = re.compile(r"[!-~]{1,2000}")
_LONGEST_LABEL: Final = 63


class RefusedUrl(WrongUse):
    """A URL to which no delivery may be sent. The message says why; it does not repeat the URL."""


def is_allowed(address: IPv4Address | IPv6Address, *, allow_loopback: bool) -> bool:
    """Whether a connection to this very address may be made."""
    if address.is_loopback:
        return allow_loopback
    if isinstance(address, IPv4Address):
        outside = any(address in network for network in _IPV4_NOT_PUBLIC)
        return address.is_global and not address.is_multicast and not address.is_reserved and not outside
    return address in _IPV6_PUBLIC and not any(address in network for network in _IPV6_NOT_PUBLIC)


@lru_cache(maxsize=1024)
def check_url(url: str, *, allow_loopback: bool) -> None:
    """Refuse a URL that is not https to a public host (or http to this machine, when loopback is allowed).

    A host's addresses are not looked up here but when it is connected to. Raises RefusedUrl.
    """
    if not _PLAIN.fullmatch(url) or "\\" in url:
        raise _refused(
            "it has a character that does not belong in a URL", "elle contient un caractère interdit dans une URL"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _refused("it cannot be read", "elle est illisible") from None
    if parts.scheme not in ("https", "http"):
        raise _refused("it does not begin with https://", "elle ne commence pas par https://")
    if "@" in parts.netloc:
        raise _refused("it carries a user name or password", "elle contient un identifiant ou un mot de passe")
    if parts.fragment:
        raise _refused("it has a part after #", "elle a une partie après #")
    if port == 0:
        raise _refused("port 0 cannot be reached", "le port 0 est inaccessible")
    loopback = _check_host(host, allow_loopback=allow_loopback)
    if parts.scheme == "http" and not (loopback and allow_loopback):
        raise _refused("only https is allowed", "seul https est permis")


def _check_host(host: str, *, allow_loopback: bool) -> bool:
    """Whether the host is this machine. Raises RefusedUrl for one that is not public."""
    if host == "localhost":
        if not allow_loopback:
            raise _refused("its host is this machine", "son hôte est cette machine")
        return True
    try:
        address = ip_address(host)
    except ValueError:
        _check_name(host)
        return False
    if not is_allowed(address, allow_loopback=allow_loopback):
        raise _refused("its address is not a public one", "son adresse n'est pas publique")
    return address.is_loopback


def _check_name(host: str) -> None:
    labels = host.rstrip(".").split(".")
    if not _HOST.fullmatch(host) or any(len(label) > _LONGEST_LABEL for label in labels):
        raise _refused("its host is not a name or an address", "son hôte n'est ni un nom ni une adresse")
    if _is_number(host):
        raise _refused(
            "its address is not written in the usual way", "son adresse n'est pas écrite de la façon usuelle"
        )
    if len(labels) == 1 or labels[-1] in ("localhost", "local", "internal", "localdomain", "lan", "home", "corp"):
        raise _refused("its host is a name inside a network", "son hôte est un nom interne à un réseau")


def _is_number(host: str) -> bool:
    """Whether the C library would take the name for an IPv4 address: 127.1, 0x7f000001, 017700000001 ..."""
    try:
        socket.inet_aton(host.rstrip("."))
    except OSError:
        return False
    return True


def _refused(why_en: str, why_fr: str) -> RefusedUrl:
    return RefusedUrl(
        f"No delivery can be sent to this URL: {why_en}.",
        f"Aucun envoi n'est possible vers cette adresse : {why_fr}.",
        remedy="Give an https:// address with a public host name, in ASCII (punycode).",
        remedy_fr="Donnez une adresse https:// avec un nom d'hôte public, en ASCII (punycode).",
    )
