"""Nouns: the tables, the event catalogue, settings and the database. Imports nothing of the other rooms."""

from models.batches import Batch, BatchCase, BatchStatus
from models.calendars import CalendarChange, CalendarDay, Digest, OfficeCalendar, Waiver
from models.care import (
    CasePlan,
    PlanItem,
    PsychosocialSession,
    SensitiveRead,
)
from models.case import Case, JournalRow, PathwayVersion
from models.consents import Consent, ConsentStatus
from models.errors import LockedByAnotherRun, SeginError, WrongUse
from models.follow_up import ContactAttempt, ExitInterview, FollowUpVisit
from models.households import Household, HouseholdMember
from models.livelihood import Budget, BudgetLine, GrantLine, GrantPurchase, GrantVisit, LivelihoodGrant
from models.manifest import DuplicateCandidate, Manifest, ManifestRow
from models.partner import Attempt, Channel, Delivery, DeliveryStatus, Event, Partner, Subscription
from models.partner_access import ApiRequest, PartnerToken, SigningSecret
from models.projects import Project, ProjectContribution, ProjectHistory, ProjectMember, ProjectMilestone
from models.referrals import Referral, ReferralStatus
from models.returnee import Returnee
from models.runs import Dispatch, Lease, NightlyRun
from models.screening import Assessment, Guardian, InstrumentDefinition, Vulnerability
from models.sharing import Disclosure, PartnerCase, PartnerEvent, SharingAgreement, Showing
from models.staff import Office, Staff
from models.staffing import Absence, AssignmentCause, TaskAssignment
from models.training import Attendance, Course, TrainingEnrolment
from models.waves import MigrationWave, PathwayMigration, WaveCase, WaveOutcome, WaveStatus
from models.work import Deadline, DeadlineStatus, Notice, Task, TaskStatus

__all__ = [
    "Absence",
    "ApiRequest",
    "Assessment",
    "AssignmentCause",
    "Attempt",
    "Attendance",
    "Batch",
    "BatchCase",
    "BatchStatus",
    "Budget",
    "BudgetLine",
    "CalendarChange",
    "CalendarDay",
    "Case",
    "CasePlan",
    "Channel",
    "Consent",
    "ConsentStatus",
    "ContactAttempt",
    "Course",
    "Deadline",
    "DeadlineStatus",
    "Delivery",
    "DeliveryStatus",
    "Digest",
    "Disclosure",
    "Dispatch",
    "DuplicateCandidate",
    "Event",
    "ExitInterview",
    "FollowUpVisit",
    "GrantLine",
    "GrantPurchase",
    "GrantVisit",
    "Guardian",
    "Household",
    "HouseholdMember",
    "InstrumentDefinition",
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
    "PartnerCase",
    "PartnerEvent",
    "PartnerToken",
    "PathwayMigration",
    "PathwayVersion",
    "PlanItem",
    "Project",
    "ProjectContribution",
    "ProjectHistory",
    "ProjectMember",
    "ProjectMilestone",
    "PsychosocialSession",
    "Referral",
    "ReferralStatus",
    "Returnee",
    "SeginError",
    "SensitiveRead",
    "SharingAgreement",
    "Showing",
    "SigningSecret",
    "Staff",
    "Subscription",
    "Task",
    "TaskAssignment",
    "TaskStatus",
    "TrainingEnrolment",
    "Vulnerability",
    "Waiver",
    "WaveCase",
    "WaveOutcome",
    "WaveStatus",
    "WrongUse",
]
