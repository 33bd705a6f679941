"""The kinds of records with a small machine of their own, and the tables that hold them.

A pathway declares the states and steps of each kind; `states.gather` reads where a case's records are, `states.effects`
writes the steps. The functions of `states.casework` write the rows themselves and what else a step brings along.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from models.plan_history import TAKEN_BACK as TAKEN_BACK


class RecordTable(NamedTuple):
    """Where records of one kind are: a table with `code`, `case_id` and `status`. The rest are SQL expressions over it
    (none: there is no such thing): who made the record, which partner it is for, which record it leans on. `standing`
    leaves out rows that are no records any more."""

    table: str
    made_by: str | None = None
    partner: str | None = None
    leans_on: str | None = None
    standing: str = "TRUE"


DETAIL_TABLES: Final[dict[str, str]] = {
    "draft_plan": "plan_item",
    "record_assessment": "assessment",
    "record_contact_attempt": "contact_attempt",
    "record_exit_talk": "exit_interview",
    "record_screening": "assessment",
    "record_session": "psychosocial_session",
    "record_visit": "follow_up_visit",
}
"""Triggers that write something without a step of its own, and the table where it is: with `case_id`, the
`seq` of the journal row, and `taken_back_at`, which is set when the move is taken back."""

RECORD_TABLES: Final[dict[str, RecordTable]] = {
    "consent": RecordTable("consent", "recorded_by", "partner_id"),
    "enrolment": RecordTable("training_enrolment"),
    "grant": RecordTable("livelihood_grant", "proposed_by"),
    "membership": RecordTable("project_member"),
    "guardian": RecordTable("guardian", "recorded_by"),
    "plan": RecordTable("case_plan", "author_id"),
    "plan_item": RecordTable("plan_item", standing="taken_back_at IS NULL"),
    "referral": RecordTable(
        "referral", "made_by", "partner_id", "(SELECT c.code FROM consent AS c WHERE c.id = referral.consent_id)"
    ),
    "vulnerability": RecordTable("vulnerability", "identified_by"),
}
"""Every kind that a pathway may declare under `records`."""
