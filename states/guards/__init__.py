"""The guards that a pathway may name, one file a theme; importing this package declares them all in `GUARDS`."""

from __future__ import annotations

from states.guards import contacts, general, living, protection
from states.guards.binding import GUARDS

__all__ = ["GUARDS", "contacts", "general", "living", "protection"]
