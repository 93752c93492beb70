"""Tasks: validate dates, employee matches, links and types with Great Expectations."""

from __future__ import annotations

import logging

import pyarrow as pa

from certrecon.claims.facts import CLAIM_FACTS
from certrecon.evidence import Part
from certrecon.stages.build_claims import BuiltClaims
from certrecon.stages.handle import FileRef
from certrecon.stages.workplace import Workplace, file_ref
from certrecon.validation.run import COLUMNS, validate
from certrecon.words import Subject

log = logging.getLogger(__name__)


def run_validate(place: Workplace, subject: Subject, built: BuiltClaims) -> FileRef:
    """Run the expectations of a subject and keep Great Expectations' own result.

    Raises:
        RuleEvaluationError: An expectation raised: the run must not go on as if it had passed.
    """
    facts = place.read(built.facts, pa.schema([CLAIM_FACTS.field(name) for name in COLUMNS[subject]]))
    result = validate(subject, facts, place.settings().settings, place.run.as_of)
    for code, count in result.counts.items():
        if count:
            log.info("%s: %s of %s claims", code, count, result.rows)
    written = place.evidence.write_bytes(Part.OUTCOME, f"validation_{subject}", "json", result.document.encode())
    return file_ref(written, result.rows)
