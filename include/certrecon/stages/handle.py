"""What the tasks of a run hand to each other: who the run is and where its files are, nothing more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from certrecon.stages.parameters import Parameters
from certrecon.words import Mode


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file of the run's evidence.

    Attributes:
        address: Its path below the run's folder.
        sha256: Its digest.
        size: Its length in bytes.
        rows: How many rows it has.
    """

    address: str
    sha256: str
    size: int
    rows: int


@dataclass(frozen=True, slots=True)
class RunHandle:
    """One opened run.

    Attributes:
        run_seq: Its number in the warehouse.
        run_id: Airflow's run id.
        target: The digest of the Ditio company it speaks to.
        run_day: The day of the run in the settings' zone.
        as_of: The day on which validity is judged.
        parameters: What it was started with.
        settings: The file with its settings and crosswalk.
        evidence_root: Where the evidence store starts.
        by_hints: Whether the run looks only at what hints point at.
    """

    run_seq: int
    run_id: str
    target: str
    run_day: dt.date
    as_of: dt.date
    parameters: Parameters
    settings: FileRef
    evidence_root: str
    by_hints: bool = False

    @property
    def publishes(self) -> bool:
        """Whether the run may send and change anything."""
        return self.parameters.mode is Mode.PUBLISH

    @property
    def limited(self) -> bool:
        """Whether the run speaks of some tenants or certificates only."""
        return self.by_hints or bool(self.parameters.tenant_ids)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for XCom."""
        return asdict(self) | {
            "run_day": self.run_day.isoformat(),
            "as_of": self.as_of.isoformat(),
            "parameters": self.parameters.model_dump(mode="json"),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> RunHandle:
        """Rebuild what `to_json` gave."""
        return cls(
            **{
                **values,
                "run_day": dt.date.fromisoformat(values["run_day"]),
                "as_of": dt.date.fromisoformat(values["as_of"]),
                "parameters": Parameters.model_validate(values["parameters"]),
                "settings": FileRef(**values["settings"]),
            }
        )
