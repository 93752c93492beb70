"""Claims against their own digests, in ranges, so that memory does not grow with the warehouse."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, text

from certrecon.audit.breach import Breach, changed
from certrecon.warehouse.bulk import copy_out
from certrecon.warehouse.digests import row_digests
from certrecon.warehouse.history import CLAIM
from certrecon.warehouse.stored import STORED, digested_columns

IDS_A_RANGE = 100_000
MOST_NAMED = 10
AS_LEFT = CLAIM.append(pa.field("pseudonymised", pa.bool_(), nullable=False))
"""A claim as a run left it, and whether it was pseudonymised since."""

_RANGE = f"""
    SELECT claim_id, {digested_columns()},
           encode(CASE WHEN pseudonymisation_id IS NULL THEN row_sha256 ELSE pseudonym_sha256 END, 'hex') AS digest
      FROM reconciliation.claim WHERE claim_id >= %(start)s AND claim_id < %(stop)s"""  # noqa: S608 - constants
_AS_OF = f"""
    SELECT {digested_columns()}, pseudonymisation_id IS NOT NULL
      FROM reconciliation.claim_as_of(%(run_seq)s)"""  # noqa: S608 - constants
_BOUNDS = text("SELECT coalesce(min(claim_id), 0), coalesce(max(claim_id), -1) FROM reconciliation.claim")


def check_claims(conn: Connection) -> tuple[int, list[Breach]]:
    """Recompute the digest of every claim; a pseudonymised one has the digest of what it is since then.

    Returns:
        How many claims there are, and those that do not give their digest, the first ten by name.
    """
    rows, wrong = 0, 0
    breaches: list[Breach] = []
    for claims in _ranges(conn):
        found = _not_holding(claims)
        rows, wrong = rows + claims.num_rows, wrong + found.num_rows
        breaches += map(_breach, found.slice(0, MOST_NAMED - len(breaches)).to_pylist())
    if wrong > MOST_NAMED:
        more = f"{wrong - MOST_NAMED} more claims were changed: they no longer give their digests."
        breaches.append(changed("claims", more))
    return rows, breaches


def read_claims_as_of(conn: Connection, run_seq: int) -> pa.Table:
    """Return the claims as a run left them (schema `AS_LEFT`), `detail` spelled as it was digested."""
    return copy_out(conn, _AS_OF, {"run_seq": run_seq}, AS_LEFT)


def _ranges(conn: Connection) -> Iterator[pa.Table]:
    first, last = conn.execute(_BOUNDS).one()
    for start in range(first, last + 1, IDS_A_RANGE):
        yield copy_out(conn, _RANGE, {"start": start, "stop": start + IDS_A_RANGE}, STORED)


def _not_holding(claims: pa.Table) -> pa.Table:
    """Return number, certificate and type of the claims that do not give their digest."""
    digests = row_digests(claims.select(CLAIM.names).cast(CLAIM).combine_chunks())
    stored = pa.array(map(bytes.fromhex, claims["digest"].to_pylist()), pa.binary())
    differs = pc.not_equal(digests.cast(pa.binary()), stored)
    return claims.select(["claim_id", "certificate_id", "certificate_type"]).filter(differs)


def _breach(claim: dict[str, object]) -> Breach:
    certificate, kind = claim["certificate_id"], claim["certificate_type"] or "no type"
    words = f"The claim of certificate {certificate} ({kind}) was changed: it no longer gives its digest."
    return changed(f"claim {claim['claim_id']}, certificate {certificate}, {kind}", words)
