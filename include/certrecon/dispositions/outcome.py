"""What became of the planned winners once publishing has ended (design, *Dispositions*)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.claims.expiry import ExpirySource
from certrecon.dispositions.decide import DECIDED
from certrecon.dispositions.winners import keys_of
from certrecon.text import json_literals
from certrecon.words import Disposition, LedgerState

WAREHOUSE_CLAIMS = pa.schema(
    [DECIDED.field(name) for name in DECIDED.names[: DECIDED.get_field_index("person_id")]]
    + [
        ("person_name", pa.string()),
        ("employee_number", pa.string()),
        ("issued_on", pa.date32()),
        ("valid_until", pa.date32()),
        ("linked", pa.bool_()),
        ("disposition", pa.string()),
        ("findings", pa.list_(pa.string())),
        ("detail", pa.string()),
    ]
)
"""Claims as the warehouse keeps them; `detail` is JSON text in which nothing depends on the day."""


DETAILED = ("ditio_employee_number", "expiry_received", "issued_received", "expiry_source")
"""The columns of `DECIDED` that are kept in `detail`."""

LOADED = pa.schema([field for field in DECIDED if field.name in {*WAREHOUSE_CLAIMS.names, *DETAILED}])
"""The columns of `DECIDED` that the warehouse keeps."""


def _became(states: pa.Array, *, refused: bool) -> pa.Array:
    """Return the disposition of planned rows by the state their ledger entry has in this run (null = none)."""
    return pc.case_when(
        pc.make_struct(
            pc.fill_null(pc.equal(states, str(LedgerState.ACKNOWLEDGED)), False),
            pc.fill_null(pc.equal(states, str(LedgerState.REJECTED)), False),
        ),
        str(Disposition.DELIVERED),
        str(Disposition.REJECTED),
        str(Disposition.REFUSED if refused else Disposition.UNDELIVERED),
    )


def settle(claims: pa.Table, ledger: pa.Table, run_seq: int, *, refused: bool = False) -> pa.Table:
    """Replace `planned` by what became of each row.

    Args:
        claims: Schema `DECIDED`, of a publishing run.
        ledger: Schema `certrecon.schemas.LEDGER_STATES`, read after publishing.
        run_seq: The run; entries of other runs say nothing about it.
        refused: Whether a person refused the plan, or the approval ran out.
    """
    before = claims.column("disposition").combine_chunks()
    planned = pc.equal(before, str(Disposition.PLANNED))
    keys = claims.select(["employee_number", "certificate_type"]).filter(planned)
    own = ledger.filter(pc.equal(ledger.column("run_seq"), run_seq))
    among = keys_of(own.column("employee_number"), own.column("certificate_type"))
    place = pc.index_in(keys_of(keys.column("employee_number"), keys.column("certificate_type")), value_set=among)
    became = _became(own.column("state").combine_chunks().take(place), refused=refused)
    settled = pc.replace_with_mask(before, planned, became)
    return claims.set_column(DECIDED.get_field_index("disposition"), DECIDED.field("disposition"), settled)


def details(claims: pa.Table) -> pa.Array:
    """Return the facts of claims (columns of `DETAILED`) that have no column in the warehouse, as JSON text."""
    number, expiry, issued = (json_literals(claims.column(name).combine_chunks()) for name in DETAILED[:3])
    return pc.binary_join_element_wise(
        '{"ditio_employee_number":', number, ',"expiry_received":', expiry, ',"issued_received":', issued,
        ',"expiry_source":', _sources(claims.column("expiry_source")), "}", "",
    )  # fmt: skip


def _sources(column: pa.ChunkedArray) -> pa.Array:
    names = pa.array([f'"{source.name.lower()}"' for source in ExpirySource])
    return pc.fill_null(names.take(column.combine_chunks()), "null")


def warehouse_claims(claims: pa.Table) -> pa.Table:
    """Return settled claims (schema `DECIDED`) as the warehouse keeps them (schema `WAREHOUSE_CLAIMS`)."""
    detailed = claims.append_column("detail", details(claims))
    return detailed.select(WAREHOUSE_CLAIMS.names).cast(WAREHOUSE_CLAIMS)
