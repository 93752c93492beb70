"""What grows with the number of tenants alone: results handed over, manifests, the run's row, counting.

    python -m benchmarks.scale.tenants FOLDER VENDORS TENANTS ...

A small night over real HTTP gives what the task of one tenant hands over; manifests of many tenants repeat it under
other ids.
"""

from __future__ import annotations

import json
import statistics
import sys
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.databases import postgres
from benchmarks.prepared_nights import pipeline_on
from benchmarks.telling import tell, timed
from benchmarks.vendor_pages import DAY
from benchmarks.vendor_server import vendor_server
from certrecon.claims.inputs import CERTIFICATES, LINKS
from certrecon.dispositions.decide import DECIDED, PLAN
from certrecon.evidence import Part, RunEvidence, SealedFile, SealedPart
from certrecon.evidence.manifest import read_sealed, seal
from certrecon.stages.extract import Extracted
from certrecon.stages.plan import count_tenants
from certrecon.stages.run_inputs import RunInputs
from certrecon.warehouse.migrate import migrate
from tests.contract.pipeline import Night


def widest(tables: dict[str, pa.Table], certificates: int) -> dict[str, float]:
    """Return the widest text column of each table, and its bytes for each certificate."""
    found = {}
    for table_name, table in tables.items():
        bytes_of = {name: _text_bytes(table.column(name)) for name in table.column_names}
        name = max(bytes_of, key=lambda one: bytes_of[one])
        found[f"{table_name}.{name}"] = bytes_of[name] / certificates
    return found


def _text_bytes(column: pa.ChunkedArray) -> int:
    return pc.sum(pc.binary_length(column)).as_py() or 0 if pa.types.is_string(column.type) else 0


def repeated(files: Iterable[SealedFile], tenants: int) -> Iterator[SealedFile]:
    """Yield the files of one tenant for many tenants, with addresses and ids of their own."""
    pattern = list(files)
    for number in range(tenants):
        tenant = str(uuid.UUID(int=number))
        for file in pattern:
            yield replace(file, tenant=tenant, address=f"{file.address}-{number}")


def grow(folder: Path, files: list[SealedFile], tenants: int) -> dict[str, float]:
    """Return what a manifest of so many tenants takes."""
    evidence = RunEvidence(folder / f"tenants-{tenants}", 1)
    part = SealedPart(tuple(repeated(files, tenants)), {})
    sealing, digest = timed(lambda: seal(evidence, Part.INPUTS, part))
    reading, sealed = timed(lambda: read_sealed(evidence, Part.INPUTS, digest))
    ids = tuple(dict.fromkeys(str(file.tenant) for file in part.files))
    inputs = RunInputs.__new__(RunInputs)
    inputs.sealed, inputs.context = sealed, cast("Any", SimpleNamespace(tenants=ids))
    claims = pa.table({"tenant_id": ids, "applicable": [True] * tenants, "employees": pa.array([1] * tenants)})
    counting, counts = timed(lambda: count_tenants(inputs, claims))
    return {
        "seal": sealing,
        "read": reading,
        "count": counting,
        "manifest": len(evidence.read_bytes(f"{Part.INPUTS}/manifest.json", digest)),
        "run_row": len(json.dumps({tenant: asdict(one) for tenant, one in counts.items()})),
    }


def tables_of(night: Night) -> dict[str, pa.Table]:
    """Return the tables that hold the claims of all tenants."""
    inputs = RunInputs(night.workplace.evidence)
    assert night.planned is not None
    assert night.loaded is not None
    return {
        "certificates": inputs.table("certificates", CERTIFICATES),
        "links": inputs.table("links", LINKS),
        "claims": night.table(night.loaded.claims, DECIDED),
        "plan": night.table(night.planned.plan, PLAN),
    }


def main() -> None:
    """Run a small night and tell bytes and seconds."""
    folder, vendors, numbers = Path(sys.argv[1]), Path(sys.argv[2]), [int(text) for text in sys.argv[3:]]
    with postgres(folder) as databases, vendor_server(vendors) as server:
        pipeline = pipeline_on(server.url, databases.empty(), folder)
        migrate(pipeline.engine)
        night = pipeline.run(DAY)
        pipeline.engine.dispose()
    if night.errors:
        raise SystemExit(str(night.errors))
    sealed = RunInputs(night.workplace.evidence).sealed
    by_tenant: dict[str, list[SealedFile]] = {}
    for file in sealed.files:
        if file.tenant is not None:
            by_tenant.setdefault(file.tenant, []).append(file)
    results = [len(json.dumps(Extracted(tuple(files)).to_json())) for files in by_tenant.values()]
    seconds, grown = timed(lambda: {n: grow(folder, next(iter(by_tenant.values())), n) for n in numbers})
    tables = tables_of(night)
    tell(
        seconds,
        result=statistics.mean(results),
        widest=widest(tables, tables["certificates"].num_rows),
        grown=grown,
    )


if __name__ == "__main__":
    main()
