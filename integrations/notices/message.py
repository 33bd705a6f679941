"""The daily message to a partner without a system: a list that says nothing of a person, and a table that may.

`email` sends it. Pure: the same events make the same message, under the same Message-ID.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from zoneinfo import ZoneInfo

from integrations.notices.tables import Line, as_csv, row_of
from models.events import CATALOGUE
from states.pathway import Text

_POLICY: Final = SMTP.clone(cte_type="7bit")
_IN_THE_LIST: Final = ("case", "referral", "deadline", "corrects")
"""What the list says of an event: codes, never a field of the case."""

_SUBJECT: Final = Text(
    "Segin : {count} événement(s), n° {first} à {last}", "Segin: {count} event(s), no {first} to {last}"
)
_BEFORE: Final = Text(
    "Segin vous transmet {count} événement(s), n° {first} à {last} de votre flux.\n"
    "Ce que vous pouvez voir des personnes est dans le fichier joint, jamais dans ce texte.\n",
    "Segin hands over {count} event(s), no {first} to {last} of your stream.\n"
    "What you may see of people is in the attached file, never in this text.\n",
)
_AFTER: Final = Text(
    "Un numéro qui manque est un événement hors de votre abonnement, ou qui ne peut plus vous être montré.\n"
    "Un événement peut arriver deux fois : le même identifiant (colonne « event ») est le même événement.\n"
    "Les données du fichier sont confidentielles ; ne le transférez pas.\n",
    "A number that is missing is an event outside your subscription, or one that may not be shown to you any more.\n"
    "An event can come twice: the same id (column 'event') is the same event.\n"
    "What is in the file is confidential; do not forward it.\n",
)


def message_id(subscription_id: int, first: int, last: int, sender: str) -> str:
    """The same for the same subscription and positions, so that a message that comes twice is known by it."""
    return f"<segin-{subscription_id}-{first}-{last}@{sender.rpartition('@')[2]}>"


def digest_message(
    lines: Sequence[Line],
    *,
    subscription_id: int,
    first: int,
    last: int,
    sender: str,
    to: str,
    language: str,
    timezone: ZoneInfo,
    now: datetime,
) -> EmailMessage:
    """The message about these events, which are what there is from position `first` to `last`. Times in the list are
    those of `timezone`, those in the table UTC."""
    counts = {"count": len(lines), "first": first, "last": last}
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = _SUBJECT.in_(language).format(**counts)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(subscription_id, first, last, sender)
    message["Auto-Submitted"] = "auto-generated"
    listed = "\n".join(_listed(line, language, timezone) for line in lines)
    before, after = _BEFORE.in_(language).format(**counts), _AFTER.in_(language)
    message.set_content(f"{before}\n{listed}\n\n{after}")
    message.add_attachment(
        as_csv(lines, language),
        maintype="text",
        subtype="csv",
        filename=f"segin-{first}-{last}.csv",
        params={"charset": "utf-8"},
    )
    message["Content-Language"] = language
    message.set_boundary(f"=_segin-{subscription_id}-{first}-{last}_=")
    return message


def _listed(line: Line, language: str, timezone: ZoneInfo) -> str:
    row = row_of(line)
    at = datetime.fromisoformat(json.loads(line.body)["time"]).astimezone(timezone)
    kind = CATALOGUE.get(row["type"])
    words = row["type"] if kind is None else Text(kind.fr, kind.en).in_(language)
    codes = " · ".join(row[name] for name in _IN_THE_LIST if name in row)
    return f"{line.position}  {at:%Y-%m-%d %H:%M}  {words}  {codes}"
