"""Nouns: the tables, the event catalogue, settings and the database. Imports nothing of the other rooms."""

from models.batches import Batch, BatchCase, BatchStatus
from models.calendars import CalendarDay, Digest, OfficeCalendar, Waiver
from models.care import (
    Assessment,
    CasePlan,
    Consent,
    FollowUpVisit,
    LivelihoodGrant,
    PsychosocialSession,
    Referral,
    TrainingEnrolment,
)
from models.case import Case, JournalRow, PathwayVersion
from models.errors import LockedByAnotherRun, SeginError, WrongUse
from models.manifest import DuplicateCandidate, Manifest, ManifestRow
from models.partner import Attempt, Delivery, DeliveryStatus, Event, Partner, Subscription
from models.returnee import Household, Returnee
from models.runs import Dispatch, Lease, NightlyRun
from models.staff import Office, Staff
from models.staffing import Absence, AssignmentCause, TaskAssignment
from models.waves import MigrationWave, PathwayMigration, WaveCase, WaveOutcome, WaveStatus
from models.work import Deadline, DeadlineStatus, Notice, Task, TaskStatus

__all__ = [
    "Absence",
    "Assessment",
    "AssignmentCause",
    "Attempt",
    "Batch",
    "BatchCase",
    "BatchStatus",
    "CalendarDay",
    "Case",
    "CasePlan",
    "Consent",
    "Deadline",
    "DeadlineStatus",
    "Delivery",
    "DeliveryStatus",
    "Digest",
    "Dispatch",
    "DuplicateCandidate",
    "Event",
    "FollowUpVisit",
    "Household",
    "JournalRow",
    "Lease",
    "LivelihoodGrant",
    "LockedByAnotherRun",
    "Manifest",
    "ManifestRow",
    "MigrationWave",
    "NightlyRun",
    "Notice",
    "Office",
    "OfficeCalendar",
    "Partner",
    "PathwayMigration",
    "PathwayVersion",
    "PsychosocialSession",
    "Referral",
    "Returnee",
    "SeginError",
    "Staff",
    "Subscription",
    "Task",
    "TaskAssignment",
    "TaskStatus",
    "TrainingEnrolment",
    "Waiver",
    "WaveCase",
    "WaveOutcome",
    "WaveStatus",
    "WrongUse",
]
