"""Where a certificate lies: what a limited run may speak of (design, *DAG*: limited; *Fine print*: limited runs)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.columns import column
from certrecon.dispositions.inputs import DecisionInputs


def _found(ids: pa.Array, keys: pa.Array, values: pa.Array) -> pa.Array:
    return values.take(pc.index_in(ids, value_set=keys))


def _looked_up(inputs: DecisionInputs) -> pa.Table:
    return inputs.lookups.filter(pc.equal(inputs.lookups.column("outcome"), "moved")).combine_chunks()


def tenants_of(certificate_ids: pa.Array, known: pa.Array, inputs: DecisionInputs) -> pa.Array:
    """Return the tenant in which each certificate lies.

    Args:
        certificate_ids: The certificates, none of them read in this run.
        known: The tenant that each was last known in, for what the warehouse's claims do not know.
        inputs: Where a look-up by id found it counts most, then where the warehouse's claims have it.
    """
    moved, previous = _looked_up(inputs), inputs.previous
    return pc.coalesce(
        _found(certificate_ids, column(moved, "certificate_id"), column(moved, "found_tenant_id")),
        _found(certificate_ids, column(previous, "certificate_id"), column(previous, "tenant_id").cast(pa.string())),
        known.cast(pa.string()),
    )


def inside(certificate_ids: pa.Array, known: pa.Array, read: pa.Array, inputs: DecisionInputs) -> pa.Array:
    """Return which certificates a limited run speaks of: those it read, and those that lie in its tenants.

    A run that looked at certificates by id speaks of these alone.
    """
    if inputs.scope.certificates is not None:
        return pc.is_in(certificate_ids, value_set=pa.array(inputs.scope.certificates, pa.string()))
    tenants = pa.array(inputs.scope.tenants, pa.string())
    return pc.or_(
        pc.is_in(certificate_ids, value_set=read),
        pc.is_in(tenants_of(certificate_ids, known, inputs), value_set=tenants),
    )


def moved_away(inputs: DecisionInputs) -> list[str]:
    """Return the certificates that a run limited to tenants knew in them and that now lie outside them."""
    if not inputs.scope.limited or inputs.scope.certificates is not None:
        return []
    found = _looked_up(inputs)
    outside = pc.invert(
        pc.is_in(found.column("found_tenant_id"), value_set=pa.array(inputs.scope.tenants, pa.string()))
    )
    return list(found.filter(outside)["certificate_id"].to_pylist())
