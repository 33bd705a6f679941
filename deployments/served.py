"""The flows as Prefect's runner loads them, in a process of its own for each run: with the logging set up first.

`deployments.schedules` names this module as the entrypoint of each deployment.
"""

from __future__ import annotations

from deployments.logging import configure_logging
from flows.deadlines import deadlines
from flows.dispatch import dispatch
from flows.intake import intake
from flows.nightly import nightly
from models.settings import load_settings

__all__ = ["deadlines", "dispatch", "intake", "nightly"]

configure_logging(load_settings())
