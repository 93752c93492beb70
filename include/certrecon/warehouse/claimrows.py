"""Claims as rows of the warehouse, some thousand at a time: all of a night's never lie in memory twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from certrecon.warehouse.digests import row_digests, row_texts, text_digests
from certrecon.warehouse.storable import sorted_lists, storable

CLAIM = pa.schema(
    [
        pa.field("certificate_id", pa.string(), nullable=False),
        ("certificate_type", pa.string()),
        pa.field("tenant_id", pa.string(), nullable=False),
        ("certificate_name", pa.string()),
        ("action_type", pa.string()),
        ("resource_type", pa.string()),
        ("resource_id", pa.string()),
        ("person_name", pa.string()),
        ("employee_number", pa.string()),
        ("issued_on", pa.date32()),
        ("valid_until", pa.date32()),
        pa.field("linked", pa.bool_(), nullable=False),
        pa.field("disposition", pa.string(), nullable=False),
        pa.field("findings", pa.list_(pa.string()), nullable=False),
        ("detail", pa.string()),
    ]
)
"""What a run says of a claim: all of it is compared. `detail` is JSON text, the same for the same facts."""

Details = Callable[[pa.Table], pa.Array]
"""Makes the column `detail` for some claims, where they do not have it yet."""

_ROWS_A_BLOCK = 32_768
_FINDINGS = CLAIM.get_field_index("findings")


def claim_digests(claims: pa.Table, details: Details | None = None) -> pa.FixedSizeBinaryArray:
    """Return the digest of each claim."""
    return text_digests(map(row_texts, _blocks(claims, details)))


def digested_blocks(claims: pa.Table, details: Details | None = None) -> Iterator[pa.Table]:
    """Yield claims in blocks as the warehouse keeps them: schema `CLAIM` and `row_sha256`."""
    for rows in _blocks(claims, details):
        yield rows.append_column("row_sha256", row_digests(rows))


def _blocks(claims: pa.Table, details: Details | None) -> Iterator[pa.Table]:
    for start in range(0, claims.num_rows, _ROWS_A_BLOCK):
        block = claims.slice(start, _ROWS_A_BLOCK)
        yield _comparable(block if details is None else block.append_column("detail", details(block)))


def _comparable(claims: pa.Table) -> pa.Table:
    rows = storable(claims.select(CLAIM.names).cast(CLAIM).combine_chunks())
    findings = rows.column(_FINDINGS).combine_chunks()
    if not isinstance(findings, pa.ListArray):
        findings = pa.array([], CLAIM.field(_FINDINGS).type)
    return rows.set_column(_FINDINGS, CLAIM.field(_FINDINGS), sorted_lists(findings))
