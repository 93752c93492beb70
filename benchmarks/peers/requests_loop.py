"""The example of the Ditio document, a `requests.post` a batch.

python -m benchmarks.peers.requests_loop URL PLAN ROWS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import requests

from benchmarks.peers.batches import payload_batches
from benchmarks.telling import tell, timed


def send(api_base: str, token: str, batches: list[list[dict[str, Any]]]) -> None:
    """Send all batches one after the other, as the document shows."""
    for certificates in batches:
        response = requests.post(
            f"{api_base}/api/v4/integration/certificates",
            headers={"Authorization": f"Bearer {token}"},
            json=certificates,
            timeout=60,
        )
        response.raise_for_status()


def main() -> None:
    """Send once and tell seconds and requests."""
    url, plan, rows = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    batches = [[json.loads(text) for text in batch] for batch in payload_batches(plan, rows)]
    seconds, _ = timed(lambda: send(f"{url}/ditio/core", "benchmark", batches))
    tell(seconds, rows=sum(map(len, batches)), requests=len(batches))


if __name__ == "__main__":
    main()
