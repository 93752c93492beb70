"""Stage compute: sealed inputs to claims with findings and dispositions, against DuckDB SQL and datacompy."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.bench_env import peer_python
from benchmarks.choices import Choices
from benchmarks.measuring import Variant, side_by_side
from benchmarks.names import Compute
from benchmarks.ours.night import PreparedNight
from benchmarks.prepared_nights import Kind, prepared_nights
from benchmarks.results import Measurement
from certrecon.findings import CATALOGUE
from certrecon.stages.run_inputs import RunInputs
from certrecon.stages.workplace import Workplace
from certrecon.words import Severity

DATASETS = ("certificates", "links", "persons", "employees")


def inputs_for_sql(place: Workplace) -> dict[str, Any]:
    """Return where the sealed inputs are and what the settings say, for a program that knows nothing of ours."""
    inputs = RunInputs(place.evidence)
    settings, as_of = inputs.settings.settings, inputs.context.as_of
    files = {
        name: [[str(place.evidence.path(file.address)), file.tenant] for file in inputs.sealed.all_of(name)]
        for name in DATASETS
    }
    rules = [
        rule.model_dump(mode="json") | {"years": rule.max_validity_years or 50} for rule in settings.certificate_types
    ]
    return files | {
        "rules": rules,
        "as_of": as_of.isoformat(),
        "soon": (as_of + dt.timedelta(days=settings.expiring_within_days)).isoformat(),
        "published": [str(one) for one in settings.publish_action_types],
        "critical": [code for code in CATALOGUE if settings.severity_of(code) is Severity.CRITICAL],
    }


class SameCounts:
    """Holds the counts per finding and disposition of every variant against those of the first one."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._expected: dict[str, dict[str, int]] = {}

    def __call__(self, told: Mapping[str, Any]) -> None:
        """Compare; the findings that a variant leaves out may occur nowhere.

        Raises:
            AssertionError: The counts differ: the variants did not do the same work.
        """
        for name in ("findings", "dispositions"):
            expected = self._expected.setdefault(name, told[name])
            differing = {
                key: (expected.get(key, 0), told[name].get(key, 0))
                for key in sorted(expected.keys() | told[name].keys())
                if expected.get(key, 0) != told[name].get(key, 0)
            }
            if differing:
                message = f"the variants differ in {name}: {differing} (ours, theirs)"
                raise AssertionError(message)


def _emptied(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def measure(size: int, choices: Choices, data: Path) -> list[Measurement]:
    """Measure one size."""
    nights = prepared_nights(size, choices.tenants, data)
    scratch = nights / "scratch"
    night = PreparedNight.read(nights, Kind.FIRST)
    shutil.rmtree(scratch, ignore_errors=True)
    place = night.place(scratch / "reading")
    listed, plan = nights / "compute-inputs.json", str(place.evidence.path(night.planned.plan.address))
    listed.write_text(json.dumps(inputs_for_sql(place)), encoding="utf-8")
    python, same = peer_python(wanted=choices.peers), SameCounts()
    arguments = (str(nights), str(scratch / "ours"))
    variants = [
        Variant(Compute.OURS, "benchmarks.ours.compute", (*arguments, Kind.FIRST), choices.rounds, check=same,
                ours=True, prepare=_emptied(scratch / "ours")),
        Variant(Compute.DUCKDB, "benchmarks.peers.duckdb_claims", (str(listed), str(nights / "duckdb.parquet")),
                choices.rounds, python, check=same),
        *(Variant(name, "benchmarks.peers.datacompy_tables", (plan, kind), choices.rounds, python)
          for kind, name in Compute.DATACOMPY.items()),
    ]  # fmt: skip
    found = side_by_side(Compute.FIRST, size, variants)
    nightly = Variant(Compute.OURS, "benchmarks.ours.compute", (*arguments, Kind.UNCHANGED), choices.rounds, ours=True,
                      prepare=_emptied(scratch / "ours"))  # fmt: skip
    found += side_by_side(Compute.NIGHTLY, size, [nightly])
    shutil.rmtree(scratch, ignore_errors=True)
    return found
