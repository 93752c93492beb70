"""One winner a key (employee number, certificate type) (design, *Dispositions*: `superseded`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.coded import CODED, Bools, Coded
from certrecon.claims.columns import column
from certrecon.dispositions.inputs import ELIGIBLE, DecisionInputs
from certrecon.dispositions.scope import inside

CONTENDERS = pa.schema(
    [
        ("employee_number", CODED),
        ("certificate_type", CODED),
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
    number, kind = (Coded.of(contenders[name]) for name in ("employee_number", "certificate_type"))
    keys = pa.array(number.codes.astype(np.int64) * len(kind.texts) + kind.codes).dictionary_encode()
    key = np.asarray(keys.indices)
    alone = np.bincount(key, minlength=len(keys.dictionary))[key] == 1
    won: Bools = np.asarray(alone)
    rivals = np.flatnonzero(~alone)
    won[rivals[_first_of_each(contenders.take(pa.array(rivals)), key[rivals])]] = True
    return won


def _first_of_each(rivals: pa.Table, key: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return the row that wins each key."""
    order = pc.sort_indices(
        rivals.select(["certificate_id", "valid_until", "issued_on"]).append_column("key", pa.array(key)),
        sort_keys=[
            ("key", "ascending"),
            ("valid_until", "descending"),
            ("issued_on", "descending"),
            ("certificate_id", "ascending"),
        ],
    )
    rows = np.asarray(order).astype(np.int64)
    return rows[np.unique(key[rows], return_index=True)[1]]
