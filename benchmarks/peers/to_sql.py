"""What a pandas user would load with: `python -m benchmarks.peers.to_sql ADDRESS CLAIMS.parquet`.

`DataFrame.to_sql` with its default method into a table of its own making, lists joined to text before the time counts.
"""

from __future__ import annotations

import sys

import pandas as pd
from sqlalchemy import create_engine

from benchmarks.telling import tell, timed

CHUNK = 10_000


def main() -> None:
    """Load once and tell seconds and rows."""
    address, path = sys.argv[1:]
    frame = pd.read_parquet(path)
    frame["findings"] = frame["findings"].map(",".join)
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect():
        pass

    def load() -> None:
        with engine.begin() as conn:
            frame.to_sql("claims_of_pandas", conn, index=False, chunksize=CHUNK)

    seconds, _ = timed(load)
    tell(seconds, rows=len(frame))


if __name__ == "__main__":
    main()
