"""The settings that runs used, a row a digest, so that a later report can say what changed in them."""

from __future__ import annotations

from sqlalchemy import Connection, text

from certrecon.warehouse.storable import storable_text

_KEEP = text("""
    INSERT INTO reconciliation.settings_version (settings_sha256, content, first_run_seq)
    VALUES (:sha256, :content, :run_seq) ON CONFLICT DO NOTHING""")
_READ = text("SELECT content FROM reconciliation.settings_version WHERE settings_sha256 = :sha256")


def keep_settings(conn: Connection, run_seq: int, sha256: str, content: str) -> None:
    """Keep settings under their digest, unless an earlier run already did.

    Args:
        conn: A connection in a transaction.
        run_seq: The run that used them.
        sha256: The digest in the run's row.
        content: The settings as JSON text.
    """
    conn.execute(_KEEP, {"run_seq": run_seq, "sha256": sha256, "content": storable_text(content)})


def read_settings(conn: Connection, sha256: str) -> str | None:
    """Return settings as JSON text by their digest, or null where no run kept them."""
    found: str | None = conn.execute(_READ, {"sha256": sha256}).scalar_one_or_none()
    return found
