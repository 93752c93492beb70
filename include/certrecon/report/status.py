"""How a run ended, in a few words."""

from __future__ import annotations

from certrecon.report.model import RunReport
from certrecon.words import Disposition


def headline(report: RunReport) -> str:
    """Return how the run ended, for a title."""
    if report.failure or not report.decided:
        return "FAILED"
    if not report.head.publishes:
        return "dry run, nothing was sent"
    rejected = report.dispositions[Disposition.REJECTED]
    return f"succeeded, Ditio rejected {rejected:,} rows" if rejected else "succeeded"
