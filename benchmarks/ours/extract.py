"""Our extraction of every tenant down to digested Parquet.

python -m benchmarks.ours.extract URL PLACES FOLDER CONCURRENCY
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa

from benchmarks.telling import tell, timed
from certrecon.api.endpoint import AccessToken, FourHseEndpoint
from certrecon.api.fourhse import FourHseClient
from certrecon.api.loop import run
from certrecon.evidence import RunEvidence, SealedFile
from certrecon.extract.tenant import TenantRead, extract_tenant
from certrecon.stages.dataset_files import EvidenceDatasets


async def read_tenants(url: str, tenants: list[str], folder: Path, concurrency: int) -> list[SealedFile]:
    """Read tenant after tenant, as the tasks of one process do, and return what a manifest would say."""
    endpoint = FourHseEndpoint(f"{url}/4hse", AccessToken("benchmark"))
    datasets, sealed = EvidenceDatasets(RunEvidence(folder, 1)), []
    for tenant in tenants:
        async with FourHseClient(endpoint, concurrency=concurrency) as client:
            wanted = TenantRead(tenant_id=tenant, write=datasets, concurrency=concurrency)
            read = await extract_tenant(client, wanted)
        sealed += [datasets.sealed(facts, tenant) for facts in read.datasets]
    return sealed


def main() -> None:
    """Read everything once and tell seconds, rows and bytes."""
    url, places, folder, concurrency = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    tenants = list(json.loads(places.read_text(encoding="utf-8"))["certificate"])
    pa.array(["imports pandas"], pa.string())
    seconds, files = timed(lambda: run(read_tenants(url, tenants, folder, concurrency)))
    counted = [file for file in files if file.dataset != "lookups"]
    tell(seconds, rows=sum(file.rows or 0 for file in counted), bytes=sum(file.size for file in files))


if __name__ == "__main__":
    main()
