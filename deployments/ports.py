"""Ports to listen on: a free one, or the one of the settings with a clear word when another program has it.

`deployments.server` and `deployments.up` ask before they start anything.
"""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress
from typing import Final

from models.errors import SeginError


class PortTaken(SeginError):
    """Another program listens where one of our processes should."""


_CHOSEN_FROM: Final = range(20_000, 32_768)
"""Below the ports that Linux gives to outgoing connections: one of those could take the port before it is used."""


def free_port(host: str) -> int:
    """A port of `host` on which nobody listens, and which nobody gets by chance until somebody does."""
    for _ in range(100):
        with suppress(OSError), _listening(host, secrets.choice(_CHOSEN_FROM)) as found:
            return int(found.getsockname()[1])
    with _listening(host, 0) as found:
        return int(found.getsockname()[1])


def require_port(host: str, port: int, setting: str) -> None:
    """Raises PortTaken, naming the port and the setting that chooses it, unless one can listen there now."""
    try:
        _listening(host, port).close()
    except OSError as error:
        why = (error.strerror or "the address is unusable").lower()
        raise PortTaken(
            f"Segin cannot listen on {host}, port {port}: {why}.",
            f"Segin ne peut pas écouter sur {host}, port {port} : {why}.",
            remedy=f"Stop the program that uses it (another `segin up`?), or set {setting} to a free port.",
            remedy_fr=f"Arrêtez le programme qui l'utilise (un `segin up` ?), ou donnez un autre port à {setting}.",
        ) from None


def url_of(host: str, port: int) -> str:
    """The address to open; a host that means "all of this machine's" is reached as this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _listening(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
