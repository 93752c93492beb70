"""dlt's REST source to Parquet files: `python -m benchmarks.peers.dlt_rest URL PLACES FOLDER`.

Configured as its documentation shows, with the one paginator that 4HSE needs: the number of pages is in a header
and the page number in the body. dlt asks for one page at a time and keeps every column.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import dlt  # type: ignore[import-not-found]  # only in the environment of the peers
from dlt.destinations import filesystem  # type: ignore[import-not-found]
from dlt.sources.helpers.rest_client.paginators import PageNumberPaginator  # type: ignore[import-not-found]
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]

from benchmarks.telling import tell, timed

TENANT_FIELDS = {"certificate": "tenant_id", "certificate-action": "tenant_id", "person": "project_id"}
KEYS = {"certificate": "certificate_id", "certificate-action": "certificate_action_id", "person": "person_id"}


class HeaderPages(PageNumberPaginator):  # type: ignore[misc]
    """Counts pages in the body up to the number that the header says."""

    def __init__(self) -> None:
        """Begin at page 1."""
        super().__init__(base_page=1, page_body_path="page", total_path=None, maximum_page=2)

    def update_state(self, response: Any, data: Any = None) -> None:
        """Take the number of pages from the header."""
        self.maximum_value = int(response.headers["X-Pagination-Page-Count"]) + 1
        super().update_state(response, data)


def resources(tenants: list[str]) -> list[dict[str, Any]]:
    """Return one resource an index and tenant."""
    return [
        {
            "name": f"{entity.replace('-', '_')}_{number}",
            "primary_key": KEYS[entity],
            "write_disposition": "replace",
            "endpoint": {
                "path": f"v2/{entity}/index",
                "method": "POST",
                "json": {"filter": {TENANT_FIELDS[entity]: tenant}, "per-page": 100, "history": True},
                "paginator": HeaderPages(),
            },
        }
        for number, tenant in enumerate(tenants)
        for entity in TENANT_FIELDS
    ]


def main() -> None:
    """Load everything once and tell the seconds."""
    url, places, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    tenants = list(json.loads(places.read_text(encoding="utf-8"))["certificate"])
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    config = {
        "client": {"base_url": f"{url}/4hse/", "headers": {"Authorization": "Bearer benchmark"}},
        "resources": resources(tenants),
    }
    pipeline = dlt.pipeline(
        "certrecon_bench",
        pipelines_dir=str(folder / "pipelines"),
        destination=filesystem(bucket_url=(folder / "files").as_uri()),
        dataset_name="fourhse",
    )
    seconds, _ = timed(lambda: pipeline.run(rest_api_source(config), loader_file_format="parquet"))
    counts = pipeline.last_trace.last_normalize_info.row_counts
    # Tables with a double underscore hold the lists inside of rows.
    tell(seconds, rows=sum(rows for name, rows in counts.items() if not name.startswith("_dlt") and "__" not in name))


if __name__ == "__main__":
    main()
