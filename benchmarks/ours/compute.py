"""Our compute stage, from sealed inputs to the sealed plan: `python -m benchmarks.ours.compute NIGHTS SCRATCH`.

One process runs what five tasks of the DAG run: claims, three validations, plan. Imports are not timed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa

from benchmarks.ours.night import PreparedNight
from benchmarks.ours.rules_alone import rules_alone
from benchmarks.telling import memory_mib, tell, timed
from certrecon.claims.facts import CLAIM_FACTS
from certrecon.dispositions.decide import DECIDED
from certrecon.stages.build_claims import run_build_claims
from certrecon.stages.plan import run_plan
from certrecon.stages.validate import run_validate
from certrecon.validation.run import COLUMNS, validate
from certrecon.words import Subject


def main() -> None:
    """Compute once; tell the seconds of each task, and afterwards of Great Expectations and of its rules alone."""
    folder, scratch, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    place = PreparedNight.read(folder, kind).place(scratch)
    pa.array(["imports pandas"], pa.string())
    parts: dict[str, float] = {}
    parts["claims"], built = timed(lambda: run_build_claims(place))
    validations = {}
    for subject in Subject:
        parts[f"validate {subject}"], validations[subject] = timed(
            lambda subject=subject: run_validate(place, subject, built)  # type: ignore[misc]
        )
    parts["plan"], planned = timed(lambda: run_plan(place, built, validations))
    seconds, peak = sum(parts.values()), memory_mib()
    claims = place.read(planned.claims, pa.schema([DECIDED.field("disposition")]))
    settings, counts = place.settings().settings, claims.group_by("disposition").aggregate([([], "count_all")])
    inside = alone = 0.0
    for subject in Subject:
        facts = place.read(built.facts, pa.schema([CLAIM_FACTS.field(name) for name in COLUMNS[subject]]))
        inside += timed(lambda: validate(subject, facts, settings, place.run.as_of))[0]  # noqa: B023
        alone += timed(lambda: rules_alone(subject, facts, settings, place.run.as_of))[0]  # noqa: B023
    tell(
        seconds,
        stage_peak_mib=peak,
        parts=parts,
        great_expectations=inside,
        rules_alone=alone,
        claims=claims.num_rows,
        findings=dict(sorted(planned.findings.items())),
        dispositions=dict(sorted(zip(counts["disposition"].to_pylist(), counts["count_all"].to_pylist(), strict=True))),
    )


if __name__ == "__main__":
    main()
