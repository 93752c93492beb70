"""A prepared night, opened again in a process of its own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine

from certrecon.api.endpoint import DitioEndpoint
from certrecon.evidence import Part, RunEvidence
from certrecon.stages.build_claims import BuiltClaims
from certrecon.stages.handle import FileRef, RunHandle
from certrecon.stages.plan import Planned
from certrecon.stages.workplace import Workplace
from certrecon.warehouse.engine import connect_engine
from certrecon.words import Subject

NO_WAREHOUSE = "postgresql+psycopg://nobody@127.0.0.1:1/none"


def ditio_endpoint(url: str) -> DitioEndpoint:
    """Return Ditio on a server of prepared answers."""
    return DitioEndpoint(f"{url}/ditio/core", f"{url}/ditio/token", "benchmark", "benchmark-secret")


@dataclass(frozen=True, slots=True)
class PreparedNight:
    """What the tasks of a night handed to each other, up to publishing.

    Attributes:
        handle: The run.
        built: Its claims.
        validations: The results of Great Expectations.
        planned: Its plan.
    """

    handle: RunHandle
    built: BuiltClaims
    validations: dict[Subject, FileRef]
    planned: Planned

    @classmethod
    def read(cls, folder: Path, kind: str) -> PreparedNight:
        """Read what `benchmarks.prepared_nights` kept."""
        kept: dict[str, Any] = json.loads((folder / f"night-{kind}.json").read_text(encoding="utf-8"))
        return cls(
            RunHandle.from_json(kept["handle"]),
            BuiltClaims.from_json(kept["built"]),
            {Subject(subject): FileRef(**ref) for subject, ref in kept["validations"].items()},
            Planned.from_json(kept["planned"]),
        )

    def place(self, scratch: Path, address: str | None = None) -> Workplace:
        """Return the run's workplace: what it reads is the prepared evidence, what it writes goes elsewhere.

        Args:
            scratch: An empty folder for what the stage writes.
            address: The warehouse; None for stages that never ask it.
        """
        kept = Path(self.handle.evidence_root) / str(self.handle.run_seq)
        own = scratch / str(self.handle.run_seq)
        for part in Part:
            (own / part).mkdir(parents=True)
            for file in (kept / part).iterdir():
                os.link(file, own / part / file.name)
        engine: Engine = create_engine(NO_WAREHOUSE) if address is None else connect_engine(address)
        handle = replace(self.handle, evidence_root=str(scratch))
        return Workplace(handle, engine, RunEvidence(scratch, handle.run_seq))
