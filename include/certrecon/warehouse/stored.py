"""Claims as they are stored, read back as their digests cover them."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from certrecon.warehouse.history import CLAIM

_DETAIL_KEYS: Final = ("ditio_employee_number", "expiry_received", "issued_received", "expiry_source")
STORED: Final = pa.schema([("claim_id", pa.int64()), *CLAIM, ("digest", pa.string())])
"""A stored claim: its number, what its digest covers, and the digest in hexadecimal digits."""


def detail_text(detail: str) -> str:
    """Return the SQL that spells `detail`, an expression of jsonb, as the text that a claim's digest covers.

    PostgreSQL sorts the keys of JSON and spells a string as the claims' own JSON text does, so the text
    that was digested is its four values put together; any other key makes another text.
    """
    names = ", ".join(f"'{key}'" for key in _DETAIL_KEYS)
    parts = " || ',' || ".join(f"""'"{key}":' || coalesce(({detail} -> '{key}')::text, '')""" for key in _DETAIL_KEYS)
    return f"CASE WHEN {detail} - ARRAY[{names}] = '{{}}'::jsonb THEN '{{' || {parts} || '}}' ELSE {detail}::text END"


def digested_columns() -> str:
    """Return the columns of `CLAIM` for a query on claims, each as the digest covers it."""
    return ", ".join(f"{detail_text(name)} AS {name}" if name == "detail" else name for name in CLAIM.names)
