"""Phone numbers in any form to E.164, `+22376000000`. `rows` calls it."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

# Letters would be read as keys of a dial or as an extension; a cell may hold two numbers.
_NUMBER: Final = re.compile(r"[+(]?\d[\d\s().\-]{4,24}")


def parse_phone(text: str, region: str) -> str | None:
    """The one valid number of a text; none for no number, an impossible one, or several.

    `region` (ISO 3166 alpha-2) is the country of numbers without an international prefix.
    """
    if not _NUMBER.fullmatch(text.strip()):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if phonenumbers.is_valid_number(number) else None
