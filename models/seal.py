"""The seal on notes that only few may read: what is written under it can be read with the programme's key alone.

`states.casework.sessions` seals the notes of psychosocial sessions; the edges load the key with `load_seal`.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from models.backup import sync
from models.errors import SeginError, WrongUse

KEY_BYTES: Final = 32
KEY_FILE: Final = "notes.key"
_NONCE_BYTES: Final = 12
SEALED: Final = "seal1:"
"""What every sealed text begins with."""


class SealError(SeginError):
    """A note cannot be sealed or read. The message never holds any of it."""


class Seal:
    """AES-256-GCM under the first key; what was sealed under the others can be read too, so that a key can be changed.

    A sealed text is `seal1:KEY:DATA`: the first digits of the key's SHA-256, then base64 of nonce and ciphertext. Each
    is bound to its `context` (which note of which case it is): moved to another place it cannot be read.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise WrongUse(
                f"A key for notes has {KEY_BYTES} bytes.",
                f"Une clé pour les notes compte {KEY_BYTES} octets.",
                remedy="Make one with `openssl rand -base64 32`.",
                remedy_fr="Créez-en une avec `openssl rand -base64 32`.",
            )
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._first = _key_id(keys[0])

    def seal(self, text: str, context: str) -> str:
        """The text, sealed for this place."""
        nonce = os.urandom(_NONCE_BYTES)
        data = self._ciphers[self._first].encrypt(nonce, text.encode(), context.encode())
        return f"{SEALED}{self._first}:{base64.b64encode(nonce + data).decode()}"

    def open(self, sealed: str, context: str) -> str:
        """The text that was sealed for this place. Raises SealError when it is another's key, or it was changed."""
        key_id, _, written = sealed.removeprefix(SEALED).partition(":")
        cipher = self._ciphers.get(key_id) if sealed.startswith(SEALED) else None
        if cipher is None:
            raise SealError(
                "This note was sealed with a key that is not here.",
                "Cette note a été scellée avec une clé qui n'est pas ici.",
                remedy="Add the earlier key to SEGIN_NOTES_KEY, after a comma.",
                remedy_fr="Ajoutez l'ancienne clé à SEGIN_NOTES_KEY, après une virgule.",
            )
        try:
            data = base64.b64decode(written, validate=True)
            return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealError(
                "This note is not as it was sealed: it was changed, or belongs elsewhere.",
                "Cette note n'est pas telle qu'elle a été scellée : elle a été modifiée ou vient d'ailleurs.",
                remedy="Restore it from a backup of the database.",
                remedy_fr="Reprenez-la d'une sauvegarde de la base de données.",
            ) from None


def load_seal(written: str | None, folder: Path, *, may_make: bool) -> Seal | None:
    """The seal of the keys that are `written` (base64, the newest first, with commas), else of the key in the folder's
    `notes.key`; one is made there, readable by its owner alone, if it `may` be. None when there is no key.

    Raises WrongUse for what is no key, without showing it.
    """
    path = folder / KEY_FILE
    if written is None and may_make and not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, base64.b64encode(os.urandom(KEY_BYTES)))
    if written is None and not path.exists():
        return None
    text = path.read_text(encoding="ascii", errors="replace") if written is None else written
    return Seal([_key(each) for each in text.split(",")])


def _write_new(path: Path, content: bytes) -> None:
    """Whole or not at all, and never over one that somebody else has made in this moment."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(partial, path)
        sync(path.parent)  # notes under a key that a power failure took would never be read again
    except FileExistsError:
        pass
    finally:
        partial.unlink(missing_ok=True)


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except ValueError:
        return b""


def _key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8]
