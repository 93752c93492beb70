"""What Ditio is sent for a claim, as canonical JSON text (design, *Dispositions*: Payload)."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

from certrecon.text import json_literals


def _midnight(days: pa.Array) -> pa.Array:
    distinct = days.dictionary_encode()
    texts = pc.binary_join_element_wise('"', distinct.dictionary.cast(pa.string()), 'T00:00:00Z"', "")
    return texts.take(distinct.indices)


def payload_texts(
    employee_number: pa.Array,
    certificate_type: pa.Array,
    certificate_id: pa.Array,
    issued: pa.Array,
    until: pa.Array,
) -> pa.Array:
    """Return one JSON object a row, keys sorted, no white space.

    Args:
        employee_number: Ditio's own spelling, string, coded or not.
        certificate_type: String, coded or not.
        certificate_id: String; becomes `certificateNumber`.
        issued: `date32`.
        until: `date32`.
    """
    return pc.binary_join_element_wise(
        '{"certificateNumber":', json_literals(certificate_id),
        ',"certificateType":', json_literals(certificate_type),
        ',"employeeNumber":', json_literals(employee_number),
        ',"issuedDateTime":', _midnight(issued),
        ',"validUntilDateTime":', _midnight(until),
        "}",
        "",
    )  # fmt: skip


def digests(texts: pa.Array) -> pa.Array:
    """Return the SHA-256 of each text, hexadecimal."""
    return pa.array([hashlib.sha256(text).hexdigest() for text in texts.cast(pa.binary()).to_pylist()], pa.string())
