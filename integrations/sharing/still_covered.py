"""Whether what a partner was shown may still be sent to it: not once the person took the consent back before it came.

Every way out (push, feed, message, file) asks before it sends. What was received stays as it is.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, ColumnElement, literal_column

STILL_COVERED: Final = """(partner_event.received_at IS NOT NULL OR partner_event.consent_id IS NULL OR EXISTS (
    SELECT 1 FROM consent AS given WHERE given.id = partner_event.consent_id AND given.status = 'given'
    AND COALESCE((SELECT said.status FROM consent AS said WHERE said.case_id = given.case_id
        AND said.purpose = given.purpose AND said.partner_id = partner_event.partner_id AND said.id > given.id
        ORDER BY said.id DESC LIMIT 1), 'given') = 'given'))"""
"""SQL over `partner_event`, under that name: the event was received, leans on no consent (what takes back),
or its consent is in force and the newest later answer for the purpose and this very partner is no refusal."""


def still_covered() -> ColumnElement[bool]:
    """The same for a `select` of PartnerEvent: a condition, or a column."""
    return literal_column(STILL_COVERED, Boolean())
