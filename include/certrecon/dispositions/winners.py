"""One winner a key (employee number, certificate type) (design, *Dispositions*: `superseded`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.columns import column
from certrecon.dispositions.inputs import ELIGIBLE, DecisionInputs
from certrecon.dispositions.scope import inside

Bools = npt.NDArray[np.bool_]

CONTENDERS = pa.schema(
    [
        ("employee_number", pa.string()),
        ("certificate_type", pa.string()),
        ("certificate_id", pa.string()),
        ("valid_until", pa.date32()),
        ("issued_on", pa.date32()),
    ]
)
"""Eligible claims as they compete."""


def outside_contenders(inputs: DecisionInputs, read: pa.Array) -> pa.Table:
    """Return the eligible claims outside a limited run's scope, as the warehouse knows them.

    A certificate that was read in this run competes as it was read, wherever it was before; one that
    moved out of the scope competes as it was known.

    Args:
        inputs: The warehouse's claims, look-ups and scope.
        read: The certificates that were read.
    """
    if not inputs.scope.limited:
        return CONTENDERS.empty_table()
    previous = inputs.previous
    ids, tenants = column(previous, "certificate_id"), column(previous, "tenant_id")
    outside = pc.invert(inside(ids, tenants, read, inputs))
    eligible = pc.is_in(column(previous, "disposition"), value_set=pa.array([str(name) for name in ELIGIBLE]))
    return previous.filter(pc.and_(outside, eligible)).select(CONTENDERS.names).cast(CONTENDERS)


def keys_of(numbers: pa.Array | pa.ChunkedArray, types: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return one string a row that stands for the key (employee number, certificate type)."""
    joined = pc.binary_join_element_wise(numbers, types, "\x1f")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def winners(contenders: pa.Table) -> Bools:
    """Return which contenders win their key.

    The latest expiry wins, then the latest issue date, then the smaller certificate id.

    Args:
        contenders: Schema `CONTENDERS`, no null in it.
    """
    keyed = contenders.select(["certificate_id", "valid_until", "issued_on"]).append_column(
        "key", keys_of(contenders.column("employee_number"), contenders.column("certificate_type"))
    )
    order = pc.sort_indices(
        keyed,
        sort_keys=[
            ("key", "ascending"),
            ("valid_until", "descending"),
            ("issued_on", "descending"),
            ("certificate_id", "ascending"),
        ],
    )
    sorted_keys = keyed.column("key").take(order).combine_chunks().dictionary_encode().indices
    first = np.unique(np.asarray(sorted_keys), return_index=True)[1]
    won = np.zeros(contenders.num_rows, np.bool_)
    won[np.asarray(order)[first]] = True
    return won
