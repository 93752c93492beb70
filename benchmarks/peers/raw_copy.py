"""The limit of a load: ready CSV bytes by COPY, in one transaction.

    python -m benchmarks.peers.raw_copy ADDRESS CLAIMS.csv COLUMNS plain|indexed

The table is made before the time counts: `plain` has the columns of the claims table and nothing else,
`indexed` also its indexes, defaults and constraints, but no triggers.
"""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

from benchmarks.telling import tell, timed

BLOCK = 1 << 20
TABLES = {
    "plain": "CREATE TABLE raw AS SELECT * FROM reconciliation.claim WITH NO DATA",
    "indexed": "CREATE TABLE raw (LIKE reconciliation.claim INCLUDING ALL)",
}


def copy(conn: psycopg.Connection, columns: str, data: bytes) -> None:
    """Copy the bytes and commit."""
    statement = f"COPY raw ({columns}) FROM STDIN (FORMAT csv)"
    with conn.cursor() as cursor, cursor.copy(statement) as sink:
        for start in range(0, len(data), BLOCK):
            sink.write(memoryview(data)[start : start + BLOCK])
    conn.commit()


def main() -> None:
    """Copy once and tell seconds and rows."""
    address, path, columns, kind = sys.argv[1:]
    data = Path(path).read_bytes()
    with psycopg.connect(address) as conn:
        conn.execute(TABLES[kind])
        conn.commit()
        seconds, _ = timed(lambda: copy(conn, columns, data))
        row = conn.execute("SELECT count(*) FROM raw").fetchone()
    tell(seconds, rows=row[0] if row else 0, bytes=len(data))


if __name__ == "__main__":
    main()
