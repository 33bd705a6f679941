"""The root of every error that Segin raises on purpose; the edges turn it into a sentence for a person."""

from __future__ import annotations


class SeginError(Exception):
    """Something was asked for that cannot be done. The messages say what and where, the remedies what to do.

    French texts are optional: without one the English text stands for it. The texts never carry personal data: they
    reach terminals, logs and partner systems.
    """

    exit_code = 1

    def __init__(
        self, message_en: str, message_fr: str | None = None, *, remedy: str = "", remedy_fr: str | None = None
    ) -> None:
        super().__init__(f"{message_en} {remedy}".strip())
        self.message_en = message_en
        self.message_fr = message_fr or message_en
        self.remedy = remedy
        self.remedy_fr = remedy_fr or remedy


class WrongUse(SeginError):
    """What was asked for is not well formed: an unknown name, a missing part, a value out of range."""

    exit_code = 2


class LockedByAnotherRun(SeginError):
    """Another run holds the lease for this work. It is safe to try again later."""

    exit_code = 4
