"""Taking a lease for this process, at once when the process that holds it does not run any more.

A wrong answer does no harm: the lease's token, not this, keeps two runs from changing the same thing twice.
"""

from __future__ import annotations

import os
import secrets
import socket
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from sqlmodel import Session

from states import leases


def take_lease(session: Session, name: str, *, now: datetime, ttl: timedelta) -> int | None:
    """The token of the lease for this run, be it that of a run which was killed; none while another one works."""
    holder = name_holder()
    token = leases.take(session, name, holder, now=now, ttl=ttl)
    present = leases.holder_of(session, name)
    if token is None and present is not None and is_gone(present):
        token = leases.take(session, name, holder, now=now, ttl=ttl, gone=present)
    return token


def name_holder() -> str:
    """A name for one run in this process: machine, process id, start of the process, and something of its own."""
    return f"{_machine()}:{os.getpid()}:{_started(os.getpid()) or '-'}:{secrets.token_hex(4)}"


def is_gone(holder: str) -> bool:
    """Whether the process that was given this name has ended. Of a process elsewhere nobody here can know: False."""
    machine, pid, started, _ = holder.split(":")
    if machine != _machine():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return started != (_started(int(pid)) or "-")


def _machine() -> str:
    """The same for all processes that see each other's ids: of one boot of one machine, in one container."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:  # not on Linux
        parts.append(str(os.getuid()))
    return blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()


def _started(pid: int) -> str | None:
    """When the process started, in ticks since boot; none where that cannot be known, or when it has been killed."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
