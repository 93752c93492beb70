"""The limit of extraction: the same pages, downloaded as many at a time and thrown away.

python -m benchmarks.peers.bare_download URL PLACES CONCURRENCY [TOKEN]
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvloop

from benchmarks.peers.downloading import Source, download
from benchmarks.telling import tell, timed


def main() -> None:
    """Download everything once and tell seconds, pages and bytes."""
    source, concurrency = Source.of(sys.argv[1], Path(sys.argv[2]), *sys.argv[4:]), int(sys.argv[3])
    sizes: list[int] = []

    def forget(_entity: str, body: bytes) -> None:
        sizes.append(len(body))

    def nothing(_tenant: str, _entity: str) -> None:
        return

    seconds, _ = timed(lambda: uvloop.run(download(source, concurrency, forget, nothing)))
    tell(seconds, pages=len(sizes), bytes=sum(sizes))


if __name__ == "__main__":
    main()
